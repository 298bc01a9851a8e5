"""The values of one input column, as people send them in or as a table has them, read as the model's values.

A value is read as one of its column in the file was: null is missing; where the file had cells of text, so are strings
such as ``12,5`` or ``n/a``. A category that was written like a number may come as one. What cannot be read is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Floats
from backprop.coding.inputs import CodedColumn
from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.resolved_jobs import CellRules
from domain.datasets.reading.delimited.cells import datetime_in, is_missing_word, number_in
from domain.jobs.new_batches import category_of

Array = NDArray[Any]

REPORTED_PROBLEMS = 20
"""Problems. No more of a request are listed, since what is wrong with one row is mostly wrong with all."""

_MISSING = "the value is missing, and this model takes none that are"


class _Objection(Exception):
    """A value cannot be used in its column; the text says why."""


class _Unknown(Exception):
    """A value is none of the categories of its column."""


class ColumnReading:
    """Reads the values of one column.

    Attributes:
        objections: rows whose value cannot be read, each with the reason, no more than are reported.
        unknown: rows whose category is not known and counts as missing.
    """

    def __init__(
        self, column: CodedColumn, may_miss: bool, cells: CellRules | None, unknown_categories: UnknownCategories
    ) -> None:
        self._column = column
        self._may_miss = may_miss
        self._cells = cells
        self._unknown_categories = unknown_categories
        self._read_one = self._reading()
        self.objections: list[tuple[int, str]] = []
        self.unknown: list[int] = []

    def read(self, values: Sequence[Any]) -> Array:
        """The values as an array of the column's type, with NaN or None where one is missing."""
        plain = self._plain(values)
        if plain is not None:
            return plain
        return self._array([self._one(row, value) for row, value in enumerate(values)])

    def read_once_each(self, values: Sequence[Any], places: Array) -> Array:
        """The same of rows that repeat some values.

        Args:
            values: different ones.
            places: of each row's value among them, (m,).
        """
        read = ColumnReading(self._column, self._may_miss, self._cells, self._unknown_categories)
        different = read.read(values)
        for place, reason in read.objections:
            self.objections += [(int(row), reason) for row in np.flatnonzero(places == place)[:REPORTED_PROBLEMS]]
        for place in read.unknown:
            self.unknown += np.flatnonzero(places == place).tolist()
        return different[places]

    def read_numbers(self, numbers: Array) -> Array:
        """The same of numbers that are all finite, or moments in seconds, where NaN is a missing one."""
        if not self._may_miss:
            absent = np.flatnonzero(np.isnan(numbers))[:REPORTED_PROBLEMS]
            self.objections += [(int(row), _MISSING) for row in absent]
        return numbers

    def _plain(self, values: Sequence[Any]) -> Array | None:
        """All values at once, if each is plainly what it should be; None where a closer look is needed."""
        if self._column.categories is not None:
            kinds = set(map(type, values))
            if self._may_miss:
                kinds.discard(type(None))
            if kinds <= {bool, str} and set(values) - {None} <= set(self._column.categories):
                return np.array(values, dtype=object)
            return None
        return None if self._column.moments is not None else plain_numbers(values, self._may_miss)

    def _array(self, values: list[Any]) -> Array:
        return np.array(values, dtype=np.float64 if self._column.categories is None else object)

    def _reading(self) -> Callable[[Any], Any]:
        if self._column.categories is not None:
            return self._category
        return self._moment if self._column.moments is not None else self._number

    def _one(self, row: int, value: object) -> object:
        if len(self.objections) == REPORTED_PROBLEMS:
            return None
        try:
            if not self._is_missing(value):
                return self._read_one(value)
            if not self._may_miss:
                self.objections.append((row, _MISSING))
        except _Unknown:
            self.unknown.append(row)
        except _Objection as objection:
            self.objections.append((row, str(objection)))
        return None

    def _is_missing(self, value: object) -> bool:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return True
        return isinstance(value, str) and self._cells is not None and self._is_missing_word(value, self._cells)

    def _is_missing_word(self, text: str, cells: CellRules) -> bool:
        categories = self._column.categories
        if categories is not None and text in categories:
            return False
        return is_missing_word(text, among_numbers=categories is None, given=cells.missing_values)

    def _number(self, value: object) -> float:
        if isinstance(value, str) and self._cells is not None:
            number = number_in(value, self._cells.decimal)
            if number is None:
                raise _Objection(f"{shown(value)} is not a number")
            value = number
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Objection(f"{shown(value)} is not a number")
        try:
            number = float(value)
        except OverflowError:
            raise _Objection("the number is too large for double precision") from None
        if not math.isfinite(number):
            raise _Objection(f"{value} is not a finite number")
        return number

    def _moment(self, value: object) -> float:
        times_of_day = self._column.moments == "time_of_day"
        moment = datetime_in(value, times_of_day) if isinstance(value, str) else None
        if moment is None:
            kind = "a time such as 12:30" if times_of_day else "a date or time in ISO 8601, such as 2026-01-31T12:30"
            raise _Objection(f"{shown(value)} is not {kind}")
        return moment

    def _category(self, value: object) -> bool | str:
        categories = self._column.categories
        assert categories is not None  # noqa: S101  # who reads a category has looked
        if not isinstance(value, bool | int | float | str):
            raise _Objection(f"{shown(value)} is not a category")
        found = _category_among(value, categories, self._cells is not None)
        if found is not None:
            return found
        if self._unknown_categories == "as_missing" and self._may_miss:
            raise _Unknown
        known = ", ".join(map(shown, categories[:10])) + (", …" if len(categories) > 10 else "")
        raise _Objection(f"{shown(value)} is not one of the values seen in training: {known}")


def plain_numbers(values: Sequence[Any], may_miss: bool) -> Floats | None:
    """Values that are each plainly a finite number, (m,), NaN where one is missing; None where a closer look is needed.

    Args:
        values: any of JSON.
        may_miss: whether None stands for a missing one.
    """
    kinds = set(map(type, values))
    absent = values.count(None) if may_miss and type(None) in kinds else 0
    if not kinds <= ({int, float, type(None)} if absent else {int, float}):
        return None
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:
        return None
    return numbers if np.count_nonzero(~np.isfinite(numbers)) == absent else None


def _category_among(
    value: bool | int | float | str,  # each is another type of JSON's
    categories: tuple[bool, ...] | tuple[str, ...],
    as_cells: bool,
) -> bool | str | None:
    """The category that a value is, or was written like; None if there is none.

    Text counts as a cell of a file if `as_cells` says so: then ``true`` is a boolean.
    """
    texts = tuple(category for category in categories if isinstance(category, str))
    if isinstance(value, str):
        if value in texts:
            return value
        return {"true": True, "false": False}.get(value.strip().lower()) if as_cells and not texts else None
    if texts:
        return category_of(value, texts)
    return value if isinstance(value, bool) and value in categories else None


def shown(value: object) -> str:
    """A value of JSON as a message shows it: short, and without what could not be encoded."""
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
