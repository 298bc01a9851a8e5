"""Dealing rows to folds: each fold is left out of the training once, and measured then."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def fold_of_rows(Y: Array, folds: int, seed: int, *, classes: bool) -> NDArray[np.intp]:
    """Deal rows to folds of nearly equal size; where the targets are classes, each fold gets its share of every class.

    The recipe, for whoever wants to repeat it: with ``order = numpy.random.default_rng(seed).permutation(m)``, for
    classes sorted by class (and in that order within a class), row ``order[i]`` belongs to fold ``i % folds``.

    Args:
        Y: (m, outputs) coded targets.
        folds: how many, at least 2 and at most m.
        seed: of the generator.
        classes: whether Y codes classes: one unit each, or one unit for two.

    Returns:
        (m,), each from 0 to folds − 1.
    """
    order = np.random.default_rng(seed).permutation(len(Y))
    if classes:
        order = order[np.argsort(_class_of_rows(Y)[order], kind="stable")]
    fold: NDArray[np.intp] = np.empty(len(Y), np.intp)
    fold[order] = np.arange(len(Y)) % folds
    return fold


def _class_of_rows(Y: Array) -> NDArray[np.intp]:
    classes: NDArray[np.intp] = Y.argmax(axis=1) if Y.shape[1] > 1 else (Y[:, 0] > Y.mean()).astype(np.intp)
    return classes
