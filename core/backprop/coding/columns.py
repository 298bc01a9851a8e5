"""Rows of a table as a batch of columns.

A batch is a mapping from column name to a one-dimensional array, without missing values: int64 or float64 for numbers,
bool for booleans, object (str) for categories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.network import Network

Array = NDArray[Any]
Floats = NDArray[np.float64]
Batch = Mapping[str, Array]

BATCH_BYTES = 16 * 2**20
"""Bytes. A batch of rows has this size, raw or coded, whichever is wider. Each value counts as 8."""


class NumberTable(Mapping[str, Array]):
    """A batch of number columns that came as one array, and are wanted as one.

    Attributes:
        names: the columns', n of them.
        numbers: (rows, n) float64, in any memory order.
        has_all: whether it is known that no value is missing (NaN).
    """

    def __init__(self, names: tuple[str, ...], numbers: Floats, has_all: bool = False) -> None:
        self.names = names
        self.numbers = numbers
        self.has_all = has_all

    def __getitem__(self, name: str) -> Array:
        """One column, (rows,)."""
        try:
            return self.numbers[:, self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self.names)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self.names)


def number_matrix(batch: Batch, names: tuple[str, ...], rows: int) -> Floats:
    """The named columns of a batch side by side, (rows, n) float64, in the memory order in which they came.

    It may be the batch's own array: nobody writes into it.
    """
    if isinstance(batch, NumberTable) and batch.names == names:
        return batch.numbers
    matrix = np.empty((len(names), rows))
    for index, name in enumerate(names):
        matrix[index] = batch[name]
    return matrix.T


def batch_rows(batch: Batch) -> int:
    """How many rows a batch has; 0 when it has no columns."""
    return len(batch.numbers) if isinstance(batch, NumberTable) else len(next(iter(batch.values()), ()))


def rows_of_a_batch(columns: int, network: Network) -> int:
    """How many rows a coding is learned from and applied to at a time; the last bits of what is learned depend on it.

    Args:
        columns: of the table, that the examples and their weights are made of.
        network: that they are coded for.
    """
    return max(1, BATCH_BYTES // (8 * max(columns, network.inputs + network.outputs)))
