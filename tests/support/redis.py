"""A Redis that can be taken away, wiped and brought back at the same address."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from infra.redis_server import find_program
from tests.support.waiting import wait_for


class RedisServer:
    """A server on a unix socket of its own, down until started.

    Attributes:
        url: where it is when it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Start it with what it had written down, and wait until it answers."""
        self._data.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [find_program(), "--port", "0", "--unixsocket", self._socket, "--dir", self._data, "--appendonly", "yes"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_for("Redis", self._answers)

    def kill(self) -> None:
        """Take it away at once. Nothing happens if it is not there."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Take it away, and what it had written down too."""
        self.kill()
        shutil.rmtree(self._data, ignore_errors=True)

    def all_keys(self) -> set[str]:
        """Every key that it holds."""
        with redis.Redis.from_url(self.url) as client:
            return {key.decode() for key in client.scan_iter(count=1000)}

    def flush(self) -> None:
        """Make it forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server of one's own, down until started and gone at the end."""
    with tempfile.TemporaryDirectory(prefix="backprop-test-") as folder:  # a short path, as sockets need
        server = RedisServer(Path(folder))
        try:
            yield server
        finally:
            server.kill()
