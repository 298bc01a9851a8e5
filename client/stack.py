"""Everything on one machine: Redis, the migrated SQLite database, the API and its workers, started and stopped."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import httpx2
import typer

from client.errors import CommandError
from client.exposure import CannotListen, listen, refuse_to_serve_others_without_a_key
from infra import redis_server
from infra.processes import die_with_parent, wait_or_kill
from infra.settings import Settings
from migrations.commands import upgrade

DEFAULT_PORT = 8000
START_SECONDS = 60.0
CHECK_SECONDS = 0.5


class StackError(CommandError):
    """The stack cannot run."""


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
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = dict(os.environ) | ({"BACKPROP_LOG_LEVEL": log_level} if log_level else {})
        self._cleanup = ExitStack()
        address, bound_port = self._listener.getsockname()[:2]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{bound_port}"

    def __enter__(self) -> Self:
        """Start everything and wait until it answers.

        Raises:
            StackError: the folder is in use, Redis is missing, or a part did not start.
            CommandError: other machines could reach it, and there is no key.
        """
        with ExitStack() as cleanup:
            cleanup.callback(self._listener.close)
            cleanup.enter_context(_only_user_of(self._settings.data_dir))
            upgrade(self._settings.resolved_database_url)
            refuse_to_serve_others_without_a_key(self._listener, self._settings, self._data_option)
            self._environment |= {
                "BACKPROP_DATA_DIR": str(self._settings.data_dir.absolute()),
                "BACKPROP_REDIS_URL": cleanup.enter_context(self._redis()),
            }
            cleanup.callback(self._stop_processes)
            self._spawn("api", "--fd", str(self._listener.fileno()))
            for number in range(self._workers):
                self._spawn("worker", name=f"worker {number + 1}")
            self._wait_until_ready()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything, the last started first."""
        self._cleanup.close()

    def supervise(self) -> None:
        """Keep the parts running until SIGINT or SIGTERM: a worker that dies is replaced.

        Raises:
            StackError: the API has died.
        """
        with _stop_signals() as stopping:
            while not stopping.wait(CHECK_SECONDS):
                for name, process in list(self._processes.items()):
                    if process.poll() is None:
                        continue
                    if name == "api":
                        raise StackError(f"The API ended by itself (exit code {process.returncode}).")
                    typer.echo(f"The {name} ended by itself (exit code {process.returncode}); another takes its place.")
                    self._spawn("worker", name=name)

    @contextmanager
    def _redis(self) -> Iterator[str]:
        """The Redis that the settings name, or one of our own."""
        if "redis_url" in self._settings.model_fields_set:
            yield self._settings.redis_url
            return
        try:
            with redis_server.running(self._settings.data_dir / "redis") as url:
                yield url
        except (redis_server.RedisNotFound, redis_server.RedisNotStarted) as error:
            raise StackError(str(error)) from error

    def _spawn(self, command: str, *options: str, name: str | None = None) -> None:
        self._processes[name or command] = subprocess.Popen(
            [sys.executable, "-m", "client", command, *options],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=[self._listener.fileno()] if command == "api" else [],
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            preexec_fn=die_with_parent,
        )

    def _stop_processes(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():  # asked a second time, a worker would leave its job as it is
            wait_or_kill(process)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise StackError(f"The {name} did not start (exit code {process.returncode}).")
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success:
                    return
            except httpx2.TransportError:
                pass
            if time.monotonic() > deadline:
                raise StackError(f"The API did not answer within {START_SECONDS:.0f} seconds.")
            time.sleep(0.05)


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
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"Another `backprop serve` runs in the folder {folder}. Stop it, or choose another with --data."
            ) from None
        yield


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set instead of doing what they usually do."""
    stopping = threading.Event()

    def stop_now(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop_now) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
