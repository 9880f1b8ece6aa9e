-- Boards are linked lists {column, rest}, as in the functional versions.
local function safe(q, board)
  local d = 1
  while board do
    local c = board[1]
    if q == c or q == c + d or q == c - d then return false end
    d = d + 1
    board = board[2]
  end
  return true
end
local function place(left, n, board)
  if left == 0 then return 1 end
  local count = 0
  for q = n, 1, -1 do
    if safe(q, board) then count = count + place(left - 1, n, {q, board}) end
  end
  return count
end
local t0 = os.clock()
local r = place(11, 11, nil)
local t1 = os.clock()
print(r)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
