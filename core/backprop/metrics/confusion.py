"""Which classes are predicted for which: what needs no more of a prediction than its class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics.known import Floats, finite, mean_of_known, quotients
from backprop.metrics.row_weights import with_weight

LARGEST_MATRIX = 100
"""Classes. With more of them the matrix is left out: its cells would be too many to read."""


class ClassCounts:
    """Weights of the actual and the predicted classes.

    Attributes:
        actual: (K,) float64, of each class the rows that have it.
        predicted: (K,) float64, of each class the rows for which it is predicted.
        right: (K,) float64, of each class the rows that have it and for which it is predicted.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._weighted = False
        self._matrix: Floats | None = np.zeros((classes, classes)) if classes <= LARGEST_MATRIX else None
        self.actual: Floats = np.zeros(classes)
        self.predicted: Floats = np.zeros(classes)
        self.right: Floats = np.zeros(classes)

    def add(self, actual: NDArray[np.intp], predicted: NDArray[np.intp], weights: NDArray[Any] | None = None) -> None:
        """Count a batch of classes given as positions, (m,) each."""
        self._weighted |= weights is not None
        each, actual, predicted = with_weight(weights, actual, predicted)
        hits = actual == predicted
        self.actual += self._sums(actual, each)
        self.predicted += self._sums(predicted, each)
        self.right += self._sums(actual[hits], each[hits])
        if self._matrix is not None:
            cells = self._matrix.size
            pairs = np.bincount(actual * self._classes + predicted, each, minlength=cells)
            self._matrix += pairs.reshape(self._matrix.shape)

    def _sums(self, codes: NDArray[np.intp], weights: Floats) -> Floats:
        return np.bincount(codes, weights, minlength=self._classes).astype(np.float64, copy=False)

    @property
    def total(self) -> float:
        """The weight of all rows."""
        return float(self.actual.sum())

    @property
    def matrix(self) -> list[list[int]] | list[list[float]] | None:
        """A row for each actual class, a column for each predicted one: whole numbers unless there were weights.

        None beyond `LARGEST_MATRIX` classes.
        """
        if self._matrix is None:
            return None
        cells: list[list[float]] = self._matrix.tolist()
        return cells if self._weighted else [[int(cell) for cell in row] for row in cells]

    @property
    def accuracy(self) -> float | None:
        """The share of rows whose class was predicted; None before the first row."""
        total = self.total
        return finite(float(self.right.sum()) / total) if total else None

    @property
    def balanced_accuracy(self) -> float | None:
        """The mean of `recall` over the classes that have rows."""
        return mean_of_known(self.recall)

    @property
    def precision(self) -> list[float | None]:
        """Of each class: of the rows for which it was predicted, the share that has it; None if there are none."""
        return quotients(self.right, self.predicted)

    @property
    def recall(self) -> list[float | None]:
        """Of each class: of the rows that have it, the share for which it was predicted; None if there are none."""
        return quotients(self.right, self.actual)

    @property
    def f1(self) -> list[float | None]:
        """Of each class 2 · right / (actual + predicted); None if it neither occurs nor is predicted."""
        return quotients(2 * self.right, self.actual + self.predicted)

    @property
    def matthews_correlation(self) -> float | None:
        """Gorodkin's R_K, which with two classes is Matthews' φ.

        (c s − Σ_k t_k p_k) / √((s² − Σ p_k²) (s² − Σ t_k²)): s rows, c of them right, t_k of class k, p_k predicted as
        such. 0 where all rows have one class or one is predicted for all; None before the first row.
        """
        s = self.total
        if not s:
            return None
        if np.count_nonzero(self.actual) < 2 or np.count_nonzero(self.predicted) < 2:
            return 0.0
        t, p, c = self.actual, self.predicted, float(self.right.sum())
        with np.errstate(all="ignore"):
            spreads = (s * s - p @ p) * (s * s - t @ t)
            return finite(float((c * s - t @ p) / np.sqrt(spreads)))
