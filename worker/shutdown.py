"""How a work-horse is made to stop.

While it trains, it stops at a moment of its own. While it does anything else, it stops at once.

Two things make it stop: SIGTERM, and what the recorder learns from the database in a thread of its own (somebody asked
to cancel, or another attempt has the job).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

_WAKE = signal.SIGUSR1
"""A process sends it to itself, because only a signal reaches a main thread that waits for a lock."""


class ShutdownRequested(Exception):
    """The process is to end; another worker will go on from the last checkpoint."""


class Shutdown:
    """Whether this process has been asked to end, and how its main thread is interrupted.

    Attributes:
        requested: it has been. The training thread stops at its next iteration, with a checkpoint.
    """

    def __init__(self) -> None:
        self.requested = False
        self._listening = False
        self._doing: Literal["work", "training"] | None = None
        self._reason: Exception | None = None

    def on_sigterm(self) -> None:
        """Take SIGTERM as the request, and let `interrupt` interrupt, from now on. Main thread only."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(_WAKE, self._wake)
        self._listening = True

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, a request interrupts whatever is going on.

        Raises:
            ShutdownRequested: now, or before.
            Exception: the reason given to `interrupt`.
        """
        with self._while_doing("work"):
            if self.requested:
                raise ShutdownRequested
            yield

    @contextmanager
    def training(self) -> Iterator[None]:
        """Inside, only `interrupt` interrupts, when an iteration takes longer than anybody wants to wait.

        Raises:
            Exception: the reason given to `interrupt`.
        """
        with self._while_doing("training"):
            yield

    def interrupt(self, reason: Exception, *, training: bool) -> None:
        """Have the main thread raise `reason` if it is inside `at_once`.

        Inside `training` it does so only if `training` is true.

        To be called by another thread, as often as it likes.
        """
        if self._listening and (self._doing == "work" or (training and self._doing == "training")):
            self._reason = reason
            signal.pthread_kill(threading.main_thread().ident or 0, _WAKE)

    @contextmanager
    def _while_doing(self, what: Literal["work", "training"]) -> Iterator[None]:
        self._doing = what
        try:
            yield
        finally:
            self._doing = self._reason = None

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._doing == "work":
            self._doing = None  # once only
            raise ShutdownRequested

    def _wake(self, _signal: int, _frame: FrameType | None) -> None:
        reason, self._reason = self._reason, None
        if self._doing is not None and reason is not None:
            self._doing = None
            raise reason
