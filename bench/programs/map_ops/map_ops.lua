-- Lua's tables are mutable: the same work without persistence.
local t0 = os.clock()
local map, n = {}, 0
for i = 0, 499999 do
  local k = (i * 7919) % 1000003
  if map[k] == nil then n = n + 1 end
  map[k] = i
end
local sum = 0
for i = 0, 499999 do sum = sum + map[(i * 7919) % 1000003] end
local left = n
for i = 0, 499999, 3 do
  map[(i * 7919) % 1000003] = nil
  left = left - 1
end
local counts, words = {}, 0
for i = 0, 499999 do
  local key = "key" .. (i % 50000)
  if counts[key] == nil then words = words + 1 end
  counts[key] = (counts[key] or 0) + 1
end
local t1 = os.clock()
print(string.format("%d %d %d %d %d", n, sum, left, words, counts["key77"]))
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
