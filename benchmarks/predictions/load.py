"""A load on a server, made by wrk: a program in C that one core of its own keeps from being the bottleneck."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
local file = io.open([[{body}]], "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
{headers}
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""
"""What wrk is told, and what it says at the end."""


@dataclass(frozen=True)
class Request:
    """What is sent again and again.

    Attributes:
        url: to which address.
        headers: besides those of HTTP itself.
        body: with it.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What a load has come to.

    Attributes:
        rate: requests answered a second.
        p50: milliseconds until half of the answers had come.
        p99: milliseconds until all but a hundredth had.
        requests: how many were answered.
    """

    rate: float
    p50: float
    p99: float
    requests: int


def need_wrk() -> None:
    """Say what to install where it is missing."""
    if shutil.which("wrk") is None:
        raise SystemExit("This needs wrk on PATH: `apt-get install wrk`, `brew install wrk`.")


def put_on(request: Request, connections: int, seconds: float) -> Outcome:
    """Send the request over so many connections for so long, each as soon as the one before is answered."""
    with tempfile.TemporaryDirectory() as name:
        body, script = Path(name) / "body", Path(name) / "script.lua"
        body.write_bytes(request.body)
        headers = "\n".join(
            f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}" for key, value in request.headers.items()
        )
        script.write_text(SCRIPT.format(body=body, headers=headers))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        said = subprocess.run([*command, "-s", str(script), request.url], capture_output=True, text=True, check=True)
    told = json.loads(said.stdout.strip().splitlines()[-1])
    assert told["failed"] == 0, said.stdout
    return Outcome(told["requests"] / told["seconds"], told["p50"], told["p99"], told["requests"])
