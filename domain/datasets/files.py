"""The canonical file of a dataset: one Parquet file, whatever the client uploaded.

Its columns are int64, float64, bool, string or timestamps in microseconds without a zone, which are UTC; times of day
are on 1970-01-01. A missing value is null, and no number is NaN or infinite. A column that is described as one of
integers may hold them as floats.
Row groups hold about `ROW_GROUP_BYTES` of values, so that writing and reading need the same memory for a
thousand rows and for a hundred million, for 3 columns and for 10,000.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import reduce
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import Scalar
from domain.datasets.moments import MOMENT, form_of, iso
from infra.artifacts import ArtifactStore

ROW_GROUP_BYTES = 64 * 2**20
"""Bytes. The values of a row group take so many, 8 each. Row groups of long strings have fewer values."""

BATCH_BYTES = 8 * 2**20
"""Bytes. The values of a batch take so many, 8 each, where nobody names a number of rows."""

CANONICAL_TYPES = (pa.int64(), pa.float64(), pa.bool_(), pa.string(), MOMENT)


class DatasetWriter(AbstractContextManager["DatasetWriter"]):
    """Writes a canonical file batch by batch."""

    def __init__(self, sink: pa.NativeFile, schema: pa.Schema) -> None:
        """Begin the file.

        Args:
            sink: where its bytes go; left open.
            schema: at least one field, each of a type in `CANONICAL_TYPES`.
        """
        self._schema = schema
        self._row_group_rows = _rows_within(ROW_GROUP_BYTES, len(schema))
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._writer = parquet.ParquetWriter(
            sink,
            schema,
            compression="lz4",
            # Floats seldom repeat: a dictionary of them costs time and saves nothing.
            use_dictionary=[field.name for field in schema if field.type != pa.float64() and field.type != pa.bool_()],
            # Per row group and column, and read by nobody: the summaries are in the database.
            write_statistics=False,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch of the file's schema."""
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        if self._pending_rows >= self._row_group_rows or self._pending_bytes >= ROW_GROUP_BYTES:
            self._write_pending()

    def _write_pending(self) -> None:
        self._writer.write_table(
            pa.Table.from_batches(self._pending, self._schema), row_group_size=self._row_group_rows
        )
        self._pending = []
        self._pending_rows = 0
        self._pending_bytes = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is pending and end the file."""
        if self._pending and error is None:
            self._write_pending()
        self._writer.close()


def read_batches(
    store: ArtifactStore,
    key: str,
    columns: Sequence[str],
    batch_rows: int | None = None,
    complete: Collection[str] = (),
) -> Iterator[dict[str, NDArray[Any]]]:
    """The values of some columns, batch after batch, in the order of the rows.

    Args:
        store: where the file is.
        key: the file's key.
        columns: names of columns.
        batch_rows: rows in every batch but the last, those left out counted; None: as many as make about `BATCH_BYTES`.
        complete: of `columns`; rows that lack a value in one of these are left out.

    Yields:
        For each of `columns` its values, a one-dimensional array: int64, or float64 with NaN where a value is missing;
        bool; object for strings and for booleans with gaps, with None where a value is missing; moments as float64
        seconds since 1970 in UTC, NaN where missing.

    Raises:
        FileNotFoundError: there is no such file.
        KeyError: there is no such column.
    """
    with store.reading(key) as source, _opened(source) as file:
        unknown = set(columns) - set(file.schema_arrow.names)
        if unknown:
            raise KeyError(f"no column named {sorted(unknown)[0]!r}")
        rows = batch_rows or _rows_within(BATCH_BYTES, len(columns))
        for batch in file.iter_batches(batch_size=rows, columns=list(columns)):
            kept = _complete_rows(batch, complete)
            yield {name: _values(kept.column(name)) for name in columns}


def row_batches(
    source: pa.NativeFile, columns: Sequence[str], batch_rows: int, first_row: int = 0
) -> Iterator[pa.RecordBatch]:
    """The rows of some columns as Arrow has them, batch after batch, from any row on.

    Where a batch begins and ends depends on `first_row` and `batch_rows` only, not on the row groups of the file.

    Args:
        source: a canonical file; left open.
        columns: names of columns, at least one.
        batch_rows: rows in every batch but the last.
        first_row: where to begin, from 0.

    Yields:
        The columns in the order given, of their canonical types; strings as dictionaries, so that a long one that is in
        every row is in memory once.

    Raises:
        KeyError: there is no such column.
    """
    strings = [field.name for field in parquet.read_schema(source) if field.type == pa.string()]
    with parquet.ParquetFile(source, pre_buffer=False, read_dictionary=strings) as file:
        if unknown := set(columns) - set(file.schema_arrow.names):
            raise KeyError(f"no column named {sorted(unknown)[0]!r}")
        groups, skipped = _row_groups_from(file.metadata, first_row)
        batches = file.iter_batches(batch_size=batch_rows, row_groups=groups, columns=list(columns))
        ordered = (batch.select(list(columns)) for batch in batches)
        yield from _of_equal_size(ordered, batch_rows, skipped)


def count_complete_rows(store: ArtifactStore, key: str, columns: Collection[str]) -> int:
    """How many rows have a value in each of these columns, of which there is at least one. Raises FileNotFoundError."""
    with store.reading(key) as source, _opened(source) as file:
        return sum(_complete_rows(batch, columns).num_rows for batch in file.iter_batches(columns=list(columns)))


def preview(store: ArtifactStore, key: str, columns: Sequence[Column], rows: int) -> list[list[Scalar]]:
    """The first rows, each in the order of the columns; None is missing, and moments are in ISO 8601.

    Args:
        store: where the file is.
        key: the file's key.
        columns: what is known of the file's columns.
        rows: how many rows; fewer come back when there are fewer.
    """
    with store.reading(key) as source, _opened(source) as file:
        first = next(file.iter_batches(batch_size=rows))
    shown = [plain_values(column, values) for column, values in zip(columns, first.columns, strict=True)]
    return [list(row) for row in zip(*shown, strict=True)]


class StoredRow(NamedTuple):
    """One row of a dataset.

    Attributes:
        values: by column, as `read_batches` gives them, (1,) each.
        shown: in the order of the columns, as the preview shows them.
    """

    values: dict[str, NDArray[Any]]
    shown: list[Scalar]


def read_row(store: ArtifactStore, key: str, columns: Sequence[Column], row: int) -> StoredRow:
    """One row alone. No more than the row group that it is in is read for it.

    Args:
        store: where the file is.
        key: the file's key.
        columns: what is known of those that are wanted.
        row: its place, from 0; the file has one there.

    Raises:
        FileNotFoundError: there is no such file.
    """
    names = [column.name for column in columns]
    with store.reading(key) as source, _opened(source) as file:
        groups, skipped = _row_groups_from(file.metadata, row)
        batches = file.iter_batches(_rows_within(BATCH_BYTES, len(names)), row_groups=groups[:1], columns=names)
        only = next(_of_equal_size(batches, 1, skipped))
    shown = [plain_values(column, only.column(column.name))[0] for column in columns]
    return StoredRow({name: _values(only.column(name)) for name in names}, shown)


def plain_values(column: Column, values: pa.Array) -> list[Scalar]:
    """Values of a column as the preview shows them: None is missing, and moments are in ISO 8601."""
    if column.type == "datetime":
        form = form_of(column)
        return [None if each is None else iso(each, form) for each in values.cast(pa.int64()).to_pylist()]
    if column.type == "integer":
        values = values.cast(pa.int64())
    shown: list[Scalar] = values.to_pylist()
    return shown


def _row_groups_from(metadata: parquet.FileMetaData, first_row: int) -> tuple[list[int], int]:
    """The row groups that have `first_row` and those after it, and how many of their rows come before that row."""
    groups = list(range(metadata.num_row_groups))
    while groups and first_row >= (rows := metadata.row_group(groups[0]).num_rows):
        first_row -= rows
        del groups[0]
    return groups, first_row


def _of_equal_size(batches: Iterable[pa.RecordBatch], rows: int, skipped: int) -> Iterator[pa.RecordBatch]:
    """The rows of these batches without the first ones, so many in every batch but the last."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        kept = batch.slice(skipped)
        skipped -= batch.num_rows - kept.num_rows
        while kept.num_rows:
            piece = kept.slice(0, rows - count)
            kept = kept.slice(piece.num_rows)
            waiting.append(piece)
            count += piece.num_rows
            if count == rows:
                yield _joined(waiting)
                waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    (joined,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return joined


def _opened(source: pa.NativeFile) -> parquet.ParquetFile:
    """The file, read as it is asked for: with Arrow's pre-buffering the memory would grow with every row group."""
    return parquet.ParquetFile(source, pre_buffer=False)


def _complete_rows(batch: pa.RecordBatch, columns: Collection[str]) -> pa.RecordBatch:
    """The rows that have a value in each of these columns."""
    with_gaps = [name for name in columns if batch.column(name).null_count]
    if not with_gaps:
        return batch
    present = reduce(compute.and_, (compute.is_valid(batch.column(name)) for name in with_gaps))
    return batch.filter(present)


def _values(column: pa.Array) -> NDArray[Any]:
    if pa.types.is_timestamp(column.type):
        microseconds: NDArray[Any] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
        return microseconds / 1e6
    if pa.types.is_string(column.type):
        return np.array(column.to_pylist(), dtype=object)
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values


def _rows_within(size: int, columns: int) -> int:
    return max(1, size // (8 * columns))
