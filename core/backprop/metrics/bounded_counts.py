"""How much weight each different value has, of any number of values and in bounded memory.

Up to a given number of different values all of them are kept, so that what depends on their order is exact. Beyond that
each counts as its leading binary digits, as many of them as leave no more than that number different. How many are left
depends on the values only, and not on their order or on the batches that they came in: to round in steps is to round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRACTION_BITS = 52
"""Binary digits of a double after its first one."""

MOST_VALUES = 2**21
"""Values. A column has no more different ones: two million rows are ranked exactly."""

MOST_VALUES_OF_ALL = 2**22
"""Values. All columns together have no more different ones, so that a hundred classes take no more memory than two.
With two weights each they take 96 MiB, and while a batch is merged three times as much."""


def values_of_each(columns: int) -> int:
    """How many different values each of so many columns may have."""
    return min(MOST_VALUES, MOST_VALUES_OF_ALL // columns)


def leading_digits(values: Floats, digits: int) -> Floats:
    """Values ≥ 0, (m,), cut off after the first significant binary digit and `digits` more.

    The first digit of a value below 2⁻¹⁰²² is the one that a value of 2⁻¹⁰²² has.
    """
    mask = np.uint64(2**64 - 2 ** (FRACTION_BITS - digits))
    return (np.ascontiguousarray(values).view(np.uint64) & mask).view(np.float64)


def digits_from_both_ends(scores: Floats, digits: int) -> Floats:
    """Scores in [0, 1], (m,), cut off as `leading_digits` cuts them; above ½ it is 1 − score that is cut off.

    So those near 1 are told apart as well as those near 0. The order of two scores never turns round.
    """
    low = scores <= 0.5
    distance = leading_digits(np.where(low, scores, 1 - scores), digits)
    return np.where(low, distance, 1 - distance)


class BoundedCounts:
    """Different values in ascending order, and the weights that each has.

    Args:
        most: how many different values are kept. Doubles that are not negative have 2,047 different first digits, their
            places and 0 included, so fewer than that may not be possible.
        kinds: how many weights a value has.
        cut: rounds values to so many binary digits after the first.

    Attributes:
        values: (n,) float64, ascending.
        weights: (kinds, n) float64, of each value the sum.
        digits: how many binary digits after the first the values have been cut to; `FRACTION_BITS` if they are exact.
    """

    def __init__(self, most: int, kinds: int, cut: Callable[[Floats, int], Floats] = leading_digits) -> None:
        self._most = most
        self._cut = cut
        self.values: Floats = np.empty(0)
        self.weights: Floats = np.empty((kinds, 0))
        self.digits = FRACTION_BITS

    def add(self, *kinds: tuple[Floats, Floats | None]) -> None:
        """Take in values without NaN, (m,), and their weights, (m,) or None if each counts 1, of every kind."""
        added = [_different(self._rounded(values), weights) for values, weights in kinds]
        values, places = _merged([self.values, *(own for own, _ in added)])
        weights = np.zeros((len(kinds), len(values)))
        weights[:, places[0]] = self.weights
        for kind, (_, sums) in enumerate(added):
            weights[kind, places[kind + 1]] += sums
        self.values, self.weights = values, weights
        if len(values) > self._most:
            self._cut_to_fit()

    def _rounded(self, values: Floats) -> Floats:
        return values if self.digits == FRACTION_BITS else self._cut(values, self.digits)

    def _cut_to_fit(self) -> None:
        self.digits = self._digits_that_fit()
        values = self._rounded(self.values)  # they are still ascending
        first = _first_of_equals(values)
        self.values, self.weights = values[first], np.add.reduceat(self.weights, first, axis=1)

    def _digits_that_fit(self) -> int:
        """The most digits that leave no more different values than are wanted, or none."""
        fewest, most = 0, self.digits - 1
        while fewest < most:
            digits = (fewest + most + 1) // 2
            if len(_first_of_equals(self._cut(self.values, digits))) <= self._most:
                fewest = digits
            else:
                most = digits - 1
        return fewest


def _different(values: Floats, weights: Floats | None) -> tuple[Floats, NDArray[Any]]:
    """The different values in ascending order, and the weight of each."""
    if weights is None:
        values = np.sort(values)
        first = _first_of_equals(values)
        return values[first], np.diff(first, append=len(values))
    order = np.argsort(values)
    values = values[order]
    first = _first_of_equals(values)
    return values[first], np.add.reduceat(weights[order], first)


def _merged(runs: list[Floats]) -> tuple[Floats, list[NDArray[np.intp]]]:
    """The different values of all runs, each of which is ascending, and where among them those of each run are."""
    values = np.concatenate(runs)
    order = np.argsort(values, kind="stable")  # which goes through sorted runs once
    values = values[order]
    first = _first_of_equals(values)
    places = np.empty(len(values), np.intp)
    places[order] = np.repeat(np.arange(len(first)), np.diff(first, append=len(values)))
    return values[first], np.split(places, np.cumsum([len(run) for run in runs[:-1]]))


def _first_of_equals(values: Floats) -> NDArray[np.intp]:
    """Where, among ascending values, each different one begins."""
    new = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return np.flatnonzero(new)
