"""How good probabilities of classes are: log loss and Brier score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics.known import Floats, finite
from backprop.metrics.row_weights import with_weight

LEAST_PROBABILITY = float(np.finfo(np.float64).eps)
"""For the log loss a probability is at least this, 2⁻⁵², and at most 1 less this: scikit-learn's limits. Without them
one row that was held for impossible would make it infinite."""


class ProbabilityErrors:
    """Errors of the probabilities of K classes."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._weight = 0.0
        self._logarithms = 0.0
        self._squares = 0.0

    def add(self, actual: NDArray[np.intp], probabilities: Floats, weights: NDArray[Any] | None = None) -> None:
        """Take in the actual classes of a batch as positions, (m,), and the probabilities of all, (m, K)."""
        each, actual, probabilities = with_weight(weights, actual, probabilities)
        rows = np.arange(len(actual))
        of_actual = probabilities[rows, actual]
        errors = probabilities.copy()
        errors[rows, actual] -= 1
        self._weight += float(each.sum())
        self._logarithms -= float(each @ np.log(np.clip(of_actual, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)))
        self._squares += float(each @ np.einsum("ik,ik->i", errors, errors))

    @property
    def log_loss(self) -> float | None:
        """−Σ w ln p(actual class) / Σ w; None before the first row."""
        return self._mean(self._logarithms)

    @property
    def brier_score(self) -> float | None:
        """Σ w Σ_k (p_k − y_k)² / Σ w, y_k being 1 for the actual class; of two classes half of it. None as above."""
        squares = self._mean(self._squares)
        return squares / 2 if squares is not None and self._classes == 2 else squares

    def _mean(self, total: float) -> float | None:
        return finite(total / self._weight) if self._weight else None
