"""Whether scores can be believed: how many of the rows with a score of about 0.8 for a class have it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics.known import Floats
from backprop.metrics.row_weights import with_weight

BINS = 10
"""Bins of equal width that the scores are sorted into."""

_EDGES = np.linspace(0.0, 1.0, BINS + 1)[1:-1]


class Reliability:
    """Scores of K classes, gathered in bins.

    The bins are those of scikit-learn's `calibration_curve`: a score on an edge belongs to the bin below.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._weighted = False
        self._known = True
        self._weights: Floats = np.zeros((classes, BINS))
        self._scores: Floats = np.zeros((classes, BINS))
        self._having: Floats = np.zeros((classes, BINS))

    def add(self, actual: NDArray[np.intp], scores: Floats, weights: NDArray[Any] | None = None) -> None:
        """Take in the actual classes of a batch as positions, (m,), and the scores in [0, 1] of all, (m, K).

        After a score that is NaN nothing is known.
        """
        self._weighted |= weights is not None
        each, actual, scores = with_weight(weights, actual, scores)
        self._known = self._known and not np.isnan(scores).any()
        if not self._known:
            return
        cells = np.searchsorted(_EDGES, scores) + BINS * np.arange(self._classes)
        self._weights += self._sums(cells, np.broadcast_to(each[:, np.newaxis], cells.shape))
        self._scores += self._sums(cells, each[:, np.newaxis] * scores)
        self._having += self._sums(cells[np.arange(len(actual)), actual], each)

    def _sums(self, cells: NDArray[np.intp], values: Floats) -> Floats:
        sums = np.bincount(cells.ravel(), values.ravel(), minlength=self._classes * BINS)
        return sums.reshape(self._classes, BINS).astype(np.float64, copy=False)

    def curves(self) -> list[dict[str, Any] | None]:
        """Of each class the bins that have rows, in ascending order; None where nothing is known.

        Plain JSON values: ``score``, the mean score of a bin's rows; ``share``, how many of them have the class; and
        ``count``, how many they are, or their weight.
        """
        return [self._curve(position) if self._known else None for position in range(self._classes)]

    def _curve(self, position: int) -> dict[str, Any] | None:
        weights = self._weights[position]
        some = weights > 0
        if not some.any():
            return None
        counts = weights[some]
        return {
            "score": (self._scores[position][some] / counts).tolist(),
            "share": (self._having[position][some] / counts).tolist(),
            "count": counts.tolist() if self._weighted else counts.astype(np.int64).tolist(),
        }
