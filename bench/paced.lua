-- For wrk: the small chat request of post.lua at a modest rate, one JSON line of latencies in µs at
-- the end. Environment: PAUSE_MS, the mean pause of a connection between two requests; API_KEY.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
if os.getenv("API_KEY") then wrk.headers["Authorization"] = "Bearer " .. os.getenv("API_KEY") end
wrk.body = '{"model":"sim-model","max_tokens":64,"messages":[{"role":"user","content":"'
  .. string.rep("a friendly customer ", 15) .. '"}]}'

local pause = tonumber(os.getenv("PAUSE_MS"))

function delay()
  return math.random(0, 2 * pause)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'done {"requests":%d,"errors":%d,"p50_us":%d,"p99_us":%d}\n', summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
