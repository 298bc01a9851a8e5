"""The API as a process of its own, with a socket and a memory of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from infra.processes import stop
from infra.settings import Settings
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class ApiProcess:
    """The running API.

    Attributes:
        process: its process.
        port: where it listens, on 127.0.0.1.
        client: speaks to it.
    """

    process: subprocess.Popen[bytes]
    port: int
    client: httpx2.Client

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """A connection over which nothing has been said."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def memory(self) -> int:
        """Bytes of it that are in memory now."""
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        """Take its memory of now for its peak."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_memory(self) -> int:
        """The most bytes of it that have been in memory since `forget_peak`."""
        return self._status("VmHWM")

    def threads(self) -> int:
        """How many threads it has now."""
        return self._status("Threads", unit=1)

    def _status(self, name: str, unit: int = 1024) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
        assert found is not None
        return int(found[1]) * unit


@contextmanager
def running_api(settings: Settings) -> Iterator[ApiProcess]:
    """`backprop api` on a free port of 127.0.0.1, once it answers; stopped at the end."""
    variables = {f"BACKPROP_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "api", "--fd", str(listener.fileno())],
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        port: int = listener.getsockname()[1]
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:

            def answers() -> bool:
                try:
                    return client.get("/healthz").is_success
                except httpx2.TransportError:
                    return False

            wait_for("an answer of the API", answers, seconds=30, every=0.05)
            yield ApiProcess(process, port, client)
    finally:
        stop(process)
