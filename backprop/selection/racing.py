"""Which candidates go on to the next fold, and which one is the best in the end."""

from __future__ import annotations

import math
from collections.abc import Sequence

Deviances = Sequence[float]
"""A candidate's deviances, of one fold after another."""


def mean_deviance(deviances: Deviances) -> float:
    """The mean over the folds so far; infinite before the first, or where one is not finite."""
    if not deviances or not all(map(math.isfinite, deviances)):
        return math.inf
    return math.fsum(deviances) / len(deviances)


def still_in(candidates: Sequence[Deviances], folds_done: int) -> list[int]:
    """The candidates that are tried on the next fold, by position.

    A candidate is out once its mean deviance is above (1 + 1/(2·f)) times the lowest, f being the folds that are done:
    1.5 times after the first, 1.25 times after the second. So what is clearly worse costs little time, and what is
    close is told apart by all folds. Who is out has fewer deviances than there were folds, and does not come back.

    Args:
        candidates: the deviances of each.
        folds_done: how many folds those that are in have been tried on.
    """
    means = {
        position: mean_deviance(deviances)
        for position, deviances in enumerate(candidates)
        if len(deviances) == folds_done
    }
    if folds_done == 0:
        return list(means)
    limit = min(means.values(), default=math.inf) * (1 + 1 / (2 * folds_done))
    return [position for position, mean in means.items() if mean <= limit]


def best(candidates: Sequence[Deviances], folds: int) -> int | None:
    """The candidate with the lowest mean deviance among those that were tried on all folds; the first of equal ones.

    None if none of them has a finite one.
    """
    means = {
        position: mean_deviance(deviances) for position, deviances in enumerate(candidates) if len(deviances) == folds
    }
    finite = {position: mean for position, mean in means.items() if math.isfinite(mean)}
    return min(finite, key=finite.__getitem__, default=None)
