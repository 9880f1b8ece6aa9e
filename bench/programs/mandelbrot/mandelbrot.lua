local function escape(x, y, cx, cy, n)
  while n > 0 do
    local x2, y2 = x * x, y * y
    if x2 + y2 > 4.0 then return 0 end
    x, y = x2 - y2 + cx, 2.0 * x * y + cy
    n = n - 1
  end
  return 1
end
local t0 = os.clock()
local count, size = 0, 600
for row = 0, size - 1 do
  for col = 0, size - 1 do
    count = count + escape(0.0, 0.0, 3.0 * col / size - 2.0, 3.0 * row / size - 1.5, 100)
  end
end
local t1 = os.clock()
print(count)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
