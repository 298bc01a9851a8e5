"""Weights of rows, as scikit-learn's `sample_weight` has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def with_weight(weights: NDArray[Any] | None, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """The weights of the rows that have any, in float64, and these rows of each array.

    Args:
        weights: (m,), not negative; None if each row has the weight 1.
        arrays: m rows each.
    """
    if weights is None:
        return [np.ones(len(arrays[0])), *arrays]
    each = np.asarray(weights, np.float64)
    if each.all():
        return [each, *arrays]
    some = each != 0
    return [each[some], *(array[some] for array in arrays)]
