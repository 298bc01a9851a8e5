"""How many uploads of one project this process takes in at the same time: each may need gigabytes of its disk."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.access.projects import Project
from infra.errors import TooMany

RETRY_SECONDS = 5


class UploadSlots:
    """Gives each project so many slots."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[Project] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def one_of(self, project: Project) -> Iterator[None]:
        """Hold one of the project's slots.

        Raises:
            TooMany: all are taken (code ``too_many_uploads``).
        """
        with self._lock:
            if self._taken[project] >= self._each:
                raise TooMany(
                    "too_many_uploads",
                    f"{self._each} uploads of this project are being taken in; no more are at a time "
                    "(BACKPROP_MAX_UPLOADS).",
                    retry_after=RETRY_SECONDS,
                )
            self._taken[project] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[project] -= 1
                if not self._taken[project]:
                    del self._taken[project]
