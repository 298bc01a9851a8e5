"""Everything on one machine: Redis, the migrated SQLite database, the API and its workers, started and stopped."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import httpx2
import typer

from cli.api_processes import api_parts
from cli.errors import CommandError
from cli.exposure import CannotListen, listen, refuse_to_serve_others_without_a_key
from cli.parts import Part, started_command, stop_all, supervise
from infra import redis_server
from infra.data_folder import open_data_folder
from infra.redis_server import RedisNotFound, RedisNotStarted
from infra.settings import Settings
from migrations.commands import upgrade

DEFAULT_PORT = 8000
START_SECONDS = 60.0


class StackError(CommandError):
    """The stack cannot run."""


class StopAsked(BaseException):
    """SIGINT or SIGTERM has come. Not an Exception: nothing is to be made of it on its way."""


class Stack:
    """The embedded stack. A context manager: whatever it started is stopped at the end, whatever happens.

    Attributes:
        url: where the API listens.
    """

    def __init__(
        self,
        host: str,
        port: int | None,
        data: Path | None,
        workers: int,
        log_level: str | None = None,
        api_processes: int | None = None,
    ) -> None:
        self._settings = Settings() if data is None else Settings(data_dir=data)
        self._api_processes = api_processes or self._settings.api_processes
        self._data_option = "" if data is None else f" --data {shlex.quote(str(data))}"
        self._listener = _listen(host, port)
        self._workers = workers
        self._parts: list[Part] = []
        self._environment = dict(os.environ) | ({"BACKPROP_LOG_LEVEL": log_level} if log_level else {})
        self._cleanup = ExitStack()
        address, bound_port = self._listener.getsockname()[:2]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{bound_port}"

    def __enter__(self) -> Self:
        """Start everything and wait until it answers.

        Raises:
            StackError: the folder is in use, Redis is missing, or a part did not start.
            DataFolderUnusable: the folder cannot be made or written to.
            CommandError: other machines could reach it, and there is no key.
        """
        with ExitStack() as cleanup:
            cleanup.callback(self._listener.close)
            open_data_folder(self._settings.data_dir)
            cleanup.enter_context(_only_user_of(self._settings.data_dir))
            upgrade(self._settings.resolved_database_url)
            refuse_to_serve_others_without_a_key(self._listener, self._settings, self._data_option)
            self._environment |= {
                "BACKPROP_DATA_DIR": str(self._settings.data_dir.absolute()),
                "BACKPROP_REDIS_URL": cleanup.enter_context(self._redis()),
            }
            cleanup.callback(self._stop_processes)
            self._parts += api_parts(self._listener, self._api_processes, typer.echo, self._environment)
            for number in range(self._workers):
                name = "worker" if self._workers == 1 else f"worker {number + 1}"
                self._parts.append(Part(name, self._worker, typer.echo))
            self._wait_until_ready()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything, the last started first."""
        self._cleanup.close()

    def supervise(self) -> None:
        """Keep the parts running for as long as they can be: one that dies is started again.

        Raises:
            PartGivenUp: one of them dies again and again.
        """
        supervise(self._parts)

    @contextmanager
    def _redis(self) -> Iterator[str]:
        """The Redis that the settings name, or one of our own, which is looked after as the first of the parts."""
        if "redis_url" in self._settings.model_fields_set:
            yield self._settings.redis_url
            return
        try:
            with redis_server.installed(self._settings.data_dir / "redis") as server:
                self._parts.append(Part("Redis", server.start, typer.echo, server.last_words))
                yield server.url
        except (RedisNotFound, RedisNotStarted) as error:
            raise StackError(str(error)) from error

    def _worker(self) -> subprocess.Popen[bytes]:
        return started_command("worker", environment=self._environment)

    def _stop_processes(self) -> None:
        """Stop all but Redis, which workers take leave of."""
        stop_all(part for part in self._parts if part.name != "Redis")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            for part in self._parts:
                if part.process.poll() is not None:
                    raise StackError(f"The {part.name} did not start (exit code {part.process.returncode}).")
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success:
                    return
            except httpx2.TransportError:
                pass
            if time.monotonic() > deadline:
                raise StackError(f"The API did not answer within {START_SECONDS:.0f} seconds.")
            time.sleep(0.05)


@contextmanager
def asked_to_stop_by_signals() -> Iterator[None]:
    """Inside, SIGINT and SIGTERM raise `StopAsked`, once: what is being stopped is not disturbed by another.

    Raises:
        StopAsked: one of them has come.
    """

    def stop_now(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise StopAsked

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop_now)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket: on that port; or, if none is asked for, on the default one or any free one."""
    try:
        return listen(host, DEFAULT_PORT if port is None else port)
    except CannotListen as error:
        if port is None and error.port_is_taken:
            return listen(host, 0)
        raise


@contextmanager
def _only_user_of(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the kernel frees however this process ends."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"Another `backprop serve` runs in the folder {folder}. Stop it, or choose another with --data."
            ) from None
        yield
