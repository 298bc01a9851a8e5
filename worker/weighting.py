"""What the rows of a training weigh, gathered while they are coded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Batch, batch_rows
from backprop.coding.labels import LabelTable
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import ClassWeight
from domain.jobs.weighting import rows_weights, weights_of_classes
from infra.errors import InvalidRequest

Floats = NDArray[np.float64]


class Weights(NamedTuple):
    """What rows weigh.

    Attributes:
        of_rows: as the column of weights has it, (m,) float64; None without one.
        in_cost: what they weigh in J: times the weight of their class, if classes have one; None if all weigh alike.
    """

    of_rows: Floats | None
    in_cost: Floats | None


class RowsToWeigh:
    """Gathers what the weights of rows depend on: their column, and their class.

    Args:
        job: the job.
        rows: how many there will be.
    """

    def __init__(self, job: ResolvedJob, rows: int) -> None:
        self._job = job
        self._rows = 0
        self._weights = None if job.weights is None else np.empty(rows)
        self._table = LabelTable(job.targets[0].classes or ()) if job.class_weight is not None else None
        self._classes: NDArray[Any] = np.empty(0 if self._table is None else rows, np.uint16)

    def append(self, batch: Batch) -> None:
        """Take in the next rows."""
        here = slice(self._rows, self._rows + batch_rows(batch))
        self._rows = here.stop
        if self._weights is not None:
            self._weights[here] = rows_weights(self._job, batch)
        if self._table is not None:
            self._classes[here] = self._table.codes(batch[self._job.targets[0].name])

    def weights_of_classes(self) -> Floats | None:
        """The weight of each class, these being the training rows, (K,); None if classes have none."""
        if self._table is None or self._job.class_weight is None:
            return None
        counts = np.bincount(self._classes, minlength=len(self._table.labels))
        return weights_of_classes(self._job.class_weight, counts)

    def weights(self, of_classes: Floats | None, which: str) -> Weights:
        """What the rows weigh, given the weight of each class; `which` rows they are, for people.

        Raises:
            InvalidRequest: no row weighs anything (code ``unusable_weights``).
        """
        in_cost = self._weights
        if of_classes is not None:
            in_cost = of_classes[self._classes]
            if self._weights is not None:
                in_cost *= self._weights
        if in_cost is not None and not in_cost.any():
            raise InvalidRequest(
                "unusable_weights", f"Every {which} row weighs 0. Hold other rows out, or give other weights."
            )
        return Weights(self._weights, in_cost)


def recorded(job: ResolvedJob, of_classes: Floats | None) -> tuple[ClassWeight, ...] | None:
    """The weights of the classes as the job shows them, if they depend on the rows."""
    if of_classes is None or job.class_weight != "balanced":
        return None
    labels = job.targets[0].classes or ()
    return tuple(ClassWeight(label=label, weight=w) for label, w in zip(labels, of_classes.tolist(), strict=True))
