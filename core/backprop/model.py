"""A trained model: a network, its weights, and the coding that gives them a meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from backprop.coding.coding import Coding
from backprop.coding.columns import Array, Batch, batch_rows
from backprop.coding.targets import ClassScores, Outcome
from backprop.forward import BLOCK_ROWS, ForwardPropagation
from backprop.network import Network, Parameters, predict

PREDICTED_BYTES = 32 * 2**20
"""Bytes. A block of coded rows that are predicted at once has this size. Each value counts as 8."""

MEASURED_BYTES = 8 * 2**20
"""Bytes. A block of coded rows and targets that are measured at once has this size. Each value counts as 8."""


class StoredModel(NamedTuple):
    """A trained model as it is kept.

    Attributes:
        network: plain JSON values, see `Network.to_json`.
        coding: plain JSON values, see `Coding.to_json`.
        weights: W1, b1, W2, b2, …, see `Parameters.to_arrays`.
    """

    network: dict[str, Any]
    coding: dict[str, Any]
    weights: dict[str, Array]


class PredictedRows(NamedTuple):
    """What a model says about some rows.

    Values are not finite where the network overflows.

    Attributes:
        first_row: the first one's place in the batch, from 0.
        outputs: h(x), (m, outputs), of the parameters' dtype.
        columns: the outputs decoded, (m,) each: the targets, or the inputs of a reconstruction.
        scores: the votes for each class; None unless the target holds classes.
    """

    first_row: int
    outputs: Array
    columns: dict[str, Array]
    scores: ClassScores | None


def measured_blocks(rows: int, width: int) -> Iterator[slice]:
    """Rows of so many values each, cut into the blocks that are measured at once."""
    at_once = max(1, MEASURED_BYTES // (8 * width))
    for start in range(0, rows, at_once):
        yield slice(start, start + at_once)


@dataclass(frozen=True)
class TrainedModel:
    """A network with its weights and coding; it never changes.

    Attributes:
        parameters: the weights and biases, with the network they belong to.
        coding: of the columns that it was trained on.

    Raises:
        ValueError: the coding has other numbers of units than the network.
    """

    parameters: Parameters
    coding: Coding

    def __post_init__(self) -> None:
        network = self.parameters.network
        if (self.coding.inputs.width, self.coding.targets.width) != (network.inputs, network.outputs):
            raise ValueError("the coding does not fit the network")

    def __reduce__(self) -> tuple[type[TrainedModel], tuple[Parameters, Coding]]:
        """For pickle, which need not have what is made when it is first asked for."""
        return TrainedModel, (self.parameters, self.coding)

    @cached_property
    def forward(self) -> ForwardPropagation:
        """The network as predictions compute it, with a copy of the weights that is made when it is first asked for."""
        return ForwardPropagation(self.parameters)

    def multiplications(self, rows: float) -> float:
        """How many multiplications it takes to predict for so many rows. Few rows take as many as a block of them."""
        return max(rows, BLOCK_ROWS) * self.parameters.vector.size

    def predict(self, batch: Batch) -> Iterator[PredictedRows]:
        """What the model says about the rows of a batch, block by block and in order.

        A row gets the same bits in every batch, as `ForwardPropagation` says.

        Args:
            batch: all input columns; others are ignored.

        Raises:
            ValueError: a category is not among the known ones.
        """
        rows = max(1, PREDICTED_BYTES // (8 * self.coding.inputs.width))
        starts = range(0, batch_rows(batch), rows)
        for start in starts:
            cut = {name: values[start : start + rows] for name, values in batch.items()} if len(starts) > 1 else batch
            yield self._predicted(cut, start)

    def _predicted(self, block: Batch, first_row: int) -> PredictedRows:
        with np.errstate(over="ignore", invalid="ignore"):
            X = self.coding.inputs.encode(block, self.parameters.vector.dtype)
            outputs = self.forward.outputs(X)
            targets = self.coding.targets
            return PredictedRows(first_row, outputs, targets.decode(outputs), targets.class_scores(outputs))

    def metrics(self, X: Array, Y: Array, weights: Array | None = None) -> dict[str, Any]:
        """How well the outputs for coded rows match their coded targets, see `TargetCoding.metrics`.

        Args:
            X: (m, inputs), in memory or mapped from a file.
            Y: (m, outputs), likewise.
            weights: of the rows, (m,), likewise and not negative; None if all count the same.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self.coding.targets.metrics(self._measured(X, Y, weights))

    def _measured(self, X: Array, Y: Array, weights: Array | None) -> Iterator[Outcome]:
        for block in measured_blocks(len(X), X.shape[1] + Y.shape[1]):
            outputs = predict(self.parameters, X[block])
            yield Outcome(Y[block], outputs, None if weights is None else weights[block])

    def to_stored(self) -> StoredModel:
        """Its stored form, from which `from_stored` makes a model of the same bits."""
        return StoredModel(self.parameters.network.to_json(), self.coding.to_json(), self.parameters.to_arrays())

    @classmethod
    def from_stored(
        cls, network: Mapping[str, Any], coding: Mapping[str, Any], weights: Mapping[str, Array]
    ) -> TrainedModel:
        """The model whose `to_stored` gave these, also after a trip through JSON text.

        Raises:
            ValueError: the parts do not belong together, or one is not what it should be.
        """
        return cls(Parameters.from_arrays(Network.from_json(network), weights), Coding.from_json(coding))
