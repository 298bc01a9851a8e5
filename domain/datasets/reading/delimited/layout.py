"""How a file is cut into cells: its delimiter, its header, and where its first row of data begins.

Before the rows there may be blank lines, a line ``sep=;`` that names the delimiter, and comments, which begin with
``#``. A comment that is cut into as many cells as the rows below is their header.

A delimiter fits if it cuts all first records into as many cells, more than one. In R's habit the header may have one
cell less: the first column, of names of rows, has none there. Of those that fit:

- the tab is taken in a file named ``.tsv`` or ``.tab``;
- else one that fits without R's habit rather than with it, another than the comma rather than the comma, which numbers
  and texts have inside, and the one that makes most columns.

Spaces are taken if no other fits, or only the tab and with fewer columns, and if most cells are numbers then. If
nothing fits, the delimiter is the one that cuts the first record into most cells.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from backprop_client.wire.datasets import Delimiter
from domain.datasets.reading.content import Content
from domain.datasets.reading.delimited.header import is_header, kind_of
from domain.datasets.reading.delimited.spaces import cut_by_spaces
from domain.datasets.reading.tables import TableLimits, column_names, refuse_file
from infra.errors import InvalidRequest

DELIMITERS: tuple[Delimiter, ...] = get_args(Delimiter)

SAMPLE_BYTES = 2 * 2**20
"""Bytes. So much of the file decides on the delimiter and the header. The widest header must fit."""

SAMPLE_RECORDS = 20

_TAB_SUFFIXES = (".tsv", ".tab")
_SEPARATOR_LINE = re.compile(r'[ \t]*"?sep=(.)"?[ \t]*[\r\n]*', re.IGNORECASE)

Fit = Literal["none", "as R writes", "exact"]


@dataclass(frozen=True)
class Layout:
    """How a file is cut into cells.

    Attributes:
        delimiter: between them.
        names: the columns'.
        begin: where the first row of data begins, in bytes.
        header: whether there is one.
        is_nameless: the header has no name for the first column.
    """

    delimiter: Delimiter
    names: tuple[str, ...]
    begin: int
    header: bool
    is_nameless: bool


@dataclass(frozen=True)
class _Lines:
    """The first lines of a file, and where the first of them begins."""

    lines: list[str]
    begin: int
    are_all: bool

    def skipping(self, count: int) -> _Lines:
        begin = self.begin + sum(len(line.encode()) for line in self.lines[:count])
        return _Lines(self.lines[count:], begin, self.are_all)


@dataclass(frozen=True)
class _Cut:
    """The first lines as one delimiter cuts them.

    Attributes:
        delimiter: that one.
        records: the first ones, blank ones left out.
        begin: where the first begins, in bytes.
        second: where the second begins.
        are_whole: the last one does not go on behind the sample.
    """

    delimiter: Delimiter
    records: list[list[str]]
    begin: int
    second: int
    are_whole: bool

    @property
    def first(self) -> list[str]:
        """The first record: the header, if there is one."""
        return self.records[0]

    @property
    def rows(self) -> list[list[str]]:
        """The others that are there as a whole."""
        rows = self.records[1:]
        return rows if self.are_whole or len(rows) < 2 else rows[:-1]

    @property
    def fit(self) -> Fit:
        """How well the delimiter fits."""
        widths = {len(row) for row in self.rows} or {len(self.first)}
        if len(widths) > 1 or max(widths) < 2:
            return "none"
        missing = max(widths) - len(self.first)
        if missing == 0:
            return "exact"
        # A single word above columns cut by spaces says nothing, and numbers are no names: the row is short.
        says_nothing = self.delimiter == " " and len(self.first) == 1
        are_names = not {"number", "moment"} & set(map(kind_of, self.first))
        return "as R writes" if missing == 1 and are_names and not says_nothing else "none"

    @property
    def has_mostly_numbers(self) -> bool:
        """Whether most cells of the rows that have a value are numbers."""
        kinds = [kind_of(cell) for row in self.rows or self.records for cell in row]
        return 2 * kinds.count("number") > len(kinds) - kinds.count("missing")


def find_layout(
    content: Content,
    limits: TableLimits,
    header: bool | None,
    delimiter: Delimiter | None,
    suffix: str,
    escapes: bool,
    headless: tuple[tuple[str, ...], ...] = (),
) -> Layout:
    """How a file is cut into cells.

    Args:
        content: its text, as UTF-8.
        limits: how large a table it may be.
        header: whether the first row names the columns; None: see `domain.datasets.reading.delimited.header`.
        delimiter: between the cells; None: see the module's rules.
        suffix: of the file's name.
        escapes: whether quotes within quoted cells have a backslash before them.
        headless: what the columns are called if there is no header: the first of these that has as many names, else
            after their positions.

    Raises:
        InvalidRequest: the file has no rows (``empty_file``), a first row that cannot be read (``invalid_csv``), or two
            columns of one name (``duplicate_column``).
        TooLarge: it has more columns than `limits` allow.
    """
    lines, named = _without_separator_line(_first_lines(content))
    if not any(map(str.strip, lines.lines)):
        raise refuse_file("empty_file", "The file has no rows.")
    delimiter = delimiter or named
    cut = _cut(lines, delimiter, escapes) if delimiter else _best_cut(lines, suffix, escapes)
    limits.check(0, len(cut.first))  # of a row without end there may be only a part here
    first = _names_of(cut)
    if header is None:
        header = cut.fit == "as R writes" or is_header(first, [row for row in cut.rows if len(row) == len(first)])
    nameless = next((names for names in headless if len(names) == len(first)), ("",) * len(first))
    names = column_names(first if header else nameless)
    return Layout(cut.delimiter, names, cut.second if header else cut.begin, header, header and not first[0].strip())


def _names_of(cut: _Cut) -> list[str]:
    """The first record, completed in R's habit."""
    if cut.fit != "as R writes":
        return cut.first
    # A delimiter at the end of each row, but not of the header, makes a last cell with nothing in it.
    return [*cut.first, ""] if not any(row[-1].strip() for row in cut.rows) else ["", *cut.first]


