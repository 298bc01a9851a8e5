"""Which rows are held out: kept out of training and of everything that is learned from the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 2**16
"""Rows. So many are looked at together for their classes, to need little memory beside their order."""


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


def stratified_mask(codes: NDArray[np.integer], classes: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Choose the rows that are kept out of training, of each class its share.

    The recipe: `held_out_of_classes` says how many rows of each class are held out. These are the first of that class
    in ``numpy.random.default_rng(seed).permutation(rows)``. Training rows and held-out rows each keep the order of the
    file.

    Besides the order and the mask, the memory does not grow with the rows.

    Args:
        codes: the class of each row as its position, (m,), of any integer type.
        classes: K, how many there are.
        fraction: 0 ≤ fraction < 1.
        seed: of the generator.

    Returns:
        (m,) bool, True for a held-out row; none is when the fraction is 0.

    Raises:
        ValueError: the fraction is out of range, or no class has two rows.
    """
    mask = np.zeros(len(codes), dtype=np.bool_)
    wanted = held_out_of_classes(np.bincount(codes, minlength=classes), fraction)
    if not wanted.any():
        return mask
    order = np.random.default_rng(seed).permutation(len(codes))
    for start in range(0, len(order), ROWS_AT_ONCE):
        some = order[start : start + ROWS_AT_ONCE]
        of_class = codes[some]
        mask[some[_rank_in_class(of_class, classes) < wanted[of_class]]] = True
        wanted = np.maximum(wanted - np.bincount(of_class, minlength=classes), 0)
        if not wanted.any():
            break
    return mask


def held_out_of_classes(counts: NDArray[np.integer], fraction: float) -> NDArray[np.int64]:
    """How many rows of each class `stratified_mask` holds out.

    H = `held_out_rows` of all m rows are wanted. Of n_k rows of class k, ⌊H n_k / m⌋ are held out. The rows that this
    leaves wanted come from the classes with the largest remainders H n_k mod m, of equal ones the first, one from each
    class that keeps a row to train on. So fewer than H are held out where many classes have one row only.

    Args:
        counts: n_k, (K,).
        fraction: 0 ≤ fraction < 1.

    Raises:
        ValueError: the fraction is out of range, or no class has two rows.
    """
    sizes: list[int] = counts.tolist()
    rows = sum(sizes)
    held = held_out_rows(rows, fraction)
    if held and max(sizes) < 2:
        raise ValueError("holding rows out needs a class with at least 2 rows, and every class has one only")
    shares = [held * size // rows if held else 0 for size in sizes]
    with_room = [k for k, size in enumerate(sizes) if shares[k] < size - 1]
    by_remainder = sorted(with_room, key=lambda k: -(held * sizes[k] % rows))
    for k in by_remainder[: held - sum(shares)]:
        shares[k] += 1
    return np.array(shares, np.int64)


def _rank_in_class(codes: NDArray[np.integer], classes: int) -> NDArray[np.intp]:
    """How many rows of the same class come before each row, (m,)."""
    grouped = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=classes)
    ranks = np.empty(len(codes), np.intp)
    ranks[grouped] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def held_out_rows(rows: int, fraction: float) -> int:
    """How many of the rows `holdout_mask` holds out. Raises ValueError as it does."""
    if not 0 <= fraction < 1:
        raise ValueError(f"the held-out fraction must be at least 0 and less than 1, not {fraction}")
    if fraction == 0:
        return 0
    if rows < 2:
        raise ValueError(f"holding rows out needs at least 2 rows, not {rows}")
    return min(max(1, round(fraction * rows)), rows - 1)
