"""Looks at the database that are taken before they are needed, so that nobody waits for them.

What a process keeps in memory it believes for a moment. Under load the moment's end would meet many requests at once:
all of them would ask, each in a thread, and these threads and the event loop would wait for one another for tens of
milliseconds. So whoever finds that the moment is half over has one look taken in the background.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

_log = structlog.get_logger(__name__)


class AheadOfTime:
    """Takes looks in a thread of its own, one at a time, and of one subject never two."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "ahead")
        self._under_way: set[Hashable] = set()
        self._lock = threading.Lock()

    def look(self, subject: Hashable, look: Callable[[], object]) -> None:
        """Have a look taken, unless there is one at this subject under way. This waits for nothing.

        An error is not told: who finds nothing in memory looks for itself, and meets it again.
        """
        with self._lock:
            if subject in self._under_way:
                return
            self._under_way.add(subject)
        with suppress(RuntimeError):  # it is closed
            self._thread.submit(self._taken, subject, look)

    def close(self) -> None:
        """Take no more looks, and wait for the one that is under way."""
        self._thread.shutdown(cancel_futures=True)

    def _taken(self, subject: Hashable, look: Callable[[], object]) -> None:
        try:
            look()
        except Exception as error:  # of any kind: it is somebody else's to meet
            _log.debug("a look ahead failed", error=repr(error))
        finally:
            with self._lock:
                self._under_way.discard(subject)
