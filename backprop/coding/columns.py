"""Rows of a table as a batch of columns.

A batch is a mapping from column name to a one-dimensional array, without missing values: int64 or float64 for numbers,
bool for booleans, object (str) for categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Batch = Mapping[str, Array]


def number_matrix(batch: Batch, names: Sequence[str], rows: int) -> Floats:
    """The named columns of a batch side by side, (rows, n) float64 (column-major, as the columns came)."""
    matrix = np.empty((len(names), rows))
    for index, name in enumerate(names):
        matrix[index] = batch[name]
    return matrix.T


def batch_rows(batch: Batch) -> int:
    """How many rows a batch has; 0 when it has no columns."""
    return len(next(iter(batch.values()), ()))
