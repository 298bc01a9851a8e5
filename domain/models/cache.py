"""Models that have been asked lately, kept ready in this process. They never change, so none is ever stale."""

from __future__ import annotations

import threading

from cachetools import LRUCache

from domain.access.projects import Project
from domain.models import rows as models
from domain.models.prediction import Predictor
from infra.database import Database

MOST_BYTES = 512 * 2**20
"""Bytes. Cached weights take no more together."""


class ModelCache:
    """The least recently asked models make room when the weights take too much memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: LRUCache[tuple[Project, str], Predictor] = LRUCache(MOST_BYTES, getsizeof=_weight_bytes)
        self._lock = threading.Lock()

    def at_hand(self, project: Project, model_id: str) -> Predictor | None:
        """The project's model of that id, if it is kept here. This waits for nothing."""
        with self._lock:
            return self._models.get((project, model_id))

    def drop(self, project: Project, model_id: str) -> None:
        """Forget a model, if it is in memory."""
        with self._lock:
            self._models.pop((project, model_id), None)

    def get(self, project: Project, model_id: str) -> Predictor:
        """The project's model of that id.

        Raises:
            NotFound: there is none (code ``model_not_found``).
        """
        cached = self.at_hand(project, model_id)
        if cached is not None:
            return cached
        with self._database.reading() as session:
            row = models.get_with_weights(session, project, model_id)
        model = models.predictor(row)
        if _weight_bytes(model) <= MOST_BYTES:
            with self._lock:
                self._models[project, model_id] = model
        return model


def _weight_bytes(predictor: Predictor) -> int:
    """The weights and the copy of them that predictions take."""
    return int(predictor.model.parameters.vector.nbytes) + predictor.model.forward.nbytes
