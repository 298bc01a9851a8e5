"""A column's summary, gathered batch by batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from backprop.coding.periods import DAY_SECONDS, PERIODS, WEEK_SECONDS, Period, phase
from backprop_client.wire.columns import CATEGORY_LIMIT, Column, ColumnType, RowNames
from domain.datasets.moments import MOMENT, IsoForm, iso

_TYPES: dict[pa.DataType, ColumnType] = {
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.bool_(): "boolean",
    MOMENT: "datetime",
}

_MOST_EXACT = 2.0**53
"""Beyond it a float64 does not tell a whole number from the next."""

_FIRST_VALUES = 64
"""Values."""

_LENGTHS: dict[Period, int] = {"year": 365 * DAY_SECONDS, "week": WEEK_SECONDS, "day": DAY_SECONDS}
"""Seconds that moments must be apart to spread over a period. Leap days are no part of it."""


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


class _WholeNumbers:
    """Whether all floats of a column are whole, within ±2⁵³, and which they are."""

    def __init__(self) -> None:
        self.are_all = True
        self.distinct: set[int] | None = set()

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in a batch of finite numbers."""
        # Most floats are not, and the first ones tell.
        if not self.are_all or not _are_whole(values[:_FIRST_VALUES]) or not _are_whole(values):
            self.are_all = False
        elif self.distinct is not None:
            self.distinct.update(np.unique(values).astype(np.int64).tolist())
            if len(self.distinct) > CATEGORY_LIMIT:
                self.distinct = None


class _Counting:
    """Whether the numbers of a column count its rows, from 0 or from 1."""

    def __init__(self) -> None:
        self._holds = True
        self._next: int | None = None
        self._rows = 0

    def add(self, numbers: NDArray[Any], rows: int) -> None:
        """Take in the present numbers of a batch of so many rows."""
        if not self._holds or not rows:
            return
        if self._next is None:
            self._next = 1 if numbers.size and numbers[0] == 1 else 0
        # The first one tells of most columns that they do not.
        self._holds = bool(
            numbers.size == rows
            and numbers[0] == self._next
            and np.array_equal(numbers, np.arange(self._next, self._next + rows))
        )
        self._next += rows
        self._rows += rows

    @property
    def counts(self) -> bool:
        """Whether they do; a single row tells nothing."""
        return self._holds and self._rows >= 2


class _Moments:
    """Range of the moments of a column, and which periods they spread over."""

    def __init__(self) -> None:
        self._earliest: int | None = None
        self._latest: int | None = None
        self._are_midnights = True
        self._first_phase: dict[Period, float] = {}
        self._spread: set[Period] = set()

    def add(self, microseconds: NDArray[np.int64]) -> None:
        """Take in a batch of moments, in microseconds since 1970 UTC."""
        if not microseconds.size:
            return
        first, last = int(microseconds.min()), int(microseconds.max())
        self._earliest = first if self._earliest is None else min(self._earliest, first)
        self._latest = last if self._latest is None else max(self._latest, last)
        self._are_midnights = self._are_midnights and not (microseconds % (DAY_SECONDS * 1_000_000)).any()
        seconds = microseconds / 1e6
        for period in PERIODS.keys() - self._spread:
            phases = phase(period, seconds)
            if (phases != self._first_phase.setdefault(period, float(phases[0]))).any():
                self._spread.add(period)

    def described(self, times_of_day: bool) -> dict[str, Any]:
        """What a `Column` says of them."""
        periods = tuple(period for period in PERIODS if period in self._spread and self._spans(period, times_of_day))
        if self._earliest is None or self._latest is None:
            return {"times_of_day": times_of_day, "periods": periods}
        form: IsoForm = "time" if times_of_day else "date" if self._are_midnights else "moment"
        return {
            "earliest": iso(self._earliest, form),
            "latest": iso(self._latest, form),
            "times_of_day": times_of_day,
            "periods": periods,
        }

    def _spans(self, period: Period, times_of_day: bool) -> bool:
        if times_of_day:
            return period == "day"
        assert self._earliest is not None  # noqa: S101  # there are two phases
        assert self._latest is not None  # noqa: S101
        return self._latest - self._earliest >= _LENGTHS[period] * 1_000_000


