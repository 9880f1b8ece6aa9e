local odd
local function even(n)
  if n == 0 then return true end
  return odd(n - 1)
end
function odd(n)
  if n == 0 then return false end
  return even(n - 1)
end
local t0 = os.clock()
local r = even(1000000000)
local t1 = os.clock()
print(r)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
