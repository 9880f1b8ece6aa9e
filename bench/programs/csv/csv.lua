local input = ('1001,"Smith, Ann",Zurich,250\n1002,Bob,"New York",17\n1003,Cleo,Lima,4000\n1004,"D",Oslo,3\n'):rep(50000)
local byte, sub = string.byte, string.sub
local t0 = os.clock()
local rows, at, size = {}, 1, #input
while at <= size do
  local fields = {}
  repeat
    local last
    if byte(input, at) == 34 then
      at = at + 1
      local start = at
      while byte(input, at) ~= 34 do at = at + 1 end
      fields[#fields + 1] = sub(input, start, at - 1)
      last = byte(input, at + 1)
      at = at + 2
    else
      local start, b = at, byte(input, at)
      while b ~= 44 and b ~= 10 do at = at + 1; b = byte(input, at) end
      fields[#fields + 1] = sub(input, start, at - 1)
      last = b
      at = at + 1
    end
  until last == 10
  rows[#rows + 1] = fields
end
local sum = 0
for _, fields in ipairs(rows) do sum = sum + tonumber(fields[4]) end
local t1 = os.clock()
print(#rows .. " " .. string.format("%d", sum))
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
