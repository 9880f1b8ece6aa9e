local function sieve(list)
  local out = {}
  while #list > 0 do
    local p = list[1]
    if p * p > 20000 then
      for i = 1, #list do out[#out + 1] = list[i] end
      return out
    end
    out[#out + 1] = p
    local rest = {}
    for i = 2, #list do
      if list[i] % p ~= 0 then rest[#rest + 1] = list[i] end
    end
    list = rest
  end
  return out
end
local t0 = os.clock()
local primes
for _ = 1, 20 do
  local list = {}
  for n = 2, 20000 do list[#list + 1] = n end
  primes = sieve(list)
end
local t1 = os.clock()
local sum = 0
for _, p in ipairs(primes) do sum = sum + p end
print(#primes .. " " .. sum)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
