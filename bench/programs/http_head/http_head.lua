local head = "GET /a/path/to/somewhere?with=query HTTP/1.1\r\nHost: example.org\r\nUser-Agent: quelea/1.0 (bench)\r\nAccept: text/html,application/json\r\nAccept-Encoding: gzip, br\r\nCookie: session=0123456789abcdef\r\n\r\n"
local input = head:rep(50000)
local byte = string.byte
local t0 = os.clock()
local count, fields, at, size = 0, 0, 1, #input
while at <= size do
  local start = at
  while byte(input, at) ~= 32 do at = at + 1 end
  local method = input:sub(start, at - 1)
  at = at + 1
  start = at
  while byte(input, at) ~= 32 do at = at + 1 end
  local path = input:sub(start, at - 1)
  at = at + 11
  local headers = {}
  while byte(input, at) ~= 13 do
    start = at
    while byte(input, at) ~= 58 do at = at + 1 end
    local key = input:sub(start, at - 1)
    at = at + 2
    start = at
    while byte(input, at) ~= 13 do at = at + 1 end
    headers[#headers + 1] = {key, input:sub(start, at - 1)}
    at = at + 2
  end
  at = at + 2
  count = count + 1
  fields = fields + #headers
end
local t1 = os.clock()
print(count .. " " .. fields)
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