def _first_lines(content: Content) -> _Lines:
    head = content.data[:SAMPLE_BYTES]
    begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    # A character cut in two at the end of the sample is left out.
    text = codecs.getincrementaldecoder("utf-8")().decode(head[begin:])
    return _Lines(list(io.StringIO(text, newline="")), begin, len(head) == len(content.data))


def _without_separator_line(lines: _Lines) -> tuple[_Lines, Delimiter | None]:
    """The lines after one that names the delimiter, and which that is."""
    blank = sum(1 for _ in itertools.takewhile(lambda line: not line.strip(), lines.lines))
    separator = _SEPARATOR_LINE.fullmatch(lines.lines[blank]) if blank < len(lines.lines) else None
    if separator is None or separator[1] not in DELIMITERS:
        return lines, None
    return lines.skipping(blank + 1), cast("Delimiter", separator[1])


def _best_cut(lines: _Lines, suffix: str, escapes: bool) -> _Cut:
    cuts: dict[Delimiter, _Cut] = {}
    for delimiter in DELIMITERS:
        try:
            cuts[delimiter] = _cut(lines, delimiter, escapes)
        except InvalidRequest:
            if delimiter == DELIMITERS[-1] and not cuts:
                raise
    spaces = cuts.pop(" ", None)
    fitting = [cut for cut in cuts.values() if cut.fit != "none"]
    best = max(fitting, key=lambda cut: (cut.fit == "exact", cut.delimiter != ",", len(cut.first)), default=None)
    if "\t" in cuts and cuts["\t"].fit != "none" and suffix in _TAB_SUFFIXES:
        return cuts["\t"]
    if spaces and spaces.fit != "none" and spaces.has_mostly_numbers and _is_beaten_by_spaces(best, spaces):
        return spaces
    return best or max(cuts.values(), key=lambda cut: len(cut.first), default=None) or _cut(lines, ",", escapes)


def _is_beaten_by_spaces(best: _Cut | None, spaces: _Cut) -> bool:
    return best is None or (best.delimiter == "\t" and len(best.first) < len(spaces.first))


def _cut(lines: _Lines, delimiter: Delimiter, escapes: bool) -> _Cut:
    records: list[list[str]] = []
    ends: list[int] = []
    try:
        lines = lines.skipping(_comments(lines, delimiter, escapes))
        uncommented = [lines.lines[0].lstrip("# "), *lines.lines[1:]]
        for record, end in _records(uncommented, delimiter, escapes):
            if record:
                records.append(record)
                ends.append(end)
            if len(records) > SAMPLE_RECORDS:
                break
    except csv.Error as error:  # a cell beyond the module's limit: what comes before it must do
        if not records:
            raise refuse_file("invalid_csv", f"The first row cannot be read: {error}.") from error
    if not records:
        raise refuse_file("empty_file", "The file has no rows.")
    second = lines.skipping(ends[0]).begin
    is_all_used = ends[-1] >= len(lines.lines)
    return _Cut(delimiter, records, lines.begin, second, lines.are_all or not is_all_used)


def _records(lines: list[str], delimiter: Delimiter, escapes: bool) -> Iterator[tuple[list[str], int]]:
    """Each record, and how many lines there are up to its end. That of a blank line is empty."""
    cut = map(cut_by_spaces, lines) if delimiter == " " else iter(lines)
    reader = csv.reader(
        cut,
        delimiter="\t" if delimiter == " " else delimiter,
        skipinitialspace=True,
        escapechar="\\" if escapes else None,
    )
    for record in reader:
        yield record, reader.line_num


def _comments(lines: _Lines, delimiter: Delimiter, escapes: bool) -> int:
    """How many lines come before the table: blank ones and comments."""
    leading = list(itertools.takewhile(lambda line: not line.strip() or line.startswith("#"), lines.lines))
    if len(leading) == len(lines.lines):  # all of them begin so
        return next(number for number, line in enumerate(leading) if line.strip())
    below = next((record for record, _ in _records(lines.lines[len(leading) :], delimiter, escapes) if record), None)
    for number, line in enumerate(leading):
        if line.startswith("#") and below and _heads(line, below, delimiter, escapes):
            return number
    return len(leading)


def _heads(comment: str, below: list[str], delimiter: Delimiter, escapes: bool) -> bool:
    """Whether a comment is the header of the row below it. A single word is one only above a number."""
    cells = next(_records([comment.lstrip("# ")], delimiter, escapes), ([], 0))[0]
    return len(cells) == len(below) and (len(below) > 1 or kind_of(below[0]) == "number")
