"""What every reader makes of a file: a table of canonical types, and how such a table is stored."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.columns import Column
from backprop_client.wire.error_codes import InvalidRequestCode
from domain.datasets.files import CANONICAL_TYPES, DatasetWriter
from domain.datasets.reading.summaries import ColumnSummary
from infra.errors import FieldError, InvalidRequest, TooLarge

MAX_TEXT_BYTES = 32 * 2**10
"""Bytes of UTF-8. No cell may have a longer string, so that a batch of rows fits into memory whatever is in it."""

BATCH_CELLS = 2_000_000
"""Cells. Batches have so many where we choose their size. Every column of a batch costs a fixed time."""


@dataclass(frozen=True)
class TableLimits:
    """How large a table may be.

    Attributes:
        rows: most rows.
        columns: most columns.
        cells: most cells. Formats that compress can declare any number of them in a few bytes.
    """

    rows: int
    columns: int
    cells: int

    def check(self, rows: int, columns: int) -> None:
        """Refuse a table of this many rows and columns if it is too large.

        Raises:
            TooLarge: code ``too_many_rows``, ``too_many_columns`` or ``too_many_cells``.
        """
        if columns > self.columns:
            raise TooLarge(
                "too_many_columns",
                f"The table has {columns:,} columns; this server takes {self.columns:,} (BACKPROP_MAX_COLUMNS).",
            )
        if rows > self.rows:
            raise TooLarge(
                "too_many_rows",
                f"The table has more than the {self.rows:,} rows this server takes (BACKPROP_MAX_ROWS).",
            )
        if rows * columns > self.cells:
            raise TooLarge(
                "too_many_cells",
                f"The table has more than the {self.cells:,} cells this server takes: as many as the largest CSV file "
                "could hold at two bytes a cell (BACKPROP_MAX_UPLOAD_BYTES).",
            )


@dataclass(frozen=True)
class Table:
    """A file's content: `batches` of `schema`, whose types are all canonical. Floats may still be NaN or infinite."""

    schema: pa.Schema
    batches: Generator[pa.RecordBatch, None, None]


@dataclass(frozen=True)
class StoredTable:
    """What is known of a table once it is stored."""

    columns: tuple[Column, ...]
    rows: int


def store(table: Table, limits: TableLimits, sink: pa.NativeFile) -> StoredTable:
    """Write a table as a canonical file and summarise its columns, in one pass over its batches.

    Raises:
        InvalidRequest: the table has no rows (``no_rows``), an infinite number (``infinite_number``) or an overlong
            string (``text_too_long``), or `table.batches` refuses something.
        TooLarge: the table exceeds `limits`.
    """
    width = len(table.schema)
    limits.check(0, width)
    summaries = [ColumnSummary(field.name, field.type) for field in table.schema]
    rows = 0
    with DatasetWriter(sink, table.schema) as writer, closing(table.batches) as batches:
        for batch in batches:
            limits.check(rows + batch.num_rows, width)
            columns = [
                _checked(field.name, column, rows) for field, column in zip(table.schema, batch.columns, strict=True)
            ]
            for summary, column in zip(summaries, columns, strict=True):
                summary.add(column)
            writer.write(pa.RecordBatch.from_arrays(columns, schema=table.schema))
            rows += batch.num_rows
    if rows == 0:
        raise InvalidRequest("no_rows", "The file has no rows of data.", (FieldError("/file", "has no rows"),))
    return StoredTable(tuple(summary.column() for summary in summaries), rows)


def column_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names without spaces around them; a column without a name is called after its position, ``column_3``.

    Raises:
        InvalidRequest: there is no column (``no_columns``), two have the same name (``duplicate_column``), or a name
            has half of a surrogate pair in it (``not_utf8``), as a JSON escape can.
    """
    if not names:
        raise InvalidRequest("no_columns", "The file has no columns.", (FieldError("/file", "has no columns"),))
    for name in names:
        if not _is_unicode(name):
            raise refuse_file("not_utf8", f"The column name {name!r} is not Unicode text.")
    complete = tuple(name.strip() or f"column_{position}" for position, name in enumerate(names, start=1))
    seen: set[str] = set()
    for name in complete:
        if name in seen:
            raise InvalidRequest(
                "duplicate_column",
                f"Two columns are named {name!r}; every column needs a name of its own.",
                (FieldError("/file", f"has two columns named {name!r}"),),
            )
        seen.add(name)
    return complete


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_cell(code: InvalidRequestCode, row: int, column: str, what: str) -> InvalidRequest:
    """The refusal of one cell; `row` counts the rows of data from 1."""
    message = f"Row {row:,}, column {column!r}: {what}"
    return InvalidRequest(code, message, (FieldError("/file", message),))


def refuse_file(code: InvalidRequestCode, message: str) -> InvalidRequest:
    """The refusal of a file as a whole."""
    return InvalidRequest(code, message, (FieldError("/file", message),))


def refuse_long_text(column: str, row: int) -> InvalidRequest:
    """The refusal of a string beyond `MAX_TEXT_BYTES`."""
    return refuse_cell("text_too_long", row, column, f"the text is longer than {MAX_TEXT_BYTES:,} bytes.")


def _checked(name: str, column: pa.Array, rows_before: int) -> pa.Array:
    """The column with NaN as missing; anything a dataset may not hold is refused."""
    assert column.type in CANONICAL_TYPES, column.type  # noqa: S101
    if pa.types.is_string(column.type):
        long = compute.index(compute.greater(compute.binary_length(column), MAX_TEXT_BYTES), True).as_py()
        if long >= 0:
            raise refuse_long_text(name, rows_before + long + 1)
    if not pa.types.is_floating(column.type):
        return column
    # The sum is finite far more often than not, and one pass tells.
    total = compute.sum(column).as_py()
    if total is None or abs(total) < float("inf"):
        return column
    infinite = compute.index(compute.is_inf(column), True).as_py()
    if infinite >= 0:
        raise refuse_cell(
            "infinite_number",
            rows_before + infinite + 1,
            name,
            "the number is infinite; leave it empty if it is unknown.",
        )
    return compute.if_else(compute.is_nan(column), pa.scalar(None, pa.float64()), column)
