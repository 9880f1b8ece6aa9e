local path = "/tmp/quelea-bench-words.txt"
local f = io.open(path, "w")
f:write(("the quick brown fox jumps over the lazy dog and runs away from it all\n"):rep(1500000))
f:close()
local t0 = os.clock()
local total = 0
for line in io.lines(path) do
  for _ in line:gmatch("%S+") do total = total + 1 end
end
local t1 = os.clock()
os.remove(path)
print(total)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
