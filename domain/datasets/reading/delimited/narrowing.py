"""What a column of text is really made of: booleans, integers, numbers, moments or strings.

The answer depends on all cells of the column and on nothing else: not on their order, not on how they are cut into
batches.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.datasets import Decimal
from domain.datasets.reading.delimited.moments import are_moments
from domain.datasets.reading.delimited.numbers import are_numbers
from domain.datasets.reading.delimited.readings import BooleanReading, Cells, MomentReading, NumberReading, Reading

_SAMPLE_CELLS = 1_000
"""Cells. So many tell whether a column of strings looks like one of something else."""


@dataclass
class Word:
    """A word that stands for a missing value only among values.

    Attributes:
        cells: how many hold it.
        row: the first of them.
    """

    cells: int
    row: int


class ColumnNarrowing:
    """Finds out how a column can be read: each of `readings` still holds all cells so far.

    A column without any of them is one of strings, and so is one without present cells but for words that stand for a
    missing value only among values.
    """

    def __init__(self, decimals: tuple[Decimal, ...], given: tuple[str, ...] = ()) -> None:
        """Begin.

        Args:
            decimals: the decimal signs that numbers may have.
            given: words for a missing value that the client has named.
        """
        self.readings: list[Reading] = [BooleanReading(), *map(NumberReading, decimals), MomentReading()]
        self.words: dict[str, Word] = {}
        """Words that were taken for missing values on the way."""
        self.looks_like_numbers = False
        """Of a column of strings: whether most of the cells are numbers, by those that were looked at."""
        self.looks_like_moments = False
        """The same of moments."""
        self._hides_missing = False
        self._decimals = decimals
        self._given = given
        self._any_present = False

    @property
    def is_of_strings(self) -> bool:
        """Whether no reading holds all cells so far."""
        return not self.readings or (not self._any_present and bool(self.words))

    def is_plain(self, reading: Reading) -> bool:
        """Whether Arrow by itself reads all cells so, and those that are missing as missing."""
        return reading.plain and not self._hides_missing

    @property
    def is_empty(self) -> bool:
        """Whether no cell so far has a value or a word."""
        return bool(self.readings) and not self._any_present and not self.words

    def add(self, strings: pa.Array, rows_before: int) -> None:
        """Take in a batch of cells, null where a cell is one of `cells.MISSING`.

        Args:
            strings: the cells.
            rows_before: rows in the batches before.
        """
        if not self.readings or strings.null_count == len(strings):
            return
        cells = Cells(strings, self._given)
        if not all(reading.holds_plain(strings) for reading in self.readings):
            self._note_words(cells, rows_before)
            if cells.values.null_count == len(strings):
                self._hides_missing = True
                return
            self._narrow(cells)
        self._any_present = True

    def number_reading(self, decimal: Decimal) -> NumberReading | None:
        """How the column is read as numbers with that decimal sign, if it can be."""
        if self._any_present:
            for reading in self.readings:
                if isinstance(reading, NumberReading) and reading.decimal == decimal:
                    return reading
        return None

    def tells(self, decimal: Decimal) -> bool:
        """Whether the column can be read as numbers with that decimal sign and with no other."""
        return (
            bool(self.number_reading(decimal)) and sum(isinstance(each, NumberReading) for each in self.readings) == 1
        )

    @property
    def is_ambiguous(self) -> bool:
        """Whether the column's numbers would be others with another decimal sign."""
        points, commas = self.number_reading("."), self.number_reading(",")
        return points is not None and commas is not None and (points.has_commas or commas.has_points)

    @property
    def has_commas(self) -> bool:
        """Whether one of its numbers has a comma."""
        reading = self.number_reading(".")
        return reading is not None and reading.has_commas

    def reading(self, decimal: Decimal) -> Reading | None:
        """How the column is read in a file with that decimal sign; None as strings, or if it is empty."""
        if not self._any_present:
            return None
        return self.number_reading(decimal) or next(iter(self.readings), None)

    def _narrow(self, cells: Cells) -> None:
        before = self.readings
        self.readings = [reading for reading in before if reading.holds(cells)]
        if self.readings:
            return
        had_values = self._any_present
        sample = cells.values.drop_null()[:_SAMPLE_CELLS]
        self.looks_like_numbers = _most(*(are_numbers(sample, decimal) for decimal in self._decimals)) or (
            had_values and any(isinstance(reading, NumberReading) for reading in before)
        )
        self.looks_like_moments = _most(are_moments(sample)) or (
            had_values and any(isinstance(reading, MomentReading) for reading in before)
        )

    def _note_words(self, cells: Cells, rows_before: int) -> None:
        if not compute.any(cells.words).as_py():
            return
        found = Counter[str](cells.trimmed.filter(cells.words).to_pylist())
        for word, times in found.items():
            row = rows_before + 1 + compute.index(cells.trimmed, word).as_py()
            self.words.setdefault(word, Word(0, row)).cells += times


def _most(*judged: pa.Array) -> bool:
    """Whether most of the cells are so, by any of these judgements."""
    return any(2 * (compute.sum(each).as_py() or 0) > len(each) for each in judged)
