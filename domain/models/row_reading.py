"""Rows as people send them in, read as a batch of the model's input columns.

A row is an object from column name to value, or an array. An object must have every input column, may have the other
columns of the dataset (people send rows of their own file; these values are not looked at), and may have nothing else.
An array has the values of the input columns in their order, or those of all columns of the dataset but the targets.

A value is read as one of its column in the file was: null is missing; where the file had cells of text, so are strings
such as ``12,5`` or ``n/a``. A category that was written like a number may come as one. What cannot be read is refused,
with row and column named. Messages count rows from 0, as paths do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.inputs import CodedColumn, InputCoding
from backprop_client.wire.models import UnknownCategories, UnknownCategory
from backprop_client.wire.specs import CellRules
from domain.datasets.names import composed
from domain.datasets.reading.delimited.cells import datetime_in, is_missing_word, number_in
from domain.jobs.new_batches import category_of
from infra.errors import FieldError, InvalidRequest

Array = NDArray[Any]
Row = Mapping[str, Any] | Sequence[Any]

REPORTED_PROBLEMS = 20
"""Problems. No more of a request are listed, since what is wrong with one row is mostly wrong with all."""


class ReadRows(NamedTuple):
    """Rows that have been read.

    Attributes:
        columns: the batch.
        unknown: the values that no training row had, and that count as missing; in the order of rows and columns.
    """

    columns: dict[str, Array]
    unknown: list[UnknownCategory]


class _Problem(NamedTuple):
    """What is wrong with a value: its row, the place of its column, and what to say."""

    row: int
    position: int
    told: FieldError


class _Objection(Exception):
    """A value cannot be used in its column; the text says why."""


class _Unknown(Exception):
    """A value is none of the categories of its column."""


@dataclass(frozen=True)
class RowReader:
    """Reads rows for one model.

    Attributes:
        inputs: how the model's input columns are coded.
        targets: the columns that the model predicts.
        table: the other columns of the dataset, in the order of its file.
        cells: how the cells of the dataset's file were read; None where it had no text.
    """

    inputs: InputCoding
    targets: tuple[str, ...]
    table: tuple[str, ...]
    cells: CellRules | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The input columns, in the order an array must have."""
        return tuple(column.name for column in self.inputs.coded_columns)

    def read(self, rows: Sequence[Row], unknown_categories: UnknownCategories) -> ReadRows:
        """The rows as a batch.

        Raises:
            InvalidRequest: rows that cannot be read (``invalid_rows``), each problem with its place, in the order of
                rows and columns and up to `REPORTED_PROBLEMS`.
        """
        problems = list(_first(self._problems_of_form(rows)))
        if problems:
            raise _refusal(problems)
        values = self._values_by_column([self._composed(row) for row in rows])
        batch: dict[str, Array] = {}
        wrong: list[_Problem] = []
        unknown: list[tuple[int, int]] = []
        for position, (column, of_column) in enumerate(zip(self.inputs.coded_columns, values, strict=True)):
            reading = _ColumnReading(column, self.inputs.missing == "impute", self.cells, unknown_categories)
            batch[column.name] = reading.read(of_column)
            unknown += [(row, position) for row in reading.unknown]
            wrong += [
                _Problem(row, position, _told(row, self._place(rows[row], position), column, reason))
                for row, reason in reading.objections
            ]
        if wrong:
            raise _refusal([problem.told for problem in sorted(wrong)[:REPORTED_PROBLEMS]])
        return ReadRows(
            batch, [UnknownCategory(row=row, column=self.columns[position]) for row, position in sorted(unknown)]
        )

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset((*self.table, *self.targets, *self.columns))

    def _composed(self, row: Row) -> Row:
        """The row with its names as the model spells them: an é is the same however it was typed."""
        if not isinstance(row, dict) or row.keys() <= self._known:
            return row
        return {self._spelled(name): value for name, value in row.items()}

    def _spelled(self, name: str) -> str:
        return self._spelling.get(composed(name), name)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        return {composed(name): name for name in self._known}

    def _problems_of_form(self, rows: Sequence[Row]) -> Iterator[FieldError]:
        """What is wrong with the rows before any value is looked at."""
        widths = (len(self.columns), len(self.table) or len(self.columns))
        needed = set(self.columns)
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                if not needed <= row.keys() <= self._known:
                    yield from self._problems_of_names(index, row)
            elif not isinstance(row, list):
                yield FieldError(f"/rows/{index}", f"Row {index} is neither an object nor an array.")
            elif len(row) not in widths:
                yield FieldError(
                    f"/rows/{index}",
                    f"Row {index} has {len(row)} values, and this model has {widths[0]} input columns"
                    + ("." if widths[0] == widths[1] else f", of {widths[1]} that its dataset has."),
                )

    def _problems_of_names(self, index: int, row: Mapping[str, Any]) -> Iterator[FieldError]:
        spelled = self._composed(row)
        assert isinstance(spelled, dict)  # noqa: S101  # as the row is
        for name in self.columns:
            if name not in spelled:
                yield FieldError(
                    f"/rows/{index}/{_pointer_token(name)}", f"Row {index} has no value for column {name!r}."
                )
        for name in spelled:
            if name not in self._known:
                yield FieldError(
                    f"/rows/{index}/{_pointer_token(name)}",
                    f"Row {index} has {_shown(name)}, which is no column of this model.",
                )

    def _values_by_column(self, rows: Sequence[Row]) -> Iterator[Sequence[Any]]:
        if all(type(row) is dict for row in rows):
            yield from ([row[name] for row in rows] for name in self.columns)  # type: ignore[call-overload]
            return
        yield from zip(*map(self._inputs, rows), strict=True)

    def _place(self, row: Row, position: int) -> str:
        """The key or position of an input column's value in a row."""
        if isinstance(row, dict):
            return _pointer_token(self.columns[position])
        return str(position if len(row) == len(self.columns) else self._places[position])

    def _inputs(self, row: Row) -> Sequence[Any]:
        """The values of the input columns, in their order."""
        if isinstance(row, Mapping):
            return [row[name] for name in self.columns]
        if len(row) == len(self.columns):
            return row
        return [row[place] for place in self._places]

    @cached_property
    def _places(self) -> list[int]:
        """Where the input columns are in the table."""
        place = {name: position for position, name in enumerate(self.table)}
        return [place[name] for name in self.columns]


