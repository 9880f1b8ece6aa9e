local function permutations(xs)
  if #xs == 0 then return {{}} end
  local out = {}
  for i = 1, #xs do
    local others = {}
    for j = 1, #xs do if j ~= i then others[#others + 1] = xs[j] end end
    for _, rest in ipairs(permutations(others)) do
      local p = {xs[i]}
      for j = 1, #rest do p[j + 1] = rest[j] end
      out[#out + 1] = p
    end
  end
  return out
end
local t0 = os.clock()
local longest, total = 0, 0
for _, p in ipairs(permutations({1, 2, 3, 4, 5, 6, 7, 8, 9})) do
  local n = 0
  while p[1] ~= 1 do
    local i, j = 1, p[1]
    while i < j do
      p[i], p[j] = p[j], p[i]
      i, j = i + 1, j - 1
    end
    n = n + 1
  end
  if n > longest then longest = n end
  total = total + n
end
local t1 = os.clock()
print(longest .. " " .. total)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
