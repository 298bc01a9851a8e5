"""The service that BentoML serves: the fitted network, asked for its scores. Runs in BentoML's environment."""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(
    workers=1,
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    tracing={"sample_rate": 0.0},
)
class Digits:
    """One route, which takes and gives arrays: BentoML's fastest form of a table of numbers in JSON."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["FITTED_MODEL"])

    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """The scores of each row."""
        scores: np.ndarray = self.model.predict_proba(rows)
        return scores
