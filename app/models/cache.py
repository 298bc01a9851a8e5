"""Models that have been asked lately, kept ready in this process. They never change, so none is ever stale."""

from __future__ import annotations

import threading

from cachetools import LRUCache

from app.models.prediction import Predictor
from infra import models
from infra.database import Database
from infra.projects import Project

MOST_BYTES = 512 * 2**20
"""Memory that cached weights may take together."""


class PredictorCache:
    """The least recently asked models make room when the weights take too much memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._predictors: LRUCache[tuple[Project, str], Predictor] = LRUCache(MOST_BYTES, getsizeof=_weight_bytes)
        self._lock = threading.Lock()

    def get(self, project: Project, model_id: str) -> Predictor:
        """The project's model of that id, ready to predict.

        Raises:
            NotFound: there is none (code ``model_not_found``).
        """
        with self._lock:
            cached = self._predictors.get((project, model_id))
        if cached is not None:
            return cached
        with self._database.reading() as session:
            model = models.get_with_weights(session, project, model_id)
        predictor = Predictor.from_stored(model.network, model.preprocessing, model.weights)
        if _weight_bytes(predictor) <= MOST_BYTES:
            with self._lock:
                self._predictors[project, model_id] = predictor
        return predictor


def _weight_bytes(predictor: Predictor) -> int:
    return int(predictor.parameters.vector.nbytes)
