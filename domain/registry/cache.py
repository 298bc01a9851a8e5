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
from infra.database import Database

KEPT_SECONDS = 0.5
"""Seconds. What another process has moved is noticed after so long. A second is what is promised; the rest is for
requests that are under way."""

MOST_KEPT = 10_000
"""References. The least recently asked make room; each takes about a kilobyte."""


class _Kept(NamedTuple):
    resolved: Resolved
    until: float


class RegistryCache:
    """Resolved references. What this process changes itself, it sees from the next request on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: LRUCache[tuple[Project, Reference], _Kept] = LRUCache(MOST_KEPT)
        self._changes = 0
        self._lock = threading.Lock()

    def kept(self, project: Project, reference: Reference) -> Resolved | None:
        """What the reference means, if that is known without asking the database; else None. It never waits."""
        with self._lock:
            kept = self._kept.get((project, reference))
        return kept.resolved if kept is not None and monotonic() < kept.until else None

    def resolve(self, project: Project, reference: Reference) -> Resolved:
        """What the reference means: now, or `KEPT_SECONDS` ago where another process has changed it since.

        Raises:
            NotFound: as `domain.registry.resolving.resolve` does.
        """
        kept = self.kept(project, reference)
        if kept is not None:
            return kept
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
