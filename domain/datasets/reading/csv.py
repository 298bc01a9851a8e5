"""CSV: text in rows and columns.

A first pass over the file finds each column's type from all its cells, a second one converts them. Neither holds more
than some megabytes of the file.

Rules:

- UTF-8, with or without a byte order mark.
- The delimiter is the one of ``,`` ``;`` tab ``|`` that cuts the first records into most columns, all into as many.
- The first row is a header unless one of its cells is a number.
- Cells may be quoted with ``"`` (a quote inside is doubled) and may then hold delimiters and line ends.
- Blank lines are ignored. Rows of different lengths are refused.
- Types and missing values: see `domain.datasets.reading.narrowing`.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from domain.datasets.reading.narrowing import FALSE, MISSING, TRUE, ColumnNarrowing, convert_padded
from domain.datasets.reading.tables import Table, TableLimits, column_names, refuse_file
from infra.errors import InvalidRequest

DELIMITERS = (",", ";", "\t", "|")

SAMPLE_BYTES = 2 * 2**20
"""Bytes. So much of the file decides on the delimiter and the header. The widest header must fit."""

SAMPLE_RECORDS = 20

_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
_RAGGED = re.compile(r"Row #(?P<record>\d+): Expected (?P<expected>\d+) columns, got (?P<actual>\d+)")


@dataclass(frozen=True)
class _Layout:
    """How the file is cut into cells.

    Attributes:
        delimiter: one character.
        names: the columns'.
        skipped: records before the first row of data: blank ones and the header.
        header_records: 1 if there is a header, else 0.
        ends: the file ends with the skipped records.
    """

    delimiter: str
    names: tuple[str, ...]
    skipped: int
    header_records: int
    ends: bool


def read_csv(path: Path, limits: TableLimits, header: bool | None = None, delimiter: str | None = None) -> Table:
    """The table in a CSV file.

    Args:
        path: the file.
        limits: how large it may be.
        header: whether the first row names the columns; None: see the module's rules.
        delimiter: one of `DELIMITERS`; None: see the module's rules.

    Raises:
        InvalidRequest: it is no CSV file by the module's rules (``not_text``, ``not_utf8``, ``empty_file``,
            ``ragged_row``, ``duplicate_column``, ``row_too_long``, ``invalid_csv``); some only while the batches
            are read.
        TooLarge: it exceeds `limits`.
    """
    layout = _layout(path, limits, header, delimiter)
    narrowings = _narrow(path, layout, limits)
    schema = pa.schema([(name, narrowing.type) for name, narrowing in zip(layout.names, narrowings, strict=True)])
    return Table(schema, _typed_batches(path, layout, schema, narrowings))


def _narrow(path: Path, layout: _Layout, limits: TableLimits) -> list[ColumnNarrowing]:
    narrowings = [ColumnNarrowing() for _ in layout.names]
    rows = 0
    for batch in _batches(path, layout, dict.fromkeys(layout.names, pa.string())):
        rows += batch.num_rows
        limits.check(rows, len(layout.names))
        for narrowing, column in zip(narrowings, batch.columns, strict=True):
            narrowing.add(column)
    return narrowings


def _typed_batches(
    path: Path, layout: _Layout, schema: pa.Schema, narrowings: list[ColumnNarrowing]
) -> Generator[pa.RecordBatch, None, None]:
    read_as = {
        field.name: pa.string() if narrowing.padded else field.type
        for field, narrowing in zip(schema, narrowings, strict=True)
    }
    for batch in _batches(path, layout, read_as):
        columns = [
            convert_padded(column, field.type) if narrowing.padded else column
            for field, narrowing, column in zip(schema, narrowings, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _batches(path: Path, layout: _Layout, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    if layout.ends:  # Arrow cannot skip a record that has no line end
        return
    try:
        yield from arrow_csv.open_csv(
            path,
            arrow_csv.ReadOptions(
                column_names=layout.names,
                skip_rows_after_names=layout.skipped,
                block_size=_block_size(len(layout.names)),
                use_threads=False,  # else errors do not name the row
            ),
            arrow_csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=types,
                null_values=MISSING,
                strings_can_be_null=True,
                true_values=TRUE,
                false_values=FALSE,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _refusal(path, layout, str(error)) from error


def _block_size(columns: int) -> int:
    """Bytes parsed at once: more for wide tables, where each column of a block costs a fixed time."""
    return min(max(columns * 4 * 2**10, 4 * 2**20), 16 * 2**20)


def _refusal(path: Path, layout: _Layout, message: str) -> InvalidRequest:
    """What Arrow says, in the words of somebody who has only the file."""
    ragged = _RAGGED.search(message)
    if ragged:
        row = int(ragged["record"]) - layout.header_records
        return refuse_file(
            "ragged_row",
            f"Row {row:,} has {ragged['actual']} cells, and the first has {ragged['expected']} "
            f"(delimiter {layout.delimiter!r}). Every row needs as many; quote a cell that holds the delimiter.",
        )
    if "UTF8" in message:
        return _not_utf8(path)
    if "straddling" in message:
        return refuse_file(
            "row_too_long",
            f"A row is longer than {_block_size(len(layout.names)):,} bytes; a quote may have been left open.",
        )
    return refuse_file("invalid_csv", f"The file cannot be read as CSV: {message}")


def _not_utf8(path: Path) -> InvalidRequest:
    return refuse_file("not_utf8", f"Line {_first_line_not_utf8(path):,} is not UTF-8 text; save the file as UTF-8.")


def _first_line_not_utf8(path: Path) -> int:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    raise AssertionError(f"{path} is UTF-8")


def _layout(path: Path, limits: TableLimits, header: bool | None, delimiter: str | None) -> _Layout:
    sample = _sample(path)
    delimiter = delimiter or max(DELIMITERS, key=lambda candidate: _fitness(sample, candidate))
    records, complete = _records(sample, delimiter)
    blank = sum(1 for _ in itertools.takewhile(lambda record: not record, records))
    if blank == len(records):
        raise refuse_file("empty_file", "The file has no rows.")
    first = records[blank]
    limits.check(0, len(first))  # of a row without end there may be only a part here
    if header is None:
        header = not any(map(is_number, first))
    names = column_names(first if header else [""] * len(first))
    skipped = blank + header
    ends = complete and len(records) == skipped and path.stat().st_size <= SAMPLE_BYTES
    return _Layout(delimiter, names, skipped, int(header), ends)


def is_number(cell: str) -> bool:
    """Whether a cell is written as a number."""
    return _NUMBER.fullmatch(cell) is not None


def _sample(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refuse_file("not_utf8", "The file is UTF-16 text; save it as UTF-8.")
    if b"\0" in head:
        raise refuse_file("not_text", "The file is not text, so it is no CSV; name its format if it is another.")
    try:
        # A character cut in two at the end of the sample is left out.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error


def _records(sample: str, delimiter: str) -> tuple[list[list[str]], bool]:
    """The first records of the sample, and whether these are all; a blank line is an empty one."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        records.extend(itertools.islice(reader, SAMPLE_RECORDS))
    except csv.Error as error:  # a cell beyond the module's limit: what comes before it must do
        if not records:
            raise refuse_file("invalid_csv", f"The first row cannot be read: {error}.") from error
        return records, False
    return records, len(records) < SAMPLE_RECORDS


def _fitness(sample: str, delimiter: str) -> tuple[bool, int]:
    """How well a delimiter fits: whether it cuts all records into as many cells, more than one; then how many."""
    try:
        widths = [len(record) for record in _records(sample, delimiter)[0] if record]
    except InvalidRequest:
        return False, 0
    if not widths:
        return False, 0
    # The sample may end within its last record.
    complete = widths if len(widths) < 3 else widths[:-1]
    return len(set(complete)) == 1 and complete[0] > 1, widths[0]
