local function make(d)
  if d == 0 then return {} end
  return {make(d - 1), make(d - 1)}
end
local function check(t)
  if not t[1] then return 1 end
  return 1 + check(t[1]) + check(t[2])
end
local t0 = os.clock()
local max_depth = 16
local long_lived = make(max_depth)
local sums = {}
for d = 4, 16, 2 do
  local sum = 0
  for _ = 1, 2 ^ (max_depth - d + 4) do sum = sum + check(make(d)) end
  sums[#sums + 1] = string.format("%d", sum)
end
local kept = check(long_lived)
local t1 = os.clock()
print(table.concat(sums, " ") .. " " .. kept)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
