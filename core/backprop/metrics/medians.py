"""The median absolute error of predicted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics.bounded_counts import BoundedCounts, values_of_each
from backprop.metrics.known import finite
from backprop.metrics.row_buffer import RowBuffer
from backprop.metrics.row_weights import with_weight

_EPSILON = float(np.finfo(np.float64).eps)


class MedianErrors:
    """Absolute errors of n number columns, of which the median is wanted.

    A column may have `values_of_each` different errors; beyond that they are cut to fewer digits, so that the median is
    too small by less than one unit of the last of them.
    """

    def __init__(self, columns: int) -> None:
        most = values_of_each(columns)
        self._counts = [BoundedCounts(most, 1) for _ in range(columns)]
        self._known = np.ones(columns, np.bool_)
        self._waiting = RowBuffer()
        self._weighted = False

    def add(self, actual: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any] | None = None) -> None:
        """Take in a batch of actual and predicted values, (m, n) each without NaN, in the same units.

        After a prediction that is NaN nothing is known of its column.
        """
        self._weighted |= weights is not None
        each, actual, predicted = with_weight(weights, actual, predicted)
        with np.errstate(over="ignore", invalid="ignore"):
            errors = np.abs(np.subtract(predicted, actual, dtype=np.float64))
        self._known &= ~np.isnan(errors).any(axis=0)
        if self._waiting.add(errors, each):
            self._count()

    def _count(self) -> None:
        waiting = self._waiting.take()
        if waiting is None:
            return
        errors, weights = waiting
        for column, counts in enumerate(self._counts):
            if self._known[column]:
                counts.add((errors[:, column], weights if self._weighted else None))

    @property
    def medians(self) -> list[float | None]:
        """The median of |ŷ − y| a column; None before the first row, or where it is beyond double precision.

        It is the least error up to which the errors have half of all weight, or the mean of it and the next one where
        they have exactly half: scikit-learn's weighted percentile, and the usual median where all weights are equal.
        """
        self._count()
        return [
            _median(counts) if known else None for counts, known in zip(self._counts, self._known.tolist(), strict=True)
        ]


def _median(counts: BoundedCounts) -> float | None:
    if not len(counts.values):
        return None
    up_to = np.cumsum(counts.weights[0])
    half = up_to[-1] / 2
    middle = int(np.searchsorted(up_to, half))
    after = min(middle + 1, len(up_to) - 1) if up_to[middle] - half <= _EPSILON else middle
    with np.errstate(over="ignore"):
        return finite(float((counts.values[middle] + counts.values[after]) / 2))
