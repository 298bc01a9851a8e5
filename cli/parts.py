"""Processes that are kept running: started, started again when they have died, stopped together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NoReturn

from cli.errors import CommandError
from cli.restarts import Restarts
from infra.processes import STOP_SECONDS, wait_or_kill
from infra.redis_server import RedisNotStarted

CHECK_SECONDS = 0.25
"""Seconds between two looks at whether all are running."""


class PartGivenUp(CommandError):
    """A part has died too often."""


class Part:
    """A process, and how it is started again when it has died.

    Attributes:
        name: what people call it.
        process: the one that runs, or has just died.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], subprocess.Popen[bytes]],
        tell: Callable[[str], None],
        last_words: Callable[[], str] = lambda: "",
    ) -> None:
        """Start it.

        Args:
            name: what people call it.
            start: starts its process, also when that has died.
            tell: tells people of its death.
            last_words: why it may have died, for when it is given up.
        """
        self.name = name
        self._start = start
        self._tell = tell
        self._last_words = last_words
        self._restarts = Restarts()
        self._restart_at: float | None = None
        self.process = start()

    def look_after(self) -> None:
        """Start it again if it has died, the later the more often it has.

        Raises:
            PartGivenUp: it has died too often.
        """
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self._restart_at is None:
            delay = self._restarts.next_delay(now)
            if delay is None:
                raise PartGivenUp(f"The {self.name} ends again and again by itself. {self._last_words()}".rstrip())
            self._tell(f"The {self.name} ended by itself (exit code {self.process.returncode}); it is started again.")
            self._restart_at = now + delay
        if now >= self._restart_at:
            self._restart_at = None
            with suppress(RedisNotStarted, OSError):  # one more death
                self.process = self._start()


def supervise(parts: Iterable[Part]) -> NoReturn:
    """Keep them running for as long as they can be.

    Raises:
        PartGivenUp: one of them dies again and again.
    """
    while True:
        time.sleep(CHECK_SECONDS)
        for part in parts:
            part.look_after()


def stop_all(parts: Iterable[Part], seconds: float = STOP_SECONDS) -> None:
    """Ask all to end, and kill those that take longer than so many seconds."""
    processes = [part.process for part in parts]
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        wait_or_kill(process, max(0.0, deadline - time.monotonic()))


def started_command(
    *arguments: str, inherited: Iterable[int] = (), environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Run `backprop` with these arguments in a process that ends with this one.

    Args:
        arguments: of the command.
        inherited: file descriptors that it shares with this process.
        environment: its variables; None: those of this process.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments, "--parent", str(os.getpid())],
        env=environment,
        stdin=subprocess.DEVNULL,
        pass_fds=tuple(inherited),
        start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
    )
