"""Which rows are held out: kept out of training and of everything that is learned from the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def holdout_mask(rows: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Choose the rows that are kept out of training.

    The recipe, for whoever wants to repeat it: with ``held = round(fraction * rows)``, but at least 1 and at most
    ``rows - 1``, the held-out rows are ``numpy.random.default_rng(seed).permutation(rows)[:held]``. Training rows
    and held-out rows each keep the order of the file.

    Args:
        rows: m, at least 2 when the fraction is not 0.
        fraction: 0 ≤ fraction < 1.
        seed: of the generator.

    Returns:
        (m,) bool, True for a held-out row; none is when the fraction is 0.

    Raises:
        ValueError: the fraction is out of range, or there are too few rows to hold one out.
    """
    mask = np.zeros(rows, dtype=np.bool_)
    held = held_out_rows(rows, fraction)
    if held:
        mask[np.random.default_rng(seed).permutation(rows)[:held]] = True
    return mask


def held_out_rows(rows: int, fraction: float) -> int:
    """How many of the rows `holdout_mask` holds out. Raises ValueError as it does."""
    if not 0 <= fraction < 1:
        raise ValueError(f"the held-out fraction must be at least 0 and less than 1, not {fraction}")
    if fraction == 0:
        return 0
    if rows < 2:
        raise ValueError(f"holding rows out needs at least 2 rows, not {rows}")
    return min(max(1, round(fraction * rows)), rows - 1)
