"""What becomes of Arrow's types: columns of numbers, booleans, strings, dates and times.

Integers of any width become int64 (an unsigned column with a value beyond it becomes float64), decimals and floats
float64, dictionary columns the type of their values. Dates and timestamps of any unit and zone become moments in UTC,
and times become times of day; of either, what is below microseconds is cut off. Other types are refused by name.

A column that pandas has written for the index of a data frame is taken for names of rows.
"""

from __future__ import annotations

import json

import pyarrow as pa
from pyarrow import compute

from domain.datasets.moments import MOMENT
from domain.datasets.reading.tables import MAX_TEXT_BYTES, refuse_long_text
from infra.errors import FieldError, InvalidRequest


def pandas_indexes(written: pa.Schema) -> set[str]:
    """The columns that pandas calls indexes. Those that it counts when it reads the file are not stored."""
    try:
        described = json.loads((written.metadata or {})[b"pandas"])
        return {name for name in described["index_columns"] if isinstance(name, str)}
    except (KeyError, ValueError, TypeError):  # none, or not pandas's
        return set()


def canonical_type(field: pa.Field) -> pa.DataType:
    """The canonical type that a column becomes.

    Raises:
        InvalidRequest: it is of a type that no dataset has (``unsupported_type``).
    """
    kind = value_type(field.type)
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return pa.float64()
    if pa.types.is_boolean(kind):
        return pa.bool_()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return MOMENT
    message = (
        f"Column {field.name!r} is of type {field.type}; columns may be numbers, booleans, strings, dates and times."
    )
    raise InvalidRequest("unsupported_type", message, (FieldError("/file", message),))


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, whether they are in a dictionary or not."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def canonical(field: pa.Field, column: pa.Array, rows_before: int) -> pa.Array:
    """A column's values as what the field says, which is of a canonical type."""
    if field.type == pa.string() and pa.types.is_dictionary(column.type):
        _refuse_long_entries(field.name, column, rows_before)
    if field.type == MOMENT:
        return _moments(decoded(column))
    if pa.types.is_decimal(value_type(column.type)):
        # By its digits, as text is read: Arrow divides, and may come to another float64 than the nearest.
        return decoded(column).cast(pa.string()).cast(pa.float64())
    # Not "safe": a whole number beyond 2⁵³ becomes the nearest float64, as it does from text.
    values = decoded(column).cast(field.type, safe=field.type != pa.float64())
    values.validate(full=True)  # no format vouches for a string being UTF-8
    return values


def _moments(column: pa.Array) -> pa.Array:
    """Dates, times and timestamps as moments in UTC."""
    if pa.types.is_time(column.type):
        return column.cast(pa.time64("us"), safe=False).cast(pa.int64()).cast(MOMENT)
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("s" if column.type == pa.date32() else "ms")).cast(MOMENT)
    if column.type.unit == "ns":
        # Rounded down as times before 1970 are, too, and not towards 1970.
        column = compute.floor_temporal(column, unit="microsecond")
    return column.cast(pa.timestamp("us", column.type.tz), safe=column.type.unit != "ns").cast(pa.int64()).cast(MOMENT)


def _refuse_long_entries(name: str, column: pa.DictionaryArray, rows_before: int) -> None:
    is_long = compute.greater(compute.binary_length(column.dictionary), MAX_TEXT_BYTES)
    row = compute.index(compute.take(is_long, column.indices), True).as_py()
    if row >= 0:
        raise refuse_long_text(name, rows_before + row + 1)


def decoded(column: pa.Array) -> pa.Array:
    """A column's values without a dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
