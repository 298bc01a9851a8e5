"""Rows on which an exported model is compared with the one that it was made of.

Some are of the dataset that the model was trained on, if it is still there. Some are made up of what the coding knows:
they have gaps and every category, which a sample of the dataset may lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Batch, batch_rows
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.model import TrainedModel
from domain.datasets.moments import FIRST_MOMENT, LAST_MOMENT
from domain.models.export.ports import inputs_of

Array = NDArray[Any]
Batches = Sequence[Batch]

MOST_ROWS = 1_000
"""Rows. No more of the dataset are compared."""

MADE_UP_ROWS = 64

MOST_VALUES = 2**23
"""Values. The rows that are compared have no more in any layer."""

MOST_WORK = 2 * 10**9
"""Multiplications of their predictions. They take less than a second on one core."""

_GAPS = 0.2
"""Share. So many of the made-up values are missing, where they may be."""


def rows_at_most(trained: TrainedModel) -> int:
    """How many rows of the dataset are compared."""
    network = trained.parameters.network
    return max(1, min(MOST_ROWS, MOST_VALUES // max(network.sizes), MOST_WORK // network.parameter_count))


def comparable(inputs: InputCoding, batch: Batch) -> dict[str, Array]:
    """The rows that a file can be asked about: a column of booleans without gaps in training can lack none in it.

    The dataset may have gaps there if the model's coding is that of an earlier one, which had none.
    """
    told = np.ones(batch_rows(batch), np.bool_)
    for port in inputs_of(inputs):
        if port.kind == "bool":
            told &= np.array([value is not None for value in batch[port.name].tolist()], np.bool_)
    return {port.name: batch[port.name][told] for port in inputs_of(inputs)}


def made_up_rows(inputs: InputCoding, rows: int, seed: int = 0) -> dict[str, Array]:
    """Rows near to those of the training, as the model takes them; the same for the same seed."""
    rng = np.random.default_rng(seed)
    scales = dict(zip(inputs.scaled_names, zip(inputs.means, inputs.scaler.scale, strict=True), strict=True))
    batch: dict[str, Array] = {}
    for column, port in zip(inputs.coded_columns, inputs_of(inputs), strict=True):
        if column.categories is not None:
            values = np.array(column.categories, dtype=object)[rng.integers(len(column.categories), size=rows)]
            missing: float | None = None
        else:
            values = _numbers(column, *scales[column.name], rng.uniform(-1, 1, rows))
            missing = np.nan
        if inputs.missing == "impute" and port.kind != "bool":
            values[rng.random(rows) < _GAPS] = missing
        batch[column.name] = values
    return batch


def _numbers(column: CodedColumn, mean: float, scale: float, places: Array) -> Array:
    numbers: Array = mean + scale * places
    if column.moments is None:
        return numbers
    return np.clip(numbers, FIRST_MOMENT / 1e6, LAST_MOMENT / 1e6)
