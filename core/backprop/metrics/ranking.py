"""How well scores put the rows of a class before the others: ROC curve, the area under it, and average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics.bounded_counts import BoundedCounts, digits_from_both_ends, values_of_each
from backprop.metrics.known import Floats, finite
from backprop.metrics.row_buffer import RowBuffer
from backprop.metrics.row_weights import with_weight

MOST_STEPS = 100
"""Steps of a ROC curve."""

LEAST_STEPS = 10
"""Steps of a ROC curve, where there are many classes."""

STEPS_OF_ALL = 1000
"""Steps that the ROC curves of all classes have together, unless that leaves one fewer than `LEAST_STEPS`."""

ROUNDING = 1e-9
"""Of a rate. A point that lacks so little is there, so that the choice of points does not depend on rounding."""


@dataclass(frozen=True)
class RocCurve:
    """Points of a ROC curve, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: of the rows without the class, the share whose score is at least the threshold.
        true_positive_rate: of the rows with the class, likewise.
        threshold: descending; None for the first point, which no score reaches.
    """

    false_positive_rate: list[float]
    true_positive_rate: list[float]
    threshold: list[float | None]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "false_positive_rate": self.false_positive_rate,
            "true_positive_rate": self.true_positive_rate,
            "threshold": self.threshold,
        }


class Ranking:
    """The scores of each class among the rows that have it and among the others.

    Rows of equal score are one step of the curve, as in scikit-learn. A class may have `values_of_each` different
    scores; beyond that they are cut to fewer digits, and scores that are the same then are equal. That moves the area
    under the curve by no more than half the share of pairs, one row with the class and one without, that become equal.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._waiting = RowBuffer()
        most = values_of_each(classes)
        self._counts = [BoundedCounts(most, 2, digits_from_both_ends) for _ in range(classes)]
        self._weighted = False
        self._known = True

    def add(self, actual: NDArray[np.intp], scores: Floats, weights: NDArray[Any] | None = None) -> None:
        """Take in the actual classes of a batch as positions, (m,), and the scores in [0, 1] of all, (m, K).

        Rows of weight 0 count for nothing. After a score that is NaN nothing is known.
        """
        self._weighted |= weights is not None
        each, actual, scores = with_weight(weights, actual, scores)
        self._known = self._known and not np.isnan(scores).any()
        if self._known and self._waiting.add(scores, actual, each):
            self._count()

    def _count(self) -> None:
        waiting = self._waiting.take()
        if waiting is None:
            return
        scores, actual, weights = waiting
        for position, counts in enumerate(self._counts):
            of_class = actual == position
            counts.add(
                *((scores[rows, position], weights[rows] if self._weighted else None) for rows in (of_class, ~of_class))
            )

    def results(self) -> list[RankedClass]:
        """What there is to say of each class, of all rows so far."""
        if not self._known:
            return [UNKNOWN] * self._classes
        self._count()
        steps = min(MOST_STEPS, max(LEAST_STEPS, STEPS_OF_ALL // self._classes))
        return [_ranked(counts, steps) for counts in self._counts]


@dataclass(frozen=True)
class RankedClass:
    """How well one class is told from the rest.

    Attributes:
        roc_auc: the area under the ROC curve, by trapezoids; None where all rows have the class, or none has it.
        average_precision: Σ_n (R_n − R_{n−1}) P_n over the scores in descending order, with recall R_n and precision
            P_n of the rows whose score is at least the n-th; None where no row has the class.
        roc_curve: None as `roc_auc` is.
    """

    roc_auc: float | None
    average_precision: float | None
    roc_curve: RocCurve | None


UNKNOWN = RankedClass(None, None, None)


def _ranked(counts: BoundedCounts, steps: int) -> RankedClass:
    thresholds = counts.values[::-1]
    with_it, without = counts.weights[:, ::-1]
    true, false = np.cumsum(with_it), np.cumsum(without)
    if not len(true) or true[-1] == 0:
        return UNKNOWN
    precision = finite(float(with_it @ (true / (true + false)) / true[-1]))
    if false[-1] == 0:
        return RankedClass(None, precision, None)
    area = finite(float(without @ (true - with_it / 2) / true[-1] / false[-1]))
    return RankedClass(area, precision, _curve(true / true[-1], false / false[-1], thresholds, steps))


def _curve(true: Floats, false: Floats, thresholds: Floats, steps: int) -> RocCurve:
    """The first point that is j / steps of the way from (0, 0) to (1, 1), each j; a way is the mean of both rates.

    The curve between two neighbours is in the rectangle that they span.
    """
    way = (true + false) / 2
    chosen = np.unique([*np.searchsorted(way, np.arange(1, steps) / steps - ROUNDING), len(way) - 1])
    return RocCurve([0.0, *false[chosen].tolist()], [0.0, *true[chosen].tolist()], [None, *thresholds[chosen].tolist()])
