"""Parquet: columns of the types that `arrow_types` knows."""

from __future__ import annotations

from collections.abc import Generator

import pyarrow as pa
from pyarrow import compute, parquet

from backprop_client.wire.datasets import ReadAs
from domain.datasets.reading.arrow_types import canonical, canonical_type, decoded, pandas_indexes, value_type
from domain.datasets.reading.content import Content
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import BATCH_CELLS, Table, TableLimits, column_names, refuse_file
from infra.errors import InvalidRequest, TooLarge

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
        if value_type(field.type) == pa.uint64() and _exceeds_int64(content, field.name)
        else canonical_type(field)
        for field in fields
    ]
    schema = pa.schema(list(zip(names, types, strict=True)))
    indexes = pandas_indexes(written)
    return Table(
        schema,
        _batches(content, schema),
        ReadAs(format="parquet", missing_values=options.missing_values),
        row_names={name: "pandas_index" for name, field in zip(names, fields, strict=True) if field.name in indexes},
        times_of_day={
            name for name, field in zip(names, fields, strict=True) if pa.types.is_time(value_type(field.type))
        },
    )


def _exceeds_int64(content: Content, name: str) -> bool:
    try:
        with parquet.ParquetFile(content.opened(), pre_buffer=False, buffer_size=_READ_BYTES) as file:
            largest = (compute.max(decoded(batch.column(0))).as_py() for batch in file.iter_batches(columns=[name]))
            return any(value is not None and value >= 2**63 for value in largest)
    except _UNREADABLE as error:
        raise _refusal(error) from error


def _batches(content: Content, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    batch_rows = min(max(1, BATCH_CELLS // len(schema)), _MOST_BATCH_ROWS)
    # Strings as dictionaries: one long string repeated in every row is met once, before it is repeated in memory.
    strings = [field.name for field in parquet.read_schema(content.opened()) if canonical_type(field) == pa.string()]
    rows = 0
    try:
        with parquet.ParquetFile(
            content.opened(), read_dictionary=strings, pre_buffer=False, buffer_size=_READ_BYTES
        ) as file:
            for batch in file.iter_batches(batch_size=batch_rows):
                columns = [canonical(field, column, rows) for field, column in zip(schema, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
                rows += batch.num_rows
    except _UNREADABLE as error:
        raise _refusal(error) from error


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
