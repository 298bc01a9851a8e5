"""JSON rows: an array of rows, or one row after another (newline-delimited); a row is an object or an array.

Objects: the columns are all keys of all rows, in the order they are first met; a key that a row lacks is missing there.
Arrays: all rows have the same length; the columns are named by the first row if the client says so (`header`), else
``column_1``, ``column_2``, …. Values are numbers, booleans, strings or null (missing, as is NaN); all present values of
a column are of one of these kinds. Strings that are all moments, as in CSV, are read as such. The file is decoded row
by row, twice: for the types, then for the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.datasets import ReadAs
from domain.datasets.moments import MOMENT
from domain.datasets.reading.content import Content
from domain.datasets.reading.delimited.encoding import decoded_pieces, named, wide_encoding
from domain.datasets.reading.delimited.moments import MomentForms, moments_in
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import Table, TableLimits, column_names, refuse_cell, refuse_file

MAX_ROW_CHARACTERS = 16 * 2**20
"""Characters of JSON. No row may be longer."""

_BATCH_CELLS = 500_000  # as Python objects, of some 100 bytes each
_MOST_BATCH_ROWS = 8_192
_SPACES = re.compile(r"[ \t\r\n]*")


class _DuplicateKey(Exception):
    """An object has a key twice. The text is the key."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    distinct = dict(pairs)
    if len(distinct) < len(pairs):
        seen: set[str] = set()
        raise _DuplicateKey(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return distinct


_DECODER = json.JSONDecoder(
    parse_constant={"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}.get,
    object_pairs_hook=_object,
)

Key: TypeAlias = str | int
"""It finds a column's value in a row: a key of an object, or a position in an array."""

Row: TypeAlias = dict[Key, Any]

_KINDS: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "string"}


@dataclass
class _ColumnTypes:
    """What the values of one column are.

    Attributes:
        found: their Python types.
        fits_int64: whether all its integers are within int64.
        are_moments: whether all its strings are moments.
        forms: of these.
    """

    found: set[type] = field(default_factory=set)
    fits_int64: bool = True
    are_moments: bool = True
    forms: MomentForms = field(default_factory=MomentForms)

    def add(self, types: set[type], values: list[Any], given: tuple[str, ...]) -> None:
        self.found |= types
        if int in types:
            integers = [value for value in values if type(value) is int]
            self.fits_int64 = self.fits_int64 and min(integers) >= -(2**63) and max(integers) < 2**63
        if str in types and self.are_moments:
            strings = _strings(values, given)
            self.are_moments = strings.null_count == len(strings) or self.forms.hold(strings)

    @property
    def arrow_type(self) -> pa.DataType:
        if self.found == {bool}:
            return pa.bool_()
        if self.found == {str}:
            return MOMENT if self.are_moments else pa.string()
        return pa.int64() if self.found == {int} and self.fits_int64 else pa.float64()


def read_json_rows(content: Content, limits: TableLimits, options: ReadingOptions) -> Table:
    """The table in a JSON file.

    Raises:
        InvalidRequest: it is no JSON (``invalid_json``, ``not_utf8``), not made of rows (``not_rows``), its arrays have
            different lengths (``ragged_row``), an object has a key twice (``duplicate_key``), or a value is nested
            (``nested_value``) or of another kind than those above it in its column (``mixed_types``).
        TooLarge: it exceeds `limits`.
    """
    file = _File(content, options.encoding or wide_encoding(content.data[:4]) or "utf-8", limits)
    header = options.header or False
    types = _column_types(file, header, options.missing_values)
    keys = list(types)
    if header:
        first = next(_rows(file), {})
        keys = keys or list(first)  # where nothing comes after the header
        names = column_names([str(value) for value in first.values()])
    else:
        names = column_names([key if isinstance(key, str) else "" for key in keys])
    columns = [types.get(key, _ColumnTypes()) for key in keys]
    for name, column in zip(names, columns, strict=True):
        column.are_moments = column.are_moments and name not in options.types
    schema = pa.schema([(name, column.arrow_type) for name, column in zip(names, columns, strict=True)])
    return Table(
        schema,
        _batches(file, keys, schema, header, options.missing_values),
        ReadAs(format="json", encoding=named(file.encoding), header=header, missing_values=options.missing_values),
        times_of_day={
            field.name
            for field, column in zip(schema, columns, strict=True)
            if field.type == MOMENT and column.forms.are_times_of_day
        },
    )


@dataclass(frozen=True)
class _File:
    """The file, and how large a table it may hold."""

    content: Content
    encoding: str
    limits: TableLimits


def _column_types(file: _File, header: bool, given: tuple[str, ...]) -> dict[Key, _ColumnTypes]:
    columns: dict[Key, _ColumnTypes] = {}
    rows_before = 0
    for batch in _row_batches(_rows(file, header), columns):
        for row in batch:
            for key in row:
                if key not in columns:
                    columns[key] = _ColumnTypes()
        file.limits.check(rows_before + len(batch), len(columns))
        for key, column in columns.items():
            values = [row.get(key) for row in batch]
            types = set(map(type, values)) - {type(None)}
            if types:
                _refuse_other_kinds(column.found, types, key, values, rows_before)
                column.add(types, values, given)
        rows_before += len(batch)
    return columns


def _refuse_other_kinds(found: set[type], types: set[type], key: Key, values: list[Any], rows_before: int) -> None:
    kinds = {_KINDS.get(each) for each in found | types}
    if len(kinds) == 1 and None not in kinds:
        return
    name = key if isinstance(key, str) else f"column_{key + 1}"
    expected = next((_KINDS[each] for each in found), None)
    for row, value in enumerate(values, start=rows_before + 1):
        if value is None:
            continue
        kind = _KINDS.get(type(value))
        if kind is None:
            raise refuse_cell("nested_value", row, name, "the value is an object or array; values must be plain.")
        expected = expected or kind
        if kind != expected:
            raise refuse_cell("mixed_types", row, name, f"the value is a {kind}, and those above are {expected}s.")


def _batches(
    file: _File, keys: list[Key], schema: pa.Schema, header: bool, given: tuple[str, ...]
) -> Generator[pa.RecordBatch, None, None]:
    for batch in _row_batches(_rows(file, header), keys):
        columns = [
            _arrow_column([row.get(key) for row in batch], column.type, given)
            for key, column in zip(keys, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _arrow_column(values: list[Any], to: pa.DataType, given: tuple[str, ...]) -> pa.Array:
    if to == MOMENT:
        return moments_in(_strings(values, given))
    if to == pa.string():
        return _strings(values, ())
    if to == pa.float64():
        values = [None if value is None else _as_float(value) for value in values]
    return pa.array(values, to)


def _strings(values: list[Any], given: tuple[str, ...]) -> pa.Array:
    """Strings, null where one of them stands for a missing value."""
    try:
        strings = pa.array(values, pa.string())
    except UnicodeEncodeError as error:
        raise refuse_file("not_utf8", f"A string is not Unicode text: {error.object[:40]!r}.") from error
    if not given:
        return strings
    return compute.if_else(compute.is_in(strings, pa.array(given)), pa.scalar(None, pa.string()), strings)


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")  # refused with its row and column when the table is stored


def _row_batches(rows: Iterator[Row], columns: dict[Key, Any] | list[Key]) -> Iterator[list[Row]]:
    """Rows in batches of about `_BATCH_CELLS` cells; `columns` may grow on the way."""
    batch: list[Row] = []
    present_cells = 0
    for row in rows:
        batch.append(row)
        present_cells += len(row)
        if len(batch) == _MOST_BATCH_ROWS or max(present_cells, len(batch) * len(columns)) >= _BATCH_CELLS:
            yield batch
            batch = []
            present_cells = 0
    if batch:
        yield batch


def _rows(file: _File, header: bool = False) -> Iterator[Row]:
    """Every row with its keys; a row that is an array has its positions for keys. With `header`, all but the first."""
    width: int | None = None
    kind: type | None = list if header else None
    for number, row in enumerate(_decoded_rows(file), start=0 if header else 1):
        kind = kind or type(row)
        if type(row) is not kind or kind not in (dict, list):
            only_arrays = ", and only arrays can have a header" if header else ""
            raise refuse_file("not_rows", f"Row {number:,}: rows must be all objects or all arrays{only_arrays}.")
        # Its width now, since a row of millions of values takes gigabytes on its way to a column.
        if isinstance(row, dict):
            file.limits.check(0, len(row))
            yield row
        elif isinstance(row, list):
            file.limits.check(0, len(row))
            width = len(row) if width is None else width
            if len(row) != width:
                raise refuse_file("ragged_row", f"Row {number:,} has {len(row)} values, and the first has {width}.")
            if number:
                yield dict(enumerate(row))


def _decoded_rows(file: _File) -> Iterator[object]:
    """Every row of the file as JSON has it. Holds one row and one chunk of the file."""
    text = _Text(file)
    if not text.next_character():
        raise refuse_file("empty_file", "The file is empty.")
    is_array = text.opens_array_of_rows()
    number = 0
    while text.next_character() not in ("", "]"):
        number += 1
        yield text.decode_row(number)
        if is_array and not text.take(","):
            break
    if is_array and not text.take("]"):
        raise refuse_file("invalid_json", f"After row {number:,} there is neither a comma nor the end of the array.")
    if text.next_character():
        raise refuse_file("invalid_json", f"After row {number:,} something follows that is no row.")


class _Text:
    """The file's text, read as it is needed, and how far it has been taken."""

    def __init__(self, file: _File) -> None:
        pieces = decoded_pieces(file.content, file.encoding)
        self._chunks = (piece for piece in pieces if piece)
        self._text = ""
        self._position = 0

    def next_character(self) -> str:
        """The next character that is no space; empty at the end of the file."""
        while True:
            self._position = _end_of_spaces(self._text, self._position)
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_on():
                return ""

    def take(self, character: str) -> bool:
        """Step over the next character if it is this one."""
        is_next = self.next_character() == character
        self._position += is_next
        return is_next

    def opens_array_of_rows(self) -> bool:
        """Step over the ``[`` of an array of rows. One before anything but a row is itself the first row."""
        start = self._position
        if not self.take("["):
            return False
        # A first chunk without anything but spaces after the bracket is not worth caring for.
        after = _end_of_spaces(self._text, self._position)
        if self._text[after : after + 1] in ("[", "{", "]", ""):
            return True
        self._position = start
        return False

    def decode_row(self, number: int) -> object:
        """Step over the next row; `number` names it in a refusal."""
        while True:
            try:
                row: object
                row, self._position = _DECODER.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if len(self._text) - self._position > MAX_ROW_CHARACTERS or not self._read_on():
                    raise refuse_file("invalid_json", f"Row {number:,} is not JSON: {error.msg}.") from error
            except _DuplicateKey as error:
                raise refuse_file("duplicate_key", f"Row {number:,} has the key {str(error)!r:.60} twice.") from error
            except RecursionError as error:
                raise refuse_file("nested_value", f"Row {number:,} is nested too deeply.") from error
            except ValueError as error:
                raise refuse_file("invalid_json", f"Row {number:,} has a number with too many digits.") from error
            else:
                return row

    def _read_on(self) -> bool:
        chunk = next(self._chunks, "")
        self._text = self._text[self._position :] + chunk
        self._position = 0
        return bool(chunk)


def _end_of_spaces(text: str, position: int) -> int:
    match = _SPACES.match(text, position)
    assert match is not None  # noqa: S101  # it matches the empty string
    return match.end()
