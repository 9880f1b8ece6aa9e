local sqrt = math.sqrt
local function body(id, x, y, z, vx, vy, vz, m) return {id = id, x = x, y = y, z = z, vx = vx, vy = vy, vz = vz, m = m} end
local bodies = {
  body(1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743),
  body(2, 4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949),
  body(3, 8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.82566237123041, 0.00841576137658415, 0.011286326131968767),
  body(4, 12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.08279100644154, 0.868713018169608, -0.01083263740136364, 0.0017237240570597112),
  body(5, 15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.594698998647676, -0.03475595555078104, 0.0020336868699246304),
}
local function advance(all, dt)
  local out = {}
  for i, b in ipairs(all) do
    local vx, vy, vz = b.vx, b.vy, b.vz
    for _, o in ipairs(all) do
      if b.id ~= o.id then
        local dx, dy, dz = b.x - o.x, b.y - o.y, b.z - o.z
        local d2 = dx * dx + dy * dy + dz * dz
        local mag = dt * o.m / (d2 * sqrt(d2))
        vx, vy, vz = vx - dx * mag, vy - dy * mag, vz - dz * mag
      end
    end
    out[i] = body(b.id, b.x + dt * vx, b.y + dt * vy, b.z + dt * vz, vx, vy, vz, b.m)
  end
  return out
end
local t0 = os.clock()
for _ = 1, 100000 do bodies = advance(bodies, 0.01) end
local t1 = os.clock()
local e = 0.0
for _, b in ipairs(bodies) do e = e + 0.5 * b.m * (b.vx * b.vx + b.vy * b.vy + b.vz * b.vz) end
print(string.format("%.9f", e))
io.stderr:write("ms ", (t1 - t0) * 1000, "\n")
