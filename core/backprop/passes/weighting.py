"""How much each example counts in J."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


def of_mean_one(weights: Array, m: int, dtype: DTypeLike) -> Array:
    """The weights divided by their mean, (m,), of that dtype.

    With these, (1/m) Σ w J(W,b;x,y) is (1/Σw) Σ w J(W,b;x,y) with the weights as they were given. For a mini-batch it
    is so on average, whatever weights its examples happen to have.

    Args:
        weights: (m,), of any number type, none negative and one positive at least.
        m: how many examples there are.
        dtype: that of the examples.

    Raises:
        ValueError: another shape, a weight that is negative or not finite, or none above 0.
    """
    weights = np.asarray(weights, np.float64)
    if weights.shape != (m,):
        raise ValueError(f"there should be a weight for each of the {m} examples, not {weights.shape}")
    largest = weights.max(initial=0.0)
    if not np.isfinite(largest) or weights.min(initial=0.0) < 0:
        raise ValueError("the weights of examples are finite numbers from 0 up")
    if largest == 0:
        raise ValueError("no example has a weight above 0")
    scaled: Array = weights / largest  # else the sum of very large ones might leave double precision
    scaled /= scaled.mean()
    return scaled if scaled.dtype == dtype else scaled.astype(dtype)
