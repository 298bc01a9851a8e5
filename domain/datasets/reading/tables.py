"""What every reader makes of a file: a table of canonical types, and how such a table is stored."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.columns import Column, ColumnType, RowNames
from backprop_client.wire.datasets import ReadAs, Remark
from backprop_client.wire.error_codes import InvalidRequestCode
from domain.datasets.files import CANONICAL_TYPES, DatasetWriter
from domain.datasets.moments import FIRST_MOMENT, LAST_MOMENT
from domain.datasets.names import composed
from domain.datasets.reading.summaries import ColumnSummary
from infra.errors import FieldError, InvalidRequest, TooLarge

MAX_TEXT_BYTES = 32 * 2**10
"""Bytes of UTF-8. No cell may have a longer string, so that a batch of rows fits into memory whatever is in it."""

BATCH_CELLS = 2_000_000
"""Cells. Batches have so many where we choose their size. Every column of a batch costs a fixed time."""


LEAST_BYTES_A_CELL = 2
"""Bytes. A cell of a CSV file has at least a digit and a delimiter."""

MOST_REMARKS = 100
"""Remarks. A dataset keeps so many."""


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

    @property
    def unpacked_bytes(self) -> int:
        """Most bytes that a packed file may unpack to: as many as a CSV file of the most cells has at least."""
        return self.cells * LEAST_BYTES_A_CELL

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
    """A file's content.

    Attributes:
        schema: its columns; their types are all canonical.
        batches: its rows. Floats may still be NaN or infinite.
        read_as: how the file was read.
        remarks: what a person should look at. They are complete once all batches have been taken.
        row_names: columns that are names of rows, by what the file says of them.
        times_of_day: columns of moments that are times without a date. They are complete once all batches have been
            taken.
        types: what the client says of columns.
    """

    schema: pa.Schema
    batches: Generator[pa.RecordBatch, None, None]
    read_as: ReadAs
    remarks: list[Remark] = field(default_factory=list)
    row_names: Mapping[str, RowNames] = field(default_factory=dict)
    times_of_day: set[str] = field(default_factory=set)
    types: Mapping[str, ColumnType] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredTable:
    """What is known of a table once it is stored."""

    columns: tuple[Column, ...]
    rows: int
    read_as: ReadAs
    remarks: tuple[Remark, ...] = ()


def store(table: Table, limits: TableLimits, sink: pa.NativeFile) -> StoredTable:
    """Write a table as a canonical file and summarise its columns, in one pass over its batches.

    Raises:
        InvalidRequest: the table has no rows (``no_rows``), an infinite number (``infinite_number``) or an overlong
            string (``text_too_long``), or `table.batches` refuses something.
        TooLarge: the table exceeds `limits`.
    """
    width = len(table.schema)
    limits.check(0, width)
    summaries = [ColumnSummary(field.name, field.type, table.types.get(field.name)) for field in table.schema]
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
    described = tuple(
        summary.column(summary.name in table.times_of_day, table.row_names.get(summary.name)) for summary in summaries
    )
    return StoredTable(described, rows, table.read_as, _most_important(table.remarks))


def _most_important(remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    """The first ones: of thousands of columns there may be something to say, and nobody would read it."""
    more = len(remarks) - MOST_REMARKS
    if more <= 0:
        return tuple(remarks)
    return (*remarks[:MOST_REMARKS], Remark(message=f"There is more of this kind in other columns: {more:,} remarks."))


def column_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names in NFC and without spaces around them; one without a name is called after its position, ``column_3``.

    Raises:
        InvalidRequest: there is no column (``no_columns``), two have the same name (``duplicate_column``), or a name
            has half of a surrogate pair in it (``not_utf8``), as a JSON escape can.
    """
    if not names:
        raise InvalidRequest("no_columns", "The file has no columns.", (FieldError("/file", "has no columns"),))
    for name in names:
        if not _is_unicode(name):
            raise refuse_file("not_utf8", f"The column name {name!r} is not Unicode text.")
    complete = tuple(composed(name.strip()) or f"column_{position}" for position, name in enumerate(names, start=1))
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
    if pa.types.is_timestamp(column.type):
        _refuse_outside_the_calendar(name, column, rows_before)
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


def _refuse_outside_the_calendar(name: str, moments: pa.Array, rows_before: int) -> None:
    microseconds = moments.cast(pa.int64())
    inside = compute.and_(
        compute.greater_equal(microseconds, FIRST_MOMENT), compute.less_equal(microseconds, LAST_MOMENT)
    )
    outside = compute.index(inside, False).as_py()
    if outside >= 0:
        raise refuse_cell("datetime_out_of_range", rows_before + outside + 1, name, "the year is not 1 to 9999.")
