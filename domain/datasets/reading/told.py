"""What the client says of columns: which values are missing, and which types they are to be read as.

A value that does not fit the type of its column is refused with its place. What fits:

- `number` and `integer`: numbers, whole ones for an integer; strings that are numbers by the rules of CSV cells;
  ``true`` is 1, ``false`` 0.
- `boolean`: booleans, 0 and 1, and strings that are ``true``, ``false``, 0 or 1.
- `datetime`: moments; strings that are moments by the rules of CSV cells, all or none of them times of day.
- `category` and `text`: anything, as it is written. An integer is its decimal digits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import NoReturn

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.columns import ColumnType
from backprop_client.wire.datasets import Decimal
from domain.datasets.moments import MOMENT, iso
from domain.datasets.reading.delimited.cells import FALSE, TRUE, MomentForm, microseconds_in, number_in
from domain.datasets.reading.delimited.moments import are_moments, forms_of
from domain.datasets.reading.delimited.numbers import are_numbers, in_plain, plain_numbers
from domain.datasets.reading.delimited.readings import Cells
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import Table, refuse_cell, refuse_file

_ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "category": pa.string(),
    "text": pa.string(),
    "datetime": MOMENT,
}

_MOST_EXACT = 2.0**53


def as_told(table: Table, options: ReadingOptions) -> Table:
    """A table as the client wants it read.

    Raises:
        InvalidRequest: the client names a column that the table does not have (``unknown_column``); while the batches
            are read, a value is none of its column's type (``cell_not_of_type``).
    """
    if not options.types and not options.missing_values:
        return table
    unknown = options.types.keys() - set(table.schema.names)
    if unknown:
        raise refuse_file("unknown_column", f"`types` names {sorted(unknown)[0]!r}, and the file has no such column.")
    decimal = table.read_as.decimal or "."
    columns = [
        _ToldColumn(field.name, field.type, options.types.get(field.name), options.missing_values, decimal)
        for field in table.schema
    ]
    schema = pa.schema([(column.name, column.type) for column in columns])
    return replace(table, schema=schema, batches=_told_batches(table, columns, schema), types=options.types)


def _told_batches(table: Table, columns: list[_ToldColumn], schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    rows_before = 0
    with closing(table.batches) as batches:
        for batch in batches:
            values = [column.told(read, rows_before) for column, read in zip(columns, batch.columns, strict=True)]
            yield pa.RecordBatch.from_arrays(values, schema=schema)
            rows_before += batch.num_rows
    table.times_of_day.update(column.name for column in columns if "time" in column.forms)


class _ToldColumn:
    """A column whose missing values and type the client may have told."""

    def __init__(
        self, name: str, read: pa.DataType, to: ColumnType | None, missing: tuple[str, ...], decimal: Decimal
    ) -> None:
        self.name = name
        self.type = _ARROW_TYPES[to] if to else read
        self.forms: frozenset[MomentForm] = frozenset()
        """Those of moments, as far as they were strings."""
        self._to = to
        self._missing = missing
        self._missing_numbers = [number for number in (number_in(word, ".") for word in missing) if number is not None]
        self._decimal: Decimal = decimal

    def told(self, values: pa.Array, rows_before: int) -> pa.Array:
        """A batch of values as they are to be read."""
        values = self._without_missing(values)
        if self._to is None or values.type == self.type:
            return values
        return _CONVERSIONS[self._to](self, values, rows_before)

    def _without_missing(self, values: pa.Array) -> pa.Array:
        missing = None
        if values.type == pa.string():
            missing = compute.is_in(values, pa.array(self._missing, pa.string()))
        elif values.type in (pa.int64(), pa.float64()) and self._missing_numbers:
            missing = compute.is_in(
                values.cast(pa.float64(), safe=False), pa.array(self._missing_numbers, pa.float64())
            )
        return values if missing is None else compute.if_else(missing, pa.scalar(None, values.type), values)

    def to_number(self, values: pa.Array, rows_before: int) -> pa.Array:
        """As float64."""
        if values.type == MOMENT:
            self._refuse_unless(compute.is_null(values), values, rows_before)
        if values.type != pa.string():
            return values.cast(pa.float64(), safe=False)
        cells = Cells(values, self._missing).values
        self._refuse_unless(are_numbers(cells, self._decimal), values, rows_before)
        return _present(plain_numbers(in_plain(cells, self._decimal), pa.float64()))

    def to_integer(self, values: pa.Array, rows_before: int) -> pa.Array:
        """As int64. What is not written as digits only is whole within ±2⁵³."""
        if values.type == pa.bool_():
            return values.cast(pa.int64())
        if values.type != pa.string():
            return self._whole(self.to_number(values, rows_before), values, rows_before)
        cells = Cells(values, self._missing).values
        self._refuse_unless(are_numbers(cells, self._decimal), values, rows_before)
        plain = in_plain(cells, self._decimal)
        exact = plain_numbers(plain, pa.int64())
        if exact is not None:
            return exact
        is_digits = compute.match_substring_regex(plain, "^-?[0-9]{1,18}$")
        nothing = pa.scalar(None, pa.string())
        others = _present(plain_numbers(compute.if_else(is_digits, nothing, plain), pa.float64()))
        return compute.coalesce(
            compute.if_else(is_digits, plain, nothing).cast(pa.int64()), self._whole(others, values, rows_before)
        )

    def _whole(self, numbers: pa.Array, values: pa.Array, rows_before: int) -> pa.Array:
        """Floats as int64, which `values` are written as."""
        are_whole = compute.equal(compute.floor(numbers), numbers)
        are_exact = compute.less_equal(compute.abs(numbers), _MOST_EXACT)
        self._refuse_unless(compute.and_(are_whole, are_exact), values, rows_before)
        return numbers.cast(pa.int64())

    def to_boolean(self, values: pa.Array, rows_before: int) -> pa.Array:
        """As booleans."""
        cells = Cells(values, self._missing).values if values.type == pa.string() else _as_strings(values)
        true = compute.is_in(cells, pa.array((*TRUE, "1")))
        self._refuse_unless(compute.or_(true, compute.is_in(cells, pa.array((*FALSE, "0", None)))), values, rows_before)
        return compute.if_else(compute.is_null(cells), pa.scalar(None, pa.bool_()), true)

    def to_moment(self, values: pa.Array, rows_before: int) -> pa.Array:
        """As timestamps."""
        cells = Cells(values if values.type == pa.string() else _as_strings(values), self._missing).values
        self.forms |= forms_of(cells)
        are_of_one_kind = len(self.forms) == 1 or "time" not in self.forms
        moments = _moments_of_any_form(cells) if are_of_one_kind else None
        fits = are_moments(cells) if moments is None else compute.is_valid(moments)
        self._refuse_unless(compute.or_(fits, compute.is_null(cells)), values, rows_before)
        if moments is None:
            self._refuse(0, rows_before, "times of day and dates do not go together")
        return moments

    def to_string(self, values: pa.Array, rows_before: int) -> pa.Array:  # noqa: ARG002  # anything can be written
        """As strings."""
        return _as_strings(values)

    def _refuse_unless(self, fits: pa.Array, values: pa.Array, rows_before: int) -> None:
        place = compute.index(fits, False).as_py()
        if place >= 0:
            self._refuse(place, rows_before, f"{values[place].as_py()!r:.60} is no {self._to}")

    def _refuse(self, place: int, rows_before: int, what: str) -> NoReturn:
        raise refuse_cell("cell_not_of_type", rows_before + place + 1, self.name, f"{what}, as `types` says.")


_CONVERSIONS: dict[ColumnType, Callable[[_ToldColumn, pa.Array, int], pa.Array]] = {
    "integer": _ToldColumn.to_integer,
    "number": _ToldColumn.to_number,
    "boolean": _ToldColumn.to_boolean,
    "category": _ToldColumn.to_string,
    "text": _ToldColumn.to_string,
    "datetime": _ToldColumn.to_moment,
}


def _moments_of_any_form(cells: pa.Array) -> pa.Array:
    """Moments with and without offsets; null where a cell is none. Those without are in UTC."""
    texts = {text: _moment_in(text) for text in compute.unique(cells).to_pylist() if text is not None}
    return pa.array([None if text is None else texts[text] for text in cells.to_pylist()], pa.int64()).cast(MOMENT)


def _moment_in(text: str) -> int | None:
    """In microseconds since 1970 UTC."""
    moment = microseconds_in(text, times_of_day=False)
    return microseconds_in(text, times_of_day=True) if moment is None else moment


def _as_strings(values: pa.Array) -> pa.Array:
    if values.type == pa.float64():
        return pa.array([None if number is None else _written(number) for number in values.to_pylist()], pa.string())
    if values.type == MOMENT:
        microseconds = values.cast(pa.int64()).to_pylist()
        return pa.array([None if each is None else iso(each, "moment") for each in microseconds], pa.string())
    return values.cast(pa.string())


def _written(number: float) -> str:
    """A float's shortest digits; a whole one as an integer."""
    return str(int(number)) if number.is_integer() and abs(number) <= _MOST_EXACT else repr(number)


def _present(values: pa.Array | None) -> pa.Array:
    assert values is not None  # noqa: S101  # each cell has been found to be a number
    return values
