"""A column's summary, gathered batch by batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from backprop_client.wire.columns import CATEGORY_LIMIT, Column, ColumnType

_TYPES: dict[pa.DataType, ColumnType] = {pa.int64(): "integer", pa.float64(): "number", pa.bool_(): "boolean"}


class NumberSummary:
    """Count, range, mean and sum of squared deviations of numbers that come in batches.

    Batches are merged by Chan, Golub and LeVeque's update, which loses no digits where the mean is large against the
    deviation. A batch whose squares exceed float64's range is taken again in extended precision.
    """

    def __init__(self) -> None:
        self.count = 0
        self.minimum = math.inf
        self.maximum = -math.inf
        self._mean = np.longdouble(0)
        self._squares = np.longdouble(0)

    def add(self, values: NDArray[Any]) -> None:
        """Take in one batch of finite numbers, shape (rows,)."""
        if not values.size:
            return
        mean, squares = _mean_and_squares(values.astype(np.float64, copy=False))
        merged = self.count + values.size
        shift = mean - self._mean
        self._mean += shift * values.size / merged
        self._squares += squares + shift * shift * self.count * values.size / merged
        self.count = merged
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))

    @property
    def mean(self) -> float:
        """The mean of all numbers so far."""
        return float(self._mean)

    @property
    def standard_deviation(self) -> float:
        """The population standard deviation (divisor m) of all numbers so far."""
        return float(np.sqrt(self._squares / self.count))


class ColumnSummary:
    """Gathers what a `Column` says of one column."""

    def __init__(self, name: str, arrow_type: pa.DataType) -> None:
        """Begin with no rows.

        Args:
            name: the column's.
            arrow_type: int64, float64, bool or string.
        """
        self._name = name
        self._arrow_type = arrow_type
        self._missing = 0
        self._moments = NumberSummary()
        self._is_numeric = arrow_type in (pa.int64(), pa.float64())
        self._counts_categories = arrow_type != pa.float64()
        self._categories: set[Any] = set()

    def add(self, column: pa.Array) -> None:
        """Take in the column's part of one batch."""
        self._missing += column.null_count
        if self._is_numeric:
            self._moments.add(column.drop_null().to_numpy(zero_copy_only=False))
        if self._counts_categories:
            self._categories.update(compute.unique(column.drop_null()).to_pylist())
            if len(self._categories) > CATEGORY_LIMIT:
                self._counts_categories = False
                self._categories = set()

    def column(self) -> Column:
        """The summary of everything taken in."""
        moments = self._moments if self._moments.count else None
        return Column(
            name=self._name,
            type=self._type(),
            missing=self._missing,
            minimum=moments and moments.minimum,
            maximum=moments and moments.maximum,
            mean=moments and moments.mean,
            standard_deviation=moments and moments.standard_deviation,
            categories=tuple(sorted(self._categories)) if self._counts_categories else None,
        )

    def _type(self) -> ColumnType:
        if self._arrow_type == pa.string():
            return "category" if self._counts_categories else "text"
        return _TYPES[self._arrow_type]


def _mean_and_squares(values: NDArray[np.float64]) -> tuple[np.longdouble, np.longdouble]:
    with np.errstate(over="ignore", invalid="ignore"):
        mean = values.mean()
        deviations = values - mean
        squares = np.dot(deviations, deviations)
    if np.isfinite(squares):
        return np.longdouble(mean), np.longdouble(squares)
    extended = values.astype(np.longdouble)
    return extended.mean(), ((extended - extended.mean()) ** 2).sum()
