"""Tables as files for clients: CSV, Parquet or a stream of Arrow, written batch by batch.

A file of predictions may have the columns of a dataset beside them. Those are as people know them: whole numbers are
integers, and moments are dates, times of day or moments in UTC, whichever the column holds. In CSV they are in
ISO 8601, as the preview shows them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import pyarrow as pa
from pyarrow import csv, ipc, parquet

from backprop_client.wire.columns import Column
from domain.datasets.moments import MOMENT, IsoForm, form_of, iso

TableForm = Literal["csv", "parquet", "arrow"]

_MOMENT_IN_UTC = pa.timestamp("us", "UTC")
_TIME_OF_DAY = pa.time64("us")

_KNOWN_TYPES = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}

_TYPE_OF_FORM = {"date": pa.date32(), "time": _TIME_OF_DAY, "moment": _MOMENT_IN_UTC}


def written(schema: pa.Schema, batches: Iterable[pa.RecordBatch], form: TableForm) -> Iterator[bytes]:
    """The bytes of a file, as they come to be.

    Args:
        schema: its columns: of canonical types, or of those that `as_known` makes.
        batches: of that schema. Each becomes a row group, where the format has any.
        form: which file.
    """
    shown = pa.schema([_field_in(form, field) for field in schema])
    gathered = _Gathered()
    writer = _writer(pa.PythonFile(gathered, mode="w"), shown, form)
    for batch in batches:
        columns = [_in_form(form, column) for column in batch.columns]
        writer.write_table(pa.Table.from_arrays(columns, schema=shown))
        yield gathered.taken()
    writer.close()
    yield gathered.taken()


def as_known(columns: Sequence[Column], batch: pa.RecordBatch) -> list[pa.Array]:
    """The columns of a canonical file as people know them."""
    return [_as_known(column, values) for column, values in zip(columns, batch.columns, strict=True)]


def known_type(column: Column) -> pa.DataType:
    """The type of a column's values as people know them."""
    if column.type == "datetime":
        return _TYPE_OF_FORM[form_of(column)]
    return _KNOWN_TYPES.get(column.type, pa.string())


def _as_known(column: Column, values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        return values.cast(pa.string())
    if column.type == "integer":
        return values.cast(pa.int64())
    if values.type != MOMENT:
        return values
    known = _TYPE_OF_FORM[form_of(column)]
    return values.cast(pa.int64()).cast(known) if known == _TIME_OF_DAY else values.cast(known)


def _field_in(form: TableForm, field: pa.Field) -> pa.Field:
    return pa.field(field.name, pa.string()) if form == "csv" and pa.types.is_temporal(field.type) else field


def _in_form(form: TableForm, column: pa.Array) -> pa.Array:
    if form != "csv" or not pa.types.is_temporal(column.type):
        return column
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    different = column.cast(pa.int64()).dictionary_encode()  # moments repeat, and each costs a microsecond
    written_as: IsoForm = "time" if pa.types.is_time(column.type) else "moment"
    texts = pa.array([iso(each, written_as) for each in different.dictionary.to_pylist()], pa.string())
    return texts.take(different.indices)


def _writer(sink: pa.NativeFile, schema: pa.Schema, form: TableForm) -> Any:  # noqa: ANN401  # they share no type
    if form == "csv":
        return csv.CSVWriter(sink, schema)
    if form == "arrow":
        return ipc.new_stream(sink, schema)
    # Floats seldom repeat: a dictionary of them costs time and saves nothing.
    return parquet.ParquetWriter(
        sink, schema, use_dictionary=[field.name for field in schema if field.type != pa.float64()]
    )


class _Gathered(io.RawIOBase):
    """What has been written since somebody took it last."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, piece: Any) -> int:  # noqa: ANN401  # any kind of buffer
        """Gather the bytes."""
        self._pieces.append(bytes(piece))
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes have been written."""
        return self._written

    def taken(self) -> bytes:
        """All that has been gathered, which is kept no more."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
