"""Models that have been asked lately, kept ready in this process. They never change, but they may be deleted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from cachetools import LRUCache

from domain.access.projects import Project
from domain.models import rows as models
from domain.models.prediction import Predictor
from infra.ahead_of_time import AheadOfTime
from infra.database import Database

MOST_BYTES = 512 * 2**20
"""Bytes. Cached models take no more together."""

MODEL_BYTES = 8 * 2**10
NAME_BYTES = 128
"""Bytes. Besides its weights a model takes so many, and so many more for each column and each category it knows."""

BELIEVED_SECONDS = 1.0
"""Seconds. So long after a look at the database a model is believed to be there still."""


@dataclass
class Ready:
    """A model in memory.

    Attributes:
        predictor: the model.
        seen_at: of the monotonic clock, when its row was last seen.
    """

    predictor: Predictor
    seen_at: float

    @property
    def is_believed(self) -> bool:
        """Whether it has been seen so lately that it need not be looked for again."""
        return time.monotonic() - self.seen_at < BELIEVED_SECONDS

    @property
    def is_soon_doubted(self) -> bool:
        """Whether it is time to look for it again, before it is believed no more."""
        return time.monotonic() - self.seen_at > BELIEVED_SECONDS / 2

    @property
    def bytes(self) -> int:
        """What it takes in memory: weights, the copy of them that predictions take, and about so much for the rest."""
        model, reader = self.predictor.model, self.predictor.reader
        weights = int(model.parameters.vector.nbytes) + model.forward.nbytes
        return weights + MODEL_BYTES + NAME_BYTES * (len(reader.known) + model.coding.inputs.width)


class ModelCache:
    """The least recently asked models make room when all of them take too much memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: LRUCache[tuple[Project, str], Ready] = LRUCache(MOST_BYTES, getsizeof=lambda ready: ready.bytes)
        self._lock = threading.Lock()
        self._ahead = AheadOfTime()

    def at_hand(self, project: Project, model_id: str) -> Predictor | None:
        """The project's model of that id, if it is kept here and believed to be there. This waits for nothing."""
        with self._lock:
            cached = self._models.get((project, model_id))
        if cached is None or not cached.is_believed:
            return None
        if cached.is_soon_doubted:
            self._ahead.look((project, model_id), lambda: self._seen_again(project, model_id, cached))
        return cached.predictor

    def get(self, project: Project, model_id: str) -> Predictor:
        """The project's model of that id. One that another process deletes is gone here within `BELIEVED_SECONDS`.

        Raises:
            NotFound: there is none (code ``model_not_found``).
        """
        with self._lock:
            cached = self._models.get((project, model_id))
        if cached is not None and cached.is_believed:
            return cached.predictor
        if cached is not None and self._seen_again(project, model_id, cached):
            return cached.predictor
        now = time.monotonic()
        with self._database.reading() as session:
            row = models.get_with_weights(session, project, model_id)
        ready = Ready(models.predictor(row), now)
        if ready.bytes <= MOST_BYTES:
            with self._lock:
                self._models[project, model_id] = ready
        return ready.predictor

    def _seen_again(self, project: Project, model_id: str, cached: Ready) -> bool:
        """Whether the model is there still. If not, it is forgotten."""
        now = time.monotonic()
        with self._database.reading() as session:
            is_there = models.is_there(session, project, model_id)
        if is_there:
            cached.seen_at = now
        else:
            self.forget(project, model_id)
        return is_there

    def forget(self, project: Project, model_id: str) -> None:
        """Have it no more in this process: it is deleted."""
        with self._lock:
            self._models.pop((project, model_id), None)

    def close(self) -> None:
        """Ask the database no more ahead of time."""
        self._ahead.close()
