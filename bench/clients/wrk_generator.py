"""Load by wrk (https://github.com/wg/wrk), which uses the least CPU of the known generators."""

import subprocess
import tempfile
from pathlib import Path

from bench.clients.images import Workload
from bench.clients.traffic import Traffic, parse_report
from bench.target import Target

# `args` are the words after `--`: 1 path, 2 content type, 3 folder of the bodies, 4 number of bodies.
SCRIPT = """\
local requests, position, threads = {}, 0, {}
bad = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  for number = 1, tonumber(args[4]) do
    local file = assert(io.open(args[3] .. "/" .. (number - 1), "rb"))
    requests[number] = wrk.format("POST", args[1], {["Content-Type"] = args[2]}, file:read("*a"))
    file:close()
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function response(status)
  if status ~= 200 then bad = bad + 1 end
end

function done(summary, latency)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do errors = errors + thread:get("bad") end
  io.write(string.format(
    '\\n{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "max_ms": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, errors
  ))
end
"""


def post_with_wrk(target: Target, workload: Workload, connections: int, seconds: float) -> Traffic:
    """Post the workload over keep-alive connections, closed loop; wrk takes whole seconds."""
    with tempfile.TemporaryDirectory(prefix="convserve-bench-") as name:
        script, bodies = Path(name, "post.lua"), Path(name, "bodies")
        script.write_text(SCRIPT)
        bodies.mkdir()
        workload.write(bodies)
        options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script)]
        arguments = [workload.path, workload.content_type, str(bodies), str(len(workload.bodies))]
        command = ["wrk", *options, target.url, "--", *arguments]
        finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return parse_report(finished.stdout)
