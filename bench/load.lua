-- Sends the keys of a file, one after another, as wrk's requests.
-- Arguments: FILE verify|gateway|introspect|token VERIFIER_KEY, or for token the client's Basic header
local requests, at, threads = {}, 0, 0

function setup(thread)
  thread:set("start", threads * 7919)
  threads = threads + 1
end

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  if args[2] == "verify" then headers["Authorization"] = "Bearer " .. args[3] end
  for key in io.lines(args[1]) do
    if args[2] == "verify" then
      requests[#requests + 1] = wrk.format("POST", "/v1/verify", headers, '{"credential":"' .. key .. '","permissions":"call_recordings:read"}')
    elseif args[2] == "introspect" then
      requests[#requests + 1] = wrk.format("POST", "/oauth2/introspect",
        { ["Content-Type"] = "application/x-www-form-urlencoded", ["Authorization"] = "Bearer " .. args[3] }, "token=" .. key)
    elseif args[2] == "token" then
      requests[#requests + 1] = wrk.format("POST", "/oauth2/token",
        { ["Content-Type"] = "application/x-www-form-urlencoded", ["Authorization"] = args[3] }, key)
    else
      requests[#requests + 1] = wrk.format("GET", "/gateway/auth?permissions=call_recordings:read", { ["Authorization"] = "Bearer " .. key })
    end
  end
  at = start % #requests
end

function request()
  at = at + 1
  if at > #requests then at = 1 end
  return requests[at]
end

function done(summary, latency)
  io.write(string.format("\nRESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
