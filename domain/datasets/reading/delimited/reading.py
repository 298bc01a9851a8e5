"""CSV and its kin: the table in a file of text in rows and columns.

A first pass over the rows finds each column's type from all its cells, a second one converts them. Neither holds more
than some megabytes of the file.

- The text: `encoding`.
- What is between cells, and which row is the header: `layout`, `header`.
- Quoted cells as others write them, and columns cut by spaces, are rewritten first: `quoting`, `spaces`.
- Types: `narrowing`. Numbers, dates and words for missing values: `cells`, and in whole columns `numbers`, `moments`.
- The decimal sign is one for the file: `decimals`.
- What a person should look at: `remarks`.

Blank lines are ignored. Rows of different lengths are refused.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv as arrow_csv

from backprop_client.wire.columns import RowNames
from backprop_client.wire.datasets import MISSING, Decimal, Delimiter, ReadAs, Remark
from domain.datasets.reading.content import Content
from domain.datasets.reading.delimited.cells import FALSE, TRUE
from domain.datasets.reading.delimited.decimals import decimal_of, possible_decimals
from domain.datasets.reading.delimited.encoding import Text, utf8_text
from domain.datasets.reading.delimited.layout import Layout, find_layout
from domain.datasets.reading.delimited.narrowing import ColumnNarrowing
from domain.datasets.reading.delimited.quoting import (
    has_backslashed_quotes,
    has_spaces_before_quotes,
    in_standard_form,
)
from domain.datasets.reading.delimited.readings import Cells, MomentReading, NumberReading, Reading
from domain.datasets.reading.delimited.remarks import (
    OddCells,
    ambiguous_decimals,
    odd_moments,
    odd_numbers,
    other_decimal,
    words_for_missing,
)
from domain.datasets.reading.delimited.spaces import lines_cut_by_spaces
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import Table, TableLimits, refuse_file
from infra.errors import InvalidRequest

_RAGGED = re.compile(r"Row #(?P<record>\d+): Expected (?P<expected>\d+) columns, got (?P<actual>\d+)")


@dataclass(frozen=True)
class _Rows:
    """The rows of data, so that Arrow can read them.

    Attributes:
        content: has them.
        begin: where they begin there, in bytes.
        delimiter: between the cells in `content`.
        said: the same in the file.
        names: the columns'.
        missing: words for a missing value in any column.
    """

    content: Content | None
    begin: int
    delimiter: str
    said: Delimiter
    names: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Column:
    """How a column is read.

    Attributes:
        name: the column's.
        type: of its values.
        reading: None: as strings, or it has no values.
        arrow_type: that Arrow reads it as.
        odd: counts what stands out, if most cells look like something else than strings.
    """

    name: str
    type: pa.DataType
    reading: Reading | None
    arrow_type: pa.DataType
    odd: tuple[OddCells, ...] = ()

    def values(self, column: pa.Array, given: tuple[str, ...], rows_before: int) -> pa.Array:
        """What Arrow has read, as values."""
        for odd in self.odd:
            odd.add(column, rows_before)
        if column.type == self.type:
            return column
        if self.reading is None:
            return pa.nulls(len(column), self.type)
        return self.reading.values(Cells(column, given))


def read_csv(content: Content, limits: TableLimits, options: ReadingOptions) -> Table:
    """The table in a CSV file.

    Raises:
        InvalidRequest: it is no CSV file by the module's rules (``not_text``, ``not_utf8``, ``empty_file``,
            ``ragged_row``, ``duplicate_column``, ``row_too_long``, ``invalid_csv``); some only while the batches
            are read.
        TooLarge: it exceeds `limits`.
    """
    text = utf8_text(content, options.encoding)
    layout, rows = _laid_out(text, limits, options)
    decimals = possible_decimals(options.decimal, layout.delimiter)
    narrowings = _narrow(rows, limits, decimals)
    decimal = decimal_of(narrowings, decimals, layout.delimiter)
    columns = [
        _column(name, narrowing, decimal.sign, decimals, told=name in options.types)
        for name, narrowing in zip(rows.names, narrowings, strict=True)
    ]
    remarks = [*text.remarks, *_remarks(columns, narrowings, decimal.sign, decimal.is_a_guess)]
    return Table(
        pa.schema([(column.name, column.type) for column in columns]),
        _typed_batches(rows, columns, remarks),
        ReadAs(
            format="csv",
            encoding=text.encoding,
            delimiter=layout.delimiter,
            decimal=decimal.sign,
            header=layout.header,
            missing_values=options.missing_values,
        ),
        remarks=remarks,
        row_names=_row_names(layout),
        times_of_day={
            column.name
            for column in columns
            if isinstance(column.reading, MomentReading) and column.reading.times_of_day
        },
    )


def _laid_out(text: Text, limits: TableLimits, options: ReadingOptions) -> tuple[Layout, _Rows]:
    """How the file is cut into cells, and its rows."""

    def layout_of(escapes: bool) -> Layout:
        return find_layout(
            text.content, limits, options.header, options.delimiter, options.suffix, escapes, options.headless
        )

    layout, escapes = layout_of(escapes=False), False
    if text.has_quotes and has_backslashed_quotes(text.content, 0, layout.delimiter):
        layout, escapes = layout_of(escapes=True), True
    content: Content | None = text.content
    begin = layout.begin
    if layout.delimiter == " ":
        content, begin = text.content.rewritten(lines_cut_by_spaces(text.content, begin)), 0
    elif text.has_quotes and (escapes or has_spaces_before_quotes(text.content, begin, layout.delimiter)):
        standard = in_standard_form(text.content, begin, layout.delimiter, escapes)
        content, begin = text.content.rewritten(standard), 0
    delimiter = "\t" if layout.delimiter == " " else layout.delimiter
    missing = (*MISSING, *options.missing_values)
    return layout, _Rows(content, begin, delimiter, layout.delimiter, layout.names, missing)


def _row_names(layout: Layout) -> dict[str, RowNames]:
    return {layout.names[0]: "nameless"} if layout.is_nameless else {}


def _narrow(rows: _Rows, limits: TableLimits, decimals: tuple[Decimal, ...]) -> list[ColumnNarrowing]:
    given = rows.missing[len(MISSING) :]
    narrowings = [ColumnNarrowing(decimals, given) for _ in rows.names]
    rows_before = 0
    for batch in _batches(rows, dict.fromkeys(rows.names, pa.string())):
        limits.check(rows_before + batch.num_rows, len(rows.names))
        for narrowing, column in zip(narrowings, batch.columns, strict=True):
            narrowing.add(column, rows_before)
        rows_before += batch.num_rows
    return narrowings


def _column(
    name: str, narrowing: ColumnNarrowing, decimal: Decimal, decimals: tuple[Decimal, ...], told: bool
) -> _Column:
    """How a column is read. Of one whose type the client tells, the text is kept for `domain.datasets.reading.told`."""
    if told:
        return _Column(name, pa.string(), None, pa.string())
    if narrowing.is_of_strings:
        odd = []
        if narrowing.looks_like_numbers:
            odd.append(odd_numbers(name, decimals))
        if narrowing.looks_like_moments:
            odd.append(odd_moments(name))
        return _Column(name, pa.string(), None, pa.string(), tuple(odd))
    reading = narrowing.reading(decimal)
    if reading is None:
        return _Column(name, pa.float64(), None, pa.string())
    return _Column(name, reading.type, reading, reading.type if narrowing.is_plain(reading) else pa.string())


def _remarks(
    columns: list[_Column], narrowings: list[ColumnNarrowing], decimal: Decimal, is_a_guess: bool
) -> Iterator[Remark]:
    for column, narrowing in zip(columns, narrowings, strict=True):
        if narrowing.is_of_strings:
            continue
        yield from words_for_missing(column.name, narrowing.words)
        if is_a_guess and narrowing.is_ambiguous:
            yield ambiguous_decimals(column.name, decimal)
        if isinstance(column.reading, NumberReading) and column.reading.decimal != decimal:
            yield other_decimal(column.name, column.reading.decimal)


def _typed_batches(rows: _Rows, columns: list[_Column], remarks: list[Remark]) -> Generator[pa.RecordBatch, None, None]:
    """The rows; what is counted on the way is remarked at the end."""
    schema = pa.schema([(column.name, column.type) for column in columns])
    given = rows.missing[len(MISSING) :]
    rows_before = 0
    for batch in _batches(rows, {column.name: column.arrow_type for column in columns}):
        values = [column.values(read, given, rows_before) for column, read in zip(columns, batch.columns, strict=True)]
        yield pa.RecordBatch.from_arrays(values, schema=schema)
        rows_before += batch.num_rows
    found = (odd.remark() for column in columns for odd in column.odd)
    remarks.extend(remark for remark in found if remark is not None)


def _batches(rows: _Rows, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    if rows.content is None or rows.begin == len(rows.content.data):  # Arrow does not read what is empty
        return
    try:
        yield from arrow_csv.open_csv(
            rows.content.opened(rows.begin),
            arrow_csv.ReadOptions(
                column_names=rows.names,
                block_size=_block_size(len(rows.names)),
                use_threads=False,  # else errors do not name the row
            ),
            arrow_csv.ParseOptions(delimiter=rows.delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=types,
                null_values=rows.missing,
                strings_can_be_null=True,
                true_values=TRUE,
                false_values=FALSE,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _refusal(rows, str(error)) from error


def _block_size(columns: int) -> int:
    """Bytes parsed at once: more for wide tables, where each column of a block costs a fixed time."""
    return min(max(columns * 4 * 2**10, 4 * 2**20), 16 * 2**20)


def _refusal(rows: _Rows, message: str) -> InvalidRequest:
    """What Arrow says, in the words of somebody who has only the file."""
    if message.startswith("Empty CSV"):
        return refuse_file("no_rows", "The file has no rows of data.")
    ragged = _RAGGED.search(message)
    if ragged:
        return refuse_file(
            "ragged_row",
            f"Row {int(ragged['record']):,} has {ragged['actual']} cells, and the first has {ragged['expected']} "
            f"(delimiter {rows.said!r}). Every row needs as many; quote a cell that holds the delimiter.",
        )
    if "straddling" in message:
        return refuse_file(
            "row_too_long",
            f"A row is longer than {_block_size(len(rows.names)):,} bytes; a quote may have been left open.",
        )
    return refuse_file("invalid_csv", f"The file cannot be read as CSV: {message}")
