"""All that is said of predicted classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics.confusion import LARGEST_MATRIX, ClassCounts
from backprop.metrics.known import Floats, of_classes
from backprop.metrics.probabilities import ProbabilityErrors
from backprop.metrics.ranking import Ranking
from backprop.metrics.reliability import Reliability


class ClassMetrics:
    """The metrics of K classes, which are told by their positions.

    Args:
        classes: K.
        probabilities: whether the scores of a row add up to 1, so that they can be taken for probabilities. If not, log
            loss and Brier score are not known.
    """

    def __init__(self, classes: int, *, probabilities: bool) -> None:
        few = classes <= LARGEST_MATRIX
        self._counts = ClassCounts(classes)
        self._ranking = Ranking(classes)
        self._probabilities = ProbabilityErrors(classes) if probabilities else None
        self._reliability = Reliability(classes) if few else None

    def add(
        self,
        actual: NDArray[np.intp],
        predicted: NDArray[np.intp],
        scores: Floats,
        weights: NDArray[Any] | None = None,
    ) -> None:
        """Take in a batch.

        Args:
            actual: the class of each row, (m,).
            predicted: the class that was predicted, (m,).
            scores: the scores of all classes, (m, K), in [0, 1]; nobody changes them any more.
            weights: of the rows, (m,), not negative.
        """
        self._counts.add(actual, predicted, weights)
        self._ranking.add(actual, scores, weights)
        if self._probabilities is not None:
            self._probabilities.add(actual, scores, weights)
        if self._reliability is not None:
            self._reliability.add(actual, scores, weights)

    def to_json(self, labels: list[Any]) -> dict[str, Any]:
        """Plain JSON values, with the labels of the classes; curves of as many classes as have a matrix."""
        counts, probabilities, reliability = self._counts, self._probabilities, self._reliability
        ranked = self._ranking.results()
        curves = [None if each.roc_curve is None else each.roc_curve.to_json() for each in ranked]
        matrix = counts.matrix
        return {
            "classes": labels,
            "accuracy": counts.accuracy,
            "balanced_accuracy": counts.balanced_accuracy,
            "matthews_correlation": counts.matthews_correlation,
            "log_loss": None if probabilities is None else probabilities.log_loss,
            "brier_score": None if probabilities is None else probabilities.brier_score,
            "precision": of_classes(counts.precision),
            "recall": of_classes(counts.recall),
            "f1": of_classes(counts.f1),
            "roc_auc": of_classes([each.roc_auc for each in ranked]),
            "average_precision": of_classes([each.average_precision for each in ranked]),
            "confusion_matrix": None if matrix is None else {"classes": labels, "counts": matrix},
            "roc_curve": None if reliability is None else {"by_class": curves},
            "reliability_curve": None if reliability is None else {"by_class": reliability.curves()},
        }
