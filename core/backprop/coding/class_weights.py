"""How much the rows of each class count where all classes are to count alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Floats


def balanced_weights(counts: NDArray[np.integer]) -> Floats:
    """M / (K′ n_k), m training rows being of K′ classes, n_k of them of class k; 1 for a class that no row is of.

    Args:
        counts: n_k, training rows of each class, (K,).

    Returns:
        The weight of each class, (K,).
    """
    present = counts > 0
    weights = np.ones(len(counts))
    weights[present] = counts.sum() / (np.count_nonzero(present) * counts[present])
    return weights
