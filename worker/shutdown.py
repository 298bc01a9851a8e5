"""How a work-horse is asked to stop: at a moment of its own while it trains, at once while it does anything else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class ShutdownRequested(Exception):
    """The process is to end; another worker will go on from the last checkpoint."""


class Shutdown:
    """Whether this process has been asked to end.

    Attributes:
        requested: it has been. The training thread stops at its next iteration, with a checkpoint.
    """

    def __init__(self) -> None:
        self.requested = False
        self._at_once = False

    def on_sigterm(self) -> None:
        """Take SIGTERM as the request, from now on. Main thread only."""
        signal.signal(signal.SIGTERM, self._handle)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, a request interrupts whatever is going on.

        Raises:
            ShutdownRequested: now, or before.
        """
        self._at_once = True
        try:
            if self.requested:
                raise ShutdownRequested
            yield
        finally:
            self._at_once = False

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._at_once:
            raise ShutdownRequested
