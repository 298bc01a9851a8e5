"""The trivial model: what can be said of a row without looking at it.

A trained model is worth what it does better than this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Array
from backprop.coding.labels import Label
from backprop.coding.targets import Outcome, TargetCoding
from backprop.metrics.known import finite
from backprop.model import measured_blocks


@dataclass(frozen=True)
class TrivialModel:
    """A network whose outputs are for every row the means of the coded targets of the training rows.

    So it gives each class its share of the training rows as its score, and predicts the most frequent one; of numbers
    it predicts the mean.

    Attributes:
        targets: what the outputs stand for.
        outputs: (1, width) float64.
    """

    targets: TargetCoding
    outputs: NDArray[np.float64]

    @classmethod
    def of_training_rows(cls, targets: TargetCoding, Y: Array, weights: Array | None = None) -> TrivialModel:
        """The model that training rows give.

        Args:
            targets: what Y stands for.
            Y: (m, width), m ≥ 1, in memory or mapped from a file.
            weights: of the rows, (m,), likewise, of which some are positive; None if all count the same.
        """
        total, sums = 0.0, np.zeros(Y.shape[1])
        for block in measured_blocks(len(Y), Y.shape[1]):
            if weights is None:
                sums += Y[block].sum(axis=0, dtype=np.float64)
                total += len(Y[block])
            else:
                sums += np.asarray(weights[block], np.float64) @ Y[block]
                total += float(weights[block].sum(dtype=np.float64))
        return cls(targets, (sums / total)[np.newaxis])

    @property
    def prediction(self) -> Label | dict[str, Any]:
        """What it predicts for every row, as a model's prediction is: a label, or an object from column to value."""
        columns = {name: values.tolist()[0] for name, values in self.targets.decode(self.outputs).items()}
        if self.targets.class_scores(self.outputs) is not None:
            label: Label
            (label,) = columns.values()
            return label
        return {name: finite(value) if isinstance(value, float) else value for name, value in columns.items()}

    def metrics(self, Y: Array, weights: Array | None = None) -> dict[str, Any]:
        """How well that matches coded targets, see `TargetCoding.metrics`.

        Args:
            Y: (m, width), in memory or mapped from a file.
            weights: of the rows, (m,), likewise and not negative; None if all count the same.
        """
        return self.targets.metrics(self._measured(Y, weights))

    def _measured(self, Y: Array, weights: Array | None) -> Iterator[Outcome]:
        for block in measured_blocks(len(Y), Y.shape[1]):
            coded = Y[block]
            outputs = np.broadcast_to(self.outputs, coded.shape)
            yield Outcome(coded, outputs, None if weights is None else weights[block])
