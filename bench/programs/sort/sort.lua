-- The same merge sort over linked lists, then table.sort.
local function merge_sort(list)
  if not list or not list[2] then return list end
  local a, b = nil, nil
  while list do
    a, b = {list[1], b}, a
    list = list[2]
  end
  a, b = merge_sort(a), merge_sort(b)
  local head = {0, nil}
  local last = head
  while a and b do
    local cell
    if a[1] <= b[1] then cell = {a[1], nil}; a = a[2] else cell = {b[1], nil}; b = b[2] end
    last[2] = cell
    last = cell
  end
  last[2] = a or b
  return head[2]
end
-- In two halves, so that no product needs more than the 53 bits of luajit's numbers.
local function next_random(seed)
  local high, low = math.floor(seed / 65536), seed % 65536
  return ((high * 1103515245 % 32768) * 65536 + low * 1103515245 + 12345) % 2147483648
end
local t0 = os.clock()
local seed, list, array = 42, nil, {}
for i = 1, 1000000 do
  seed = next_random(seed)
  list = {seed, list}
  array[i] = seed
end
local sorted = merge_sort(list)
table.sort(array)
local t1 = os.clock()
local same, cell = true, sorted
for i = 1, #array do
  if cell[1] ~= array[i] then same = false end
  cell = cell[2]
end
print(tostring(same) .. " " .. string.format("%d", sorted[1]) .. " " .. #array)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
