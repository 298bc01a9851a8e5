"""Files of tables in every format, and reading them in without the API in front."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc, parquet

from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import ReadAs, Remark, Scalar
from domain.datasets.files import preview
from domain.datasets.reading.files import find_format, read_file
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import TableLimits, store
from infra.artifacts import ArtifactStore

ANYTHING = ReadingOptions()
AMPLE = TableLimits(rows=10**8, columns=10_000, cells=10**9)


@dataclass(frozen=True)
class TakenIn:
    """A file as a dataset."""

    columns: tuple[Column, ...]
    rows: list[list[Scalar]]
    read_as: ReadAs
    remarks: tuple[Remark, ...]

    @property
    def types(self) -> list[str]:
        return [column.type for column in self.columns]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def take_in(
    filename: str, content: str | bytes, options: ReadingOptions = ANYTHING, limits: TableLimits = AMPLE
) -> TakenIn:
    """Read a file in as an upload would be; gives its columns and all its rows."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        artifacts = ArtifactStore(folder)
        table = read_file(path, find_format(path, filename), replace(options, filename=filename), limits)
        with pa.OSFile(f"{folder}/table.parquet", "wb") as sink:
            stored = store(table, limits, sink)
        rows = preview(artifacts, "table.parquet", stored.columns, stored.rows)
        return TakenIn(stored.columns, rows, stored.read_as, stored.remarks)


def csv_file(header: Sequence[str] | None, rows: Sequence[Sequence[Any]], delimiter: str = ",") -> str:
    """A CSV file as Python's own module writes it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    if header is not None:
        writer.writerow(header)
    writer.writerows([["" if cell is None else _csv_cell(cell) for cell in row] for row in rows])
    return text.getvalue()


def json_file(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """An array of objects."""
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows])


def json_lines_file(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """One object a line."""
    return "\n".join(json.dumps(dict(zip(header, row, strict=True))) for row in rows)


def parquet_file(table: pa.Table) -> bytes:
    """A Parquet file."""
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def arrow_file(table: pa.Table, batch_rows: int | None = None, **options: Any) -> bytes:  # noqa: ANN401
    """A stream of Arrow's."""
    content = io.BytesIO()
    with ipc.new_stream(content, table.schema, options=ipc.IpcWriteOptions(**options)) as stream:
        stream.write_table(table, batch_rows)
    return content.getvalue()


def npz_file(**arrays: NDArray[Any]) -> bytes:
    """A NPZ file."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def _csv_cell(cell: object) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
