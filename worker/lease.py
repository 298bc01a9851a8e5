"""Keeps the lease of an attempt that reports of itself only now and then, and learns whether it is to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.orm import Session

from infra.database import Database
from infra.errors import Unavailable
from worker.interrupter import Interrupter
from worker.shutdown import Shutdown

_log = structlog.get_logger(__name__)


class LeaseKeeper:
    """A context manager: inside, a thread renews the lease, and interrupts the main thread when it is to stop."""

    def __init__(
        self,
        database: Database,
        renew: Callable[[Session], bool],
        shutdown: Shutdown,
        every: float,
        lease_seconds: float,
    ) -> None:
        """Begin nothing yet.

        Args:
            database: where the lease is.
            renew: renews it; tells whether somebody asked to cancel.
            shutdown: how the main thread is interrupted.
            every: seconds between two looks.
            lease_seconds: the length of a lease.
        """
        self._database = database
        self._renew = renew
        self._interrupter = Interrupter(shutdown)
        self._every = min(every, lease_seconds / 4)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self._closing.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._closing.wait(self._every):
            if self._interrupter.failure is None:
                self._look()
            self._interrupter.interrupt()

    def _look(self) -> None:
        began = time.monotonic()
        try:
            with self._database.writing() as session:
                self._interrupter.cancel_requested = self._renew(session)
        except Unavailable as error:
            _log.warning("the lease cannot be renewed", reason=error.message, seconds=time.monotonic() - began)
        except Exception as error:  # told to the main thread, which ends the attempt
            self._interrupter.failure = error
