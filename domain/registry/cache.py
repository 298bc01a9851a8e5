"""What names of the registry mean, kept in this process for a moment, so that a prediction asks no database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

from cachetools import LRUCache

from domain.access.projects import Project
from domain.registry.resolving import Reference, Resolved, resolve
from infra.ahead_of_time import AheadOfTime
from infra.database import Database

KEPT_SECONDS = 0.5
"""Seconds. What another process has moved is noticed after so long. A second is what is promised; the rest is for
requests that are under way."""

MOST_KEPT = 10_000
"""References. The least recently asked make room; each takes about a kilobyte."""


class _Kept(NamedTuple):
    resolved: Resolved
    until: float

    @property
    def is_soon_forgotten(self) -> bool:
        """Whether it is time to ask again, before it is kept no more."""
        return monotonic() > self.until - KEPT_SECONDS / 2


class RegistryCache:
    """Resolved references. What this process changes itself, it sees from the next request on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: LRUCache[tuple[Project, Reference], _Kept] = LRUCache(MOST_KEPT)
        self._changes = 0
        self._lock = threading.Lock()
        self._ahead = AheadOfTime()

    def kept(self, project: Project, reference: Reference) -> Resolved | None:
        """What the reference means, if that is known without asking the database; else None. It never waits."""
        with self._lock:
            kept = self._kept.get((project, reference))
        if kept is None or monotonic() >= kept.until:
            return None
        if kept.is_soon_forgotten:
            self._ahead.look((project, reference), lambda: self._asked(project, reference))
        return kept.resolved

    def resolve(self, project: Project, reference: Reference) -> Resolved:
        """What the reference means: now, or `KEPT_SECONDS` ago where another process has changed it since.

        Raises:
            NotFound: as `domain.registry.resolving.resolve` does.
        """
        kept = self.kept(project, reference)
        return self._asked(project, reference) if kept is None else kept

    def _asked(self, project: Project, reference: Reference) -> Resolved:
        """What the reference means now, by the database."""
        with self._lock:
            changes = self._changes
        until = monotonic() + KEPT_SECONDS  # from before it is read, however long that takes
        with self._database.reading() as session:
            resolved = resolve(session, project, reference)
        with self._lock:
            if changes == self._changes:  # else it may have been read before the change
                self._kept[project, reference] = _Kept(resolved, until)
        return resolved

    def forget(self, project: Project, reference: Reference) -> None:
        """Ask the database the next time."""
        with self._lock:
            self._kept.pop((project, reference), None)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Forget all at the end of the block, in which something is changed and committed, or is perhaps."""
        try:
            yield
        finally:
            with self._lock:
                self._changes += 1
                self._kept.clear()

    def close(self) -> None:
        """Ask the database no more ahead of time."""
        self._ahead.close()
