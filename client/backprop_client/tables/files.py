"""A table as a file that the service reads: each value comes to be what it is here.

With pyarrow a stream of Arrow's. Without it text: CSV, or rows in JSON where CSV would not tell a string as it is, as
those that stand for a missing value. Types are told where text alone would not tell them.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any

from backprop_client.tables.libraries import installed
from backprop_client.tables.table import Table
from backprop_client.tables.values import Kind, PlainColumn, Value
from backprop_client.wire.columns import ColumnType
from backprop_client.wire.datasets import MISSING, SPACES

_BATCH_ROWS = 65_536
"""Rows of a batch in a stream of Arrow's. The service holds a batch at a time."""

_MISSING_CELL = "NA"
"""What a missing cell is in CSV. A row of one empty cell would be a blank line."""

_NO_TEXT = ("\ufeff", "\0")
"""Byte order marks are left out of CSV wherever they are, and a file with zeros is none of text."""

_TOLD: dict[Kind, ColumnType] = {
    "boolean": "boolean",
    "string": "category",
    "moment": "datetime",
    "time of day": "datetime",
}
"""Which type is told for columns of a kind. Strings told to be categories are read as they are written."""


@dataclass(frozen=True)
class TableFile:
    """A file to upload.

    Attributes:
        name: its suffix tells the format.
        content: at its beginning.
        fields: what is said of it: fields of an upload.
    """

    name: str
    content: IO[bytes]
    fields: dict[str, Any]


@contextmanager
def table_file(table: Table) -> Iterator[TableFile]:
    """The table as a file on the disk, for as long as it is needed.

    Raises:
        TypeError: a column is of a type that the service does not have; the message names it.
        ValueError: a string is no Unicode text.
    """
    with TemporaryFile() as content:
        yield _written(table, content)


def arrow_bytes(table: Table) -> bytes:
    """The table as a stream of Arrow's. pyarrow must be there."""
    pa = installed("pyarrow")
    sink = pa.BufferOutputStream()
    _write_arrow(table, sink)
    return bytes(sink.getvalue())


def plain_rows(table: Table) -> list[list[Any]]:
    """The rows as JSON has them: moments as text, None for a missing value.

    Raises:
        TypeError: a column is of a type that the service does not have; the message names it.
        ValueError: a string is no Unicode text, or a number is infinite.
    """
    columns = [_as_json(_finite(column.name, column.plain())) for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _finite(name: str, column: PlainColumn) -> PlainColumn:
    if column.kind == "number":
        for row, value in enumerate(column.values):
            if isinstance(value, float) and math.isinf(value):
                raise ValueError(f"Column {name!r}, row {row}: the number is infinite. None stands for an unknown one.")
    return column


def _written(table: Table, content: IO[bytes]) -> TableFile:
    if installed("pyarrow") is not None:
        _write_arrow(table, content)
        file = TableFile("table.arrows", content, {})
    else:
        columns = [column.plain() for column in table.columns]
        file = _write_text(table, columns, content)
    content.seek(0)
    return file


def _write_arrow(table: Table, sink: Any) -> None:  # noqa: ANN401
    pa = installed("pyarrow")
    arrow = pa.table({column.name: column.arrow() for column in table.columns}).unify_dictionaries()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, arrow.schema, options=options) as stream:
        stream.write_table(arrow, _BATCH_ROWS)


def _write_text(table: Table, columns: list[PlainColumn], content: IO[bytes]) -> TableFile:
    told = {name: _TOLD[column.kind] for name, column in zip(table.names, columns, strict=True) if column.kind in _TOLD}
    fields: dict[str, Any] = {"header": True, "encoding": "utf-8", **({"types": told} if told else {})}
    if any(map(_is_lost_in_csv, table.names)) or any(map(_has_what_is_lost, columns)):
        names = json.dumps(table.names)
        rows = zip(*map(_as_json, columns), strict=True)
        content.writelines(f"{line}\n".encode() for line in chain([names], map(_json_line, rows)))
        return TableFile("table.jsonl", content, fields)
    header = ",".join(map(_quoted, table.names))
    lines = map(",".join, zip(*map(_as_cells, columns), strict=True))
    content.writelines(f"{line}\n".encode() for line in chain([header], lines))
    return TableFile("table.csv", content, {**fields, "delimiter": ",", "decimal": "."})


def _has_what_is_lost(column: PlainColumn) -> bool:
    return column.kind == "string" and any(isinstance(value, str) and _is_lost_in_csv(value) for value in column.values)


def _is_lost_in_csv(text: str) -> bool:
    """Whether a text in CSV would be taken for a missing value, or for something else than text in a part of it."""
    return text.strip(SPACES) in MISSING or any(character in text for character in _NO_TEXT)


def _json_line(row: tuple[Any, ...]) -> str:
    return json.dumps(row, separators=(",", ":"))


def _as_json(column: PlainColumn) -> list[Any]:
    if column.kind in ("moment", "time of day"):
        return [None if value is None else _iso(value) for value in column.values]
    return column.values


def _as_cells(column: PlainColumn) -> Iterator[str]:
    return (_MISSING_CELL if value is None else _cell(value) for value in column.values)


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime | dt.time):
        return _iso(value)
    return repr(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _iso(value: Any) -> str:  # noqa: ANN401
    text: str = value.isoformat()
    return text
