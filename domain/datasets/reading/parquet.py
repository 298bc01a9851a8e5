"""Parquet: columns of numbers, booleans, strings, dates and times.

Integers of any width become int64 (an unsigned column with a value beyond it becomes float64), decimals and floats
float64, dictionary columns the type of their values. Dates and timestamps of any unit and zone become moments in UTC,
and times become times of day; of either, what is below microseconds is cut off. Other types are refused by name.

A column that pandas has written for the index of a data frame is taken for names of rows.
"""

from __future__ import annotations

import json
from collections.abc import Generator

import pyarrow as pa
from pyarrow import compute, parquet

from backprop_client.wire.datasets import ReadAs
from domain.datasets.moments import MOMENT
from domain.datasets.reading.content import Content
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import (
    BATCH_CELLS,
    MAX_TEXT_BYTES,
    Table,
    TableLimits,
    column_names,
    refuse_file,
    refuse_long_text,
)
from infra.errors import FieldError, InvalidRequest, TooLarge

_MOST_BATCH_ROWS = 8_192
"""Rows. A column of the longest strings takes so many times `MAX_TEXT_BYTES`."""

_MOST_CHUNK_BYTES = 2**28
"""Bytes of one column in a row group, unpacked. Its reader holds that several times over."""

_READ_BYTES = 2**17
"""Bytes. So much of each column of a row group is read at a time. Otherwise the reader would hold them whole."""

_UNREADABLE = (pa.ArrowException, OSError, ValueError)


def read_parquet(content: Content, limits: TableLimits, options: ReadingOptions) -> Table:
    """The table in a Parquet file.

    Raises:
        InvalidRequest: it is no Parquet file (``invalid_parquet``) or has a column of another type
            (``unsupported_type``).
        TooLarge: it exceeds `limits`.
    """
    try:
        metadata = parquet.read_metadata(content.opened())
        written = metadata.schema.to_arrow_schema()
    except _UNREADABLE as error:
        raise _refusal(error) from error
    fields = list(written)
    limits.check(metadata.num_rows, len(fields))
    _refuse_large_pages(metadata, limits)
    names = column_names([field.name for field in fields])
    types = [
        pa.float64()
        if _value_type(field.type) == pa.uint64() and _exceeds_int64(content, field.name)
        else _canonical_type(field)
        for field in fields
    ]
    schema = pa.schema(list(zip(names, types, strict=True)))
    indexes = _pandas_indexes(written)
    return Table(
        schema,
        _batches(content, schema),
        ReadAs(format="parquet", missing_values=options.missing_values),
        row_names={name: "pandas_index" for name, field in zip(names, fields, strict=True) if field.name in indexes},
        times_of_day={
            name for name, field in zip(names, fields, strict=True) if pa.types.is_time(_value_type(field.type))
        },
    )


def _pandas_indexes(written: pa.Schema) -> set[str]:
    """The columns that pandas calls indexes. Those that it counts when it reads the file are not stored."""
    try:
        described = json.loads((written.metadata or {})[b"pandas"])
        return {name for name in described["index_columns"] if isinstance(name, str)}
    except (KeyError, ValueError, TypeError):  # none, or not pandas's
        return set()


def _canonical_type(field: pa.Field) -> pa.DataType:
    kind = _value_type(field.type)
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


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _exceeds_int64(content: Content, name: str) -> bool:
    try:
        with parquet.ParquetFile(content.opened(), pre_buffer=False, buffer_size=_READ_BYTES) as file:
            largest = (compute.max(_decoded(batch.column(0))).as_py() for batch in file.iter_batches(columns=[name]))
            return any(value is not None and value >= 2**63 for value in largest)
    except _UNREADABLE as error:
        raise _refusal(error) from error


def _batches(content: Content, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    batch_rows = min(max(1, BATCH_CELLS // len(schema)), _MOST_BATCH_ROWS)
    # Strings as dictionaries: one long string repeated in every row is met once, before it is repeated in memory.
    strings = [field.name for field in parquet.read_schema(content.opened()) if _canonical_type(field) == pa.string()]
    rows = 0
    try:
        with parquet.ParquetFile(
            content.opened(), read_dictionary=strings, pre_buffer=False, buffer_size=_READ_BYTES
        ) as file:
            for batch in file.iter_batches(batch_size=batch_rows):
                columns = [_canonical(field, column, rows) for field, column in zip(schema, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
                rows += batch.num_rows
    except _UNREADABLE as error:
        raise _refusal(error) from error


def _canonical(field: pa.Field, column: pa.Array, rows_before: int) -> pa.Array:
    if field.type == pa.string() and pa.types.is_dictionary(column.type):
        _refuse_long_entries(field.name, column, rows_before)
    if field.type == MOMENT:
        return _moments(_decoded(column))
    # Not "safe": a whole number beyond 2⁵³ becomes the nearest float64, as it does from text.
    canonical = _decoded(column).cast(field.type, safe=field.type != pa.float64())
    canonical.validate(full=True)  # Parquet does not vouch for a string being UTF-8
    return canonical


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


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _refuse_large_pages(metadata: parquet.FileMetaData, limits: TableLimits) -> None:
    unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if unpacked > 8 * limits.cells:
        raise TooLarge("too_many_cells", f"The file unpacks to {unpacked:,} bytes, more than this server takes.")
    for group in range(metadata.num_row_groups):
        chunks = metadata.row_group(group)
        largest = max(
            (chunks.column(column).total_uncompressed_size for column in range(chunks.num_columns)), default=0
        )
        if largest > _MOST_CHUNK_BYTES:
            raise TooLarge(
                "too_many_cells",
                f"A column of row group {group + 1:,} unpacks to {largest:,} bytes, and this server takes at most "
                f"{_MOST_CHUNK_BYTES:,}. Write smaller row groups, or shorter texts.",
            )


def _refusal(error: Exception) -> InvalidRequest:
    return refuse_file("invalid_parquet", f"The file cannot be read as Parquet: {error}")