class _ColumnReading:
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
        self.objections: list[tuple[int, str]] = []
        self.unknown: list[int] = []

    def read(self, values: Sequence[Any]) -> Array:
        """The values as an array of the column's type, with NaN or None where one is missing."""
        plain = self._plain(values)
        if plain is not None:
            return plain
        if self._column.categories is not None:
            return np.array(self._one_by_one(values, self._category), dtype=object)
        read = self._moment if self._column.moments is not None else self._number
        return np.array(self._one_by_one(values, read), dtype=np.float64)

    def _plain(self, values: Sequence[Any]) -> Array | None:
        """All values at once, if each is plainly what it should be; None where a closer look is needed."""
        kinds = set(map(type, values))
        if self._may_miss:
            kinds.discard(type(None))
        if self._column.categories is not None:
            if kinds <= {bool, str} and set(values) - {None} <= set(self._column.categories):
                return np.array(values, dtype=object)
            return None
        if self._column.moments is not None or not kinds <= {int, float}:
            return None
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError:
            return None
        absent = sum(value is None for value in values)
        return numbers if np.count_nonzero(~np.isfinite(numbers)) == absent else None

    def _one_by_one(self, values: Sequence[Any], read: Callable[[Any], Any]) -> list[Any]:
        return [self._one(row, value, read) for row, value in enumerate(values)]

    def _one(self, row: int, value: object, read: Callable[[Any], Any]) -> object:
        if len(self.objections) == REPORTED_PROBLEMS:
            return None
        try:
            if not self._is_missing(value):
                return read(value)
            if not self._may_miss:
                self.objections.append((row, "the value is missing, and this model takes none that are"))
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
                raise _Objection(f"{_shown(value)} is not a number")
            value = number
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Objection(f"{_shown(value)} is not a number")
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
            raise _Objection(f"{_shown(value)} is not {kind}")
        return moment

    def _category(self, value: object) -> bool | str:
        categories = self._column.categories
        assert categories is not None  # noqa: S101  # who reads a category has looked
        if not isinstance(value, bool | int | float | str):
            raise _Objection(f"{_shown(value)} is not a category")
        found = _category_among(value, categories, self._cells is not None)
        if found is not None:
            return found
        if self._unknown_categories == "as_missing" and self._may_miss:
            raise _Unknown
        known = ", ".join(map(_shown, categories[:10])) + (", …" if len(categories) > 10 else "")
        raise _Objection(f"{_shown(value)} is not one of the values seen in training: {known}")


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


def _first(problems: Iterator[FieldError]) -> Iterator[FieldError]:
    for problem, _ in zip(problems, range(REPORTED_PROBLEMS), strict=False):
        yield problem


def _refusal(problems: list[FieldError]) -> InvalidRequest:
    return InvalidRequest("invalid_rows", problems[0].message, tuple(problems))


def _told(row: int, place: str, column: CodedColumn, reason: str) -> FieldError:
    return FieldError(f"/rows/{row}/{place}", f"Row {row}, column {column.name!r}: {reason}.")


def _shown(value: object) -> str:
    """A value as a message shows it: short, and without what could not be encoded."""
    text = repr(value) if isinstance(value, str | bool | int | float) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}…"


def _pointer_token(name: str) -> str:
    """A key within a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1").encode(errors="backslashreplace").decode()
