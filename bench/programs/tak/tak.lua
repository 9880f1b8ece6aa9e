local function tak(x, y, z)
  if y >= x then return z end
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
end
local t0 = os.clock()
local r
for _ = 1, 4 do r = tak(24, 16, 8) end
local t1 = os.clock()
print(r)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
