"""Mean, standard deviation and range of columns, gathered batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class ColumnStatistics:
    """Running count, mean, sum of squared deviations, minimum and maximum of n columns.

    Batches are merged by the formula of Chan, Golub and LeVeque (1979), which loses no digits where Σx² − m·mean²
    would. The result depends on the order and sizes of the batches by rounding only.

    Attributes:
        count: rows added so far.
        mean: (n,) float64.
        minimum: (n,) float64, +inf before the first row.
        maximum: (n,) float64, −inf before the first row.
        squares: (n,) float64, Σ (x − mean)².
    """

    def __init__(self, columns: int) -> None:
        self.count = 0
        self.mean: Floats = np.zeros(columns)
        self.squares: Floats = np.zeros(columns)
        self.minimum: Floats = np.full(columns, np.inf)
        self.maximum: Floats = np.full(columns, -np.inf)

    def add(self, values: NDArray[Any]) -> None:
        """Take in a batch, (k, n), of any k ≥ 0 and any number type; overflow gives inf, not a warning."""
        rows = len(values)
        if rows == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean = values.mean(axis=0, dtype=np.float64)
            squares = np.square(values - mean).sum(axis=0)
            total = self.count + rows
            difference = mean - self.mean
            self.mean = self.mean + difference * (rows / total)
            self.squares = self.squares + squares + np.square(difference) * (self.count * rows / total)
        self.count = total
        self.minimum = np.minimum(self.minimum, values.min(axis=0))
        self.maximum = np.maximum(self.maximum, values.max(axis=0))

    @property
    def standard_deviation(self) -> Floats:
        """The population form, √(Σ (x − mean)² / m), of shape (n,); 0 before the first row."""
        return np.sqrt(self.squares / max(self.count, 1))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which columns, (n,), have held one value only: exact, where a rounded deviation may not be 0."""
        return np.equal(self.minimum, self.maximum)