class ColumnSummary:
    """Gathers what a `Column` says of one column."""

    def __init__(self, name: str, arrow_type: pa.DataType, told: ColumnType | None = None) -> None:
        """Begin with no rows.

        Args:
            name: the column's.
            arrow_type: a canonical type.
            told: the type that the client says it is.
        """
        self.name = name
        self._arrow_type = arrow_type
        self._told = told
        self._missing = 0
        self._numbers = NumberSummary()
        self._moments = _Moments()
        self._whole = _WholeNumbers()
        self._counting = _Counting()
        self._is_numeric = arrow_type in (pa.int64(), pa.float64())
        self._counts_categories = arrow_type in (pa.int64(), pa.bool_(), pa.string())
        self._categories: set[Any] = set()

    def add(self, column: pa.Array) -> None:
        """Take in the column's part of one batch."""
        self._missing += column.null_count
        present = column.drop_null()
        if self._is_numeric:
            numbers = present.to_numpy(zero_copy_only=False)
            self._numbers.add(numbers)
            self._counting.add(numbers, len(column))
            if self._arrow_type == pa.float64():
                self._whole.add(numbers)
        if self._arrow_type == MOMENT:
            self._moments.add(present.cast(pa.int64()).to_numpy(zero_copy_only=False))
        if self._counts_categories:
            self._categories.update(compute.unique(present).to_pylist())
            if len(self._categories) > CATEGORY_LIMIT:
                self._counts_categories = False
                self._categories = set()

    def column(self, times_of_day: bool = False, row_names: RowNames | None = None) -> Column:
        """The summary of everything taken in.

        Args:
            times_of_day: whether its moments have no date.
            row_names: why the file's format makes it names of rows.
        """
        numbers = self._numbers if self._numbers.count else None
        column_type = self._type()
        if row_names is None and column_type == "integer" and self._counting.counts:
            row_names = "counts"
        return Column(
            name=self.name,
            type=column_type,
            missing=self._missing,
            minimum=numbers and numbers.minimum,
            maximum=numbers and numbers.maximum,
            mean=numbers and numbers.mean,
            standard_deviation=numbers and numbers.standard_deviation,
            categories=self._distinct(column_type),
            row_names=row_names,
            **(self._moments.described(times_of_day) if column_type == "datetime" else {}),
        )

    def _type(self) -> ColumnType:
        if self._arrow_type == pa.string():
            return "category" if self._counts_categories else "text"
        if self._arrow_type == pa.float64() and self._told is None and self._numbers.count and self._whole.are_all:
            return "integer"
        return _TYPES[self._arrow_type]

    def _distinct(self, column_type: ColumnType) -> tuple[Any, ...] | None:
        if self._arrow_type == pa.float64():
            distinct = self._whole.distinct if column_type == "integer" else None
        else:
            distinct = self._categories if self._counts_categories else None
        return None if distinct is None else tuple(sorted(distinct))


def _are_whole(values: NDArray[np.float64]) -> bool:
    return bool((np.floor(values) == values).all() and (np.abs(values) <= _MOST_EXACT).all())


def _mean_and_squares(values: NDArray[np.float64]) -> tuple[np.longdouble, np.longdouble]:
    with np.errstate(over="ignore", invalid="ignore"):
        mean = values.mean()
        deviations = values - mean
        squares = np.dot(deviations, deviations)
    if np.isfinite(squares):
        return np.longdouble(mean), np.longdouble(squares)
    extended = values.astype(np.longdouble)
    return extended.mean(), ((extended - extended.mean()) ** 2).sum()
