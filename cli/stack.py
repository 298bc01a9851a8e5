"""Everything on one machine: Redis, the migrated SQLite database, the API and its workers, started and stopped."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import httpx2
import typer

from cli.errors import CommandError
from cli.exposure import CannotListen, listen, refuse_to_serve_others_without_a_key
from cli.restarts import Restarts
from infra import redis_server
from infra.data_folder import open_data_folder
from infra.processes import wait_or_kill
from infra.redis_server import RedisNotFound, RedisNotStarted
from infra.settings import Settings
from migrations.commands import upgrade

DEFAULT_PORT = 8000
START_SECONDS = 60.0
CHECK_SECONDS = 0.25


class StackError(CommandError):
    """The stack cannot run."""


class StopAsked(BaseException):
    """SIGINT or SIGTERM has come. Not an Exception: nothing is to be made of it on its way."""


class Part:
    """A process of the stack, and how it is started again when it has died.

    Attributes:
        name: what people call it.
    """

    def __init__(self, name: str, start: Callable[[], subprocess.Popen[bytes]], last_words: Callable[[], str]) -> None:
        """Start it.

        Args:
            name: what people call it.
            start: starts its process, also when that has died.
            last_words: why it may have died, for when it is given up.
        """
        self.name = name
        self._start = start
        self._last_words = last_words
        self._restarts = Restarts()
        self._restart_at: float | None = None
        self.process = start()

    def look_after(self) -> None:
        """Start it again if it has died, the later the more often it has.

        Raises:
            StackError: it has died too often.
        """
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self._restart_at is None:
            delay = self._restarts.next_delay(now)
            if delay is None:
                raise StackError(f"The {self.name} ends again and again by itself. {self._last_words()}".rstrip())
            typer.echo(f"The {self.name} ended by itself (exit code {self.process.returncode}); it is started again.")
            self._restart_at = now + delay
        if now >= self._restart_at:
            self._restart_at = None
            with suppress(RedisNotStarted, OSError):  # one more death
                self.process = self._start()


class Stack:
    """The embedded stack. A context manager: whatever it started is stopped at the end, whatever happens.

    Attributes:
        url: where the API listens.
    """

    def __init__(
        self, host: str, port: int | None, data: Path | None, workers: int, log_level: str | None = None
    ) -> None:
        self._settings = Settings() if data is None else Settings(data_dir=data)
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
            self._add("API", "api", "--fd", str(self._listener.fileno()))
            for number in range(self._workers):
                self._add("worker" if self._workers == 1 else f"worker {number + 1}", "worker")
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
            StackError: one of them dies again and again.
        """
        while True:
            time.sleep(CHECK_SECONDS)
            for part in self._parts:
                part.look_after()

    @contextmanager
    def _redis(self) -> Iterator[str]:
        """The Redis that the settings name, or one of our own, which is looked after as the first of the parts."""
        if "redis_url" in self._settings.model_fields_set:
            yield self._settings.redis_url
            return
        try:
            with redis_server.installed(self._settings.data_dir / "redis") as server:
                self._parts.append(Part("Redis", server.start, server.last_words))
                yield server.url
        except (RedisNotFound, RedisNotStarted) as error:
            raise StackError(str(error)) from error

    def _add(self, name: str, command: str, *options: str) -> None:
        self._parts.append(Part(name, lambda: self._spawn(command, *options), lambda: ""))

    def _spawn(self, command: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", command, *options, "--parent", str(os.getpid())],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=[self._listener.fileno()] if command == "api" else [],
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
        )

    def _stop_processes(self) -> None:
        """Stop all but Redis, which workers take leave of."""
        processes = [part.process for part in self._parts if part.name != "Redis"]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            wait_or_kill(process)

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
