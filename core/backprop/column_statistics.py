"""Mean, standard deviation and range of columns, gathered batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


ROUNDING = 2.0**-44
"""Relative. Values that differ by no more than so much of the largest of them are the same but for rounding: a
computation of some hundred steps in double precision can leave as much, and no measurement is that exact."""


def differs_by_rounding_only(minimum: Floats | float, maximum: Floats | float) -> NDArray[np.bool_]:
    """Whether values between these bounds, (n,) each, are the same but for rounding; so they are if there are none."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.subtract(maximum, minimum)
        return np.asarray(~(spread > ROUNDING * np.maximum(np.abs(minimum), np.abs(maximum))), dtype=np.bool_)


class ColumnStatistics:
    """Running weight, mean, sum of squared deviations, minimum and maximum of n columns. NaN stands for no value.

    A row that weighs 2 counts as two rows, and one that weighs 0 as none.

    Batches are merged by the formula of Chan, Golub and LeVeque (1979), which loses no digits where Σx² − m·mean²
    would. The result depends on the order and sizes of the batches by rounding only.

    Attributes:
        weight: (n,) float64, what the values added so far weigh together: how many they are, unless rows have weights.
        mean: (n,) float64, 0 before the first value.
        minimum: (n,) float64, +inf before the first value.
        maximum: (n,) float64, −inf before the first value.
        squares: (n,) float64, Σ w (x − mean)².
    """

    def __init__(self, columns: int) -> None:
        self.weight: Floats = np.zeros(columns)
        self.mean: Floats = np.zeros(columns)
        self.squares: Floats = np.zeros(columns)
        self.minimum: Floats = np.full(columns, np.inf)
        self.maximum: Floats = np.full(columns, -np.inf)

    def add(self, values: NDArray[Any], weights: Floats | None = None) -> None:
        """Take in a batch, (k, n), of any k ≥ 0 and any number type; overflow gives inf, not a warning.

        Args:
            values: the batch.
            weights: how much each row counts, (k,), from 0 up; None for 1 each.
        """
        if weights is not None:
            some_weight = weights > 0
            values, weights = values[some_weight], weights[some_weight, np.newaxis]
        if len(values) == 0:
            return
        values = np.asarray(values, np.float64)
        absent = np.isnan(values)
        # The sums of all columns at once where no value is absent: most batches are so, and it takes half the time.
        present: NDArray[np.bool_] | bool = ~absent if absent.any() else True
        weight: Floats = np.sum(~absent if weights is None else ~absent * weights, axis=0, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.sum(_weighed(values, weights), axis=0, dtype=np.float64, where=present) / _some(weight)
            squares = np.sum(_weighed(np.square(values - mean), weights), axis=0, where=present)
            total = self.weight + weight
            share = weight / _some(total)
            difference = mean - self.mean
            self.mean = self.mean + difference * share
            self.squares = self.squares + squares + np.square(difference) * (self.weight * share)
        self.weight = total
        self.minimum = np.minimum(self.minimum, np.min(values, axis=0, where=present, initial=np.inf))
        self.maximum = np.maximum(self.maximum, np.max(values, axis=0, where=present, initial=-np.inf))

    @property
    def standard_deviation(self) -> Floats:
        """The population form, √(Σ w (x − mean)² / Σ w), of shape (n,); 0 before the first value."""
        return np.sqrt(self.squares / _some(self.weight))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which columns, (n,), have held one value only, but for rounding, or none."""
        return differs_by_rounding_only(self.minimum, self.maximum)


def _weighed(values: Floats, weights: Floats | None) -> Floats:
    return values if weights is None else values * weights


def _some(weight: Floats) -> Floats:
    """The weights to divide by: 1 where there is none."""
    return np.where(weight > 0, weight, 1.0)
