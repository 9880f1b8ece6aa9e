local function a(i, j)
  local s = i + j
  return 1.0 / (s * (s + 1) / 2 + i + 1)
end
local function times(n, v)
  local out = {}
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do sum = sum + a(i, j) * v[j + 1] end
    out[i + 1] = sum
  end
  return out
end
local function transposed(n, v)
  local out = {}
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do sum = sum + a(j, i) * v[j + 1] end
    out[i + 1] = sum
  end
  return out
end
local t0 = os.clock()
local n, u, v = 300, {}, nil
for i = 1, n do u[i] = 1.0 end
for _ = 1, 10 do
  v = transposed(n, times(n, u))
  u = transposed(n, times(n, v))
end
local uv, vv = 0.0, 0.0
for i = 1, n do uv = uv + u[i] * v[i]; vv = vv + v[i] * v[i] end
local norm = math.sqrt(uv / vv)
local t1 = os.clock()
print(string.format("%.9f", norm))
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
