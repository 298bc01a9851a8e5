"""Streams of Arrow's IPC format: columns of the types that `arrow_types` knows."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pyarrow as pa
from pyarrow import compute, ipc

from backprop_client.wire.datasets import ReadAs
from domain.datasets.reading.arrow_types import canonical, canonical_type, decoded, pandas_indexes, value_type
from domain.datasets.reading.content import Content
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import BATCH_CELLS, Table, TableLimits, column_names, refuse_file
from infra.errors import InvalidRequest

_MOST_BATCH_ROWS = 8_192
"""Rows. A column of the longest strings takes so many times `MAX_TEXT_BYTES`, though the stream has it once."""

_UNREADABLE = (pa.ArrowException, OSError, ValueError)


def read_arrow_stream(content: Content, limits: TableLimits, options: ReadingOptions) -> Table:
    """The table in a stream of Arrow's.

    Raises:
        InvalidRequest: it is no such stream (``invalid_arrow``) or has a column of another type (``unsupported_type``).
        TooLarge: it exceeds `limits`.
    """
    try:
        sent = ipc.open_stream(content.opened()).schema
        fields = list(sent)
        limits.check(0, len(fields))
        names = column_names([field.name for field in fields])  # which need not be Unicode
        types = [_canonical_type(content, place, field) for place, field in enumerate(fields)]
    except _UNREADABLE as error:
        raise _refusal(error) from error
    schema = pa.schema(list(zip(names, types, strict=True)))
    indexes = pandas_indexes(sent)
    return Table(
        schema,
        _batches(content, schema),
        ReadAs(format="arrow", missing_values=options.missing_values),
        row_names={name: "pandas_index" for name, field in zip(names, fields, strict=True) if field.name in indexes},
        times_of_day={
            name for name, field in zip(names, fields, strict=True) if pa.types.is_time(value_type(field.type))
        },
    )


def _canonical_type(content: Content, place: int, field: pa.Field) -> pa.DataType:
    exceeds = value_type(field.type) == pa.uint64() and _exceeds_int64(content, place)
    return pa.float64() if exceeds else canonical_type(field)


def _exceeds_int64(content: Content, place: int) -> bool:
    largest = (compute.max(decoded(batch.column(place))).as_py() for batch in _sent(content))
    return any(value is not None and value >= 2**63 for value in largest)


def _batches(content: Content, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    batch_rows = min(max(1, BATCH_CELLS // len(schema)), _MOST_BATCH_ROWS)
    rows = 0
    try:
        for sent in _sent(content):
            for start in range(0, sent.num_rows, batch_rows):
                batch = sent.slice(start, batch_rows)
                columns = [canonical(field, column, rows) for field, column in zip(schema, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
                rows += batch.num_rows
    except _UNREADABLE as error:
        raise _refusal(error) from error


def _sent(content: Content) -> Iterator[pa.RecordBatch]:
    """The stream's batches. What is in them is checked before anything reads it: lengths, offsets and indices."""
    for batch in ipc.open_stream(content.opened()):
        batch.validate(full=True)
        yield batch


def _refusal(error: Exception) -> InvalidRequest:
    return refuse_file("invalid_arrow", f"The file cannot be read as a stream of Arrow's: {error}")
