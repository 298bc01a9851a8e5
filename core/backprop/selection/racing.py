"""Which candidates go on to the next fold, and which one is the best in the end."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence

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


def best(candidates: Sequence[Deviances], folds: int, simple: Collection[int] = ()) -> int | None:
    """The candidate that is taken, of those that were tried on all folds.

    It is the one with the lowest mean deviance (the first of equal ones). But the best of the simple ones is taken
    instead if it is as good: if d, its deviance less the other's, has a mean over the folds of at most one standard
    error, mean(d) ≤ s(d)/√folds with s(d)² = Σ (d − mean(d))²/(folds − 1). Otherwise luck in how few rows were dealt
    would often take a network that learns their noise. (Breiman, Friedman, Olshen and Stone, Classification and
    Regression Trees, 1984, section 3.4.3; here it is the error of the difference.)

    None if no candidate has a finite mean.

    Args:
        candidates: the deviances of each.
        folds: how many there are.
        simple: which candidates are the simple ones, by position.
    """
    means = {
        position: mean_deviance(deviances) for position, deviances in enumerate(candidates) if len(deviances) == folds
    }
    finite = {position: mean for position, mean in means.items() if math.isfinite(mean)}
    lowest = min(finite, key=finite.__getitem__, default=None)
    simplest = min((position for position in finite if position in simple), key=finite.__getitem__, default=None)
    if lowest is None or simplest is None or not _is_as_good(candidates[simplest], candidates[lowest]):
        return lowest
    return simplest


def _is_as_good(deviances: Deviances, lowest: Deviances) -> bool:
    """Whether they are no further above the lowest, fold by fold, than one standard error."""
    if len(lowest) < 2:  # a single fold tells of no error
        return False
    differences = [one - other for one, other in zip(deviances, lowest, strict=True)]
    return statistics.fmean(differences) <= statistics.stdev(differences) / math.sqrt(len(differences))
