"""Why an attempt is to stop, and how its main thread is made to."""

from __future__ import annotations

import time

from worker.shutdown import Shutdown, ShutdownRequested

PATIENCE_SECONDS = 0.8
"""Seconds. An attempt that is to stop gets so long to end its iteration. Beyond that it goes back to the checkpoint."""


class CancelRequested(Exception):
    """Somebody asked for the job to be cancelled. What was learnt so far is in the checkpoint."""


class Interrupter:
    """Gathers the reasons to stop, and interrupts the main thread when there is one.

    Attributes:
        cancel_requested: somebody asked to cancel.
        failure: nothing can be written any more, for this reason.
    """

    def __init__(self, shutdown: Shutdown) -> None:
        self.cancel_requested = False
        self.failure: Exception | None = None
        self._shutdown = shutdown
        self._since: float | None = None

    @property
    def shutdown_requested(self) -> bool:
        """The process is asked to end."""
        return self._shutdown.requested

    @property
    def reason(self) -> Exception | None:
        """Why the attempt is to stop; None if it is not."""
        if self.failure is not None:
            return self.failure
        if self.cancel_requested:
            return CancelRequested()
        return ShutdownRequested() if self._shutdown.requested else None

    def interrupt(self) -> None:
        """Make the main thread stop, if there is a reason: at once, or if it trains, once it has had time to attend."""
        reason = self.reason
        if reason is None:
            return
        now = time.monotonic()
        if self._since is None:
            self._since = now
        self._shutdown.interrupt(reason, training=now - self._since > PATIENCE_SECONDS)
