"""Errors of predicted numbers: RMSE, MAE and R²."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.column_statistics import differs_by_rounding_only
from backprop.metrics.known import Floats, finite, quotients
from backprop.metrics.row_weights import with_weight


class NumberErrors:
    """Errors of n number columns. Where the actual value is NaN there is nothing to compare."""

    def __init__(self, columns: int) -> None:
        self._weight: Floats = np.zeros(columns)
        self._squares: Floats = np.zeros(columns)
        self._distances: Floats = np.zeros(columns)
        self._spread = _Spread(columns)

    def add(self, actual: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any] | None = None) -> None:
        """Take in a batch of actual and predicted values, (m, n) each, in the same units."""
        each, actual, predicted = with_weight(weights, actual, predicted)
        absent = np.isnan(actual)
        with np.errstate(over="ignore", invalid="ignore"):
            errors = np.abs(np.subtract(predicted, actual, dtype=np.float64))
            some_absent = bool(absent.any())
            if some_absent:
                errors[absent] = 0
            self._weight = self._weight + (each @ ~absent if some_absent else each.sum())
            self._distances = self._distances + each @ errors
            self._squares = self._squares + each @ np.square(errors, out=errors)
        self._spread.add(np.asarray(actual, np.float64), absent, each)

    @property
    def rmse(self) -> list[float | None]:
        """√(Σ w (ŷ − y)² / Σ w) a column; None before the first row, or where it is beyond double precision."""
        return [None if mean is None else mean**0.5 for mean in quotients(self._squares, self._weight)]

    @property
    def mae(self) -> list[float | None]:
        """Σ w |ŷ − y| / Σ w a column; None as `rmse` is."""
        return quotients(self._distances, self._weight)

    @property
    def r2(self) -> list[float | None]:
        """R² = 1 − Σ w (ŷ − y)² / Σ w (y − ȳ)² a column, ȳ weighted too; None where the actual values are all equal."""
        shares = quotients(self._squares, self._spread.squares)
        return [
            None if same or share is None else finite(1 - share)
            for same, share in zip(self._spread.constant, shares, strict=True)
        ]


class _Spread:
    """Weighted squares of the deviations from the mean, merged as `ColumnStatistics` merges them.

    Attributes:
        squares: (n,) float64, Σ w (y − ȳ)².
    """

    def __init__(self, columns: int) -> None:
        self._weight: Floats = np.zeros(columns)
        self._mean: Floats = np.zeros(columns)
        self._minimum: Floats = np.full(columns, np.inf)
        self._maximum: Floats = np.full(columns, -np.inf)
        self.squares: Floats = np.zeros(columns)

    def add(self, values: Floats, absent: NDArray[np.bool_], weights: Floats) -> None:
        """Take in values, (m, n), their weights, (m,) > 0, and which of them there are not."""
        if not len(values):
            return
        some_absent = bool(absent.any())
        present = ~absent if some_absent else True
        self._minimum = np.minimum(self._minimum, np.min(values, axis=0, where=present, initial=np.inf))
        self._maximum = np.maximum(self._maximum, np.max(values, axis=0, where=present, initial=-np.inf))
        with np.errstate(over="ignore", invalid="ignore"):
            weight = weights @ ~absent if some_absent else np.full(values.shape[1], weights.sum())
            some = np.where(weight > 0, weight, 1)
            mean = weights @ (np.where(absent, 0, values) if some_absent else values) / some
            deviations = values - mean
            if some_absent:
                deviations[absent] = 0
            total = self._weight + weight
            share = weight / np.where(total > 0, total, 1)
            difference = mean - self._mean
            self._mean = self._mean + difference * share
            squares = weights @ np.square(deviations, out=deviations)
            self.squares = self.squares + squares + np.square(difference) * (self._weight * share)
        self._weight = total

    @property
    def constant(self) -> list[bool]:
        """Which columns have held one value only, but for rounding, or none."""
        constant: list[bool] = differs_by_rounding_only(self._minimum, self._maximum).tolist()
        return constant
