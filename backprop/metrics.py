"""How well predictions match: accuracy and confusion matrix for classes, RMSE and R² for numbers.

Each class gathers batches, so that predictions for data larger than memory are never held at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.column_statistics import ColumnStatistics


class ConfusionMatrix:
    """Counts of actual against predicted classes.

    Attributes:
        counts: (K, K) int64; row: the actual class, column: the predicted one.
    """

    def __init__(self, classes: int) -> None:
        self.counts: NDArray[np.int64] = np.zeros((classes, classes), np.int64)

    def add(self, actual: NDArray[np.intp], predicted: NDArray[np.intp]) -> None:
        """Count a batch of classes given as positions, (m,) each."""
        classes = len(self.counts)
        pairs = np.bincount(actual * classes + predicted, minlength=classes * classes)
        self.counts += pairs.reshape(classes, classes)

    @property
    def accuracy(self) -> float | None:
        """The share of rows whose class was predicted; None before the first row."""
        rows = int(self.counts.sum())
        return int(np.trace(self.counts)) / rows if rows else None


class NumberErrors:
    """Squared errors of n number columns."""

    def __init__(self, columns: int) -> None:
        self._actual = ColumnStatistics(columns)
        self._squares: NDArray[np.float64] = np.zeros(columns)

    def add(self, actual: NDArray[Any], predicted: NDArray[Any]) -> None:
        """Take in a batch of actual and predicted values, (m, n) each, in the same units.

        Where the actual value is NaN there is nothing to compare.
        """
        self._actual.add(actual)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(predicted - actual).sum(axis=0, where=~np.isnan(actual))
            self._squares = self._squares + squares

    @property
    def rmse(self) -> list[float | None]:
        """√(Σ (ŷ − y)² / m) a column; None before the first row, or where it is beyond double precision."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.sqrt(self._squares / np.where(self._actual.count, self._actual.count, math.nan))
        return [_finite(value) for value in values.tolist()]

    @property
    def r2(self) -> list[float | None]:
        """R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)² a column; None where the actual values are all equal."""
        with np.errstate(all="ignore"):
            values = 1 - self._squares / self._actual.squares
        constant = self._actual.constant
        return [None if same else _finite(value) for value, same in zip(values.tolist(), constant, strict=True)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
