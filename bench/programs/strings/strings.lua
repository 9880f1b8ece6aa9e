-- Appending to a Lua string copies it; the idiom is a table and table.concat.
local t0 = os.clock()
local buf = {}
for i = 0, 299999 do buf[#buf + 1] = "line " .. i .. " of " .. 300000 .. "\n" end
local a = table.concat(buf)
buf = {}
for i = 0, 499999 do buf[#buf + 1] = "item," .. i .. ";" end
local b = table.concat(buf)
buf = {}
for i = 1, 300000 do buf[i] = tostring(i) end
local c = table.concat(buf, ",")
local parts = {}
for part in c:gmatch("[^,]+") do parts[#parts + 1] = part end
local e = b:gsub("item", "thing")
local t1 = os.clock()
print(#a .. " " .. #b .. " " .. #c .. " " .. #parts .. " " .. #e)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
