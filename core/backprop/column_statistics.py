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
    """Running count, mean, sum of squared deviations, minimum and maximum of n columns. NaN stands for no value.

    Batches are merged by the formula of Chan, Golub and LeVeque (1979), which loses no digits where Σx² − m·mean²
    would. The result depends on the order and sizes of the batches by rounding only.

    Attributes:
        count: (n,) int64, values added so far.
        mean: (n,) float64, 0 before the first value.
        minimum: (n,) float64, +inf before the first value.
        maximum: (n,) float64, −inf before the first value.
        squares: (n,) float64, Σ (x − mean)².
    """

    def __init__(self, columns: int) -> None:
        self.count: NDArray[np.int64] = np.zeros(columns, np.int64)
        self.mean: Floats = np.zeros(columns)
        self.squares: Floats = np.zeros(columns)
        self.minimum: Floats = np.full(columns, np.inf)
        self.maximum: Floats = np.full(columns, -np.inf)

    def add(self, values: NDArray[Any]) -> None:
        """Take in a batch, (k, n), of any k ≥ 0 and any number type; overflow gives inf, not a warning."""
        if len(values) == 0:
            return
        values = np.asarray(values, np.float64)
        absent = np.isnan(values)
        # The sums of all columns at once where no value is absent: most batches are so, and it takes half the time.
        present: NDArray[np.bool_] | bool = ~absent if absent.any() else True
        count = np.sum(~absent, axis=0)
        some = np.maximum(count, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.sum(values, axis=0, dtype=np.float64, where=present) / some
            squares = np.sum(np.square(values - mean), axis=0, where=present)
            total = self.count + count
            share = count / np.maximum(total, 1)
            difference = mean - self.mean
            self.mean = self.mean + difference * share
            self.squares = self.squares + squares + np.square(difference) * (self.count * share)
        self.count = total
        self.minimum = np.minimum(self.minimum, np.min(values, axis=0, where=present, initial=np.inf))
        self.maximum = np.maximum(self.maximum, np.max(values, axis=0, where=present, initial=-np.inf))

    @property
    def standard_deviation(self) -> Floats:
        """The population form, √(Σ (x − mean)² / m), of shape (n,); 0 before the first value."""
        return np.sqrt(self.squares / np.maximum(self.count, 1))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which columns, (n,), have held one value only, but for rounding, or none."""
        return differs_by_rounding_only(self.minimum, self.maximum)
