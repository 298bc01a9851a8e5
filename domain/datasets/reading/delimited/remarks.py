"""What a person should look at in a file that has been read: cells that may have been meant otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.datasets import Decimal, Remark
from domain.datasets.reading.delimited.moments import are_moments, forms_of
from domain.datasets.reading.delimited.narrowing import Word
from domain.datasets.reading.delimited.numbers import are_numbers, marks_of
from domain.datasets.reading.delimited.readings import Cells

SHOWN_CELLS = 5
"""Cells. So many are named of those that are not what most of their column are."""

_SHOWN_CHARACTERS = 40

NUMBERS = "numbers"
MOMENTS = "dates or times"


class OddCells:
    """Counts the cells of a column of strings of which most may be something else, and keeps the first that are not."""

    def __init__(self, column: str, kind: str, judge: Callable[[pa.Array], pa.Array]) -> None:
        """Begin.

        Args:
            column: its name.
            kind: what most cells may be.
            judge: tells for each cell, without spaces around it, whether it is that.
        """
        self._column = column
        self._kind = kind
        self._judge = judge
        self._present = 0
        self._fitting = 0
        self._odd: list[tuple[int, str]] = []
        self._spellings: dict[str, tuple[int, str]] = {}

    def add(self, strings: pa.Array, rows_before: int) -> None:
        """Take in a batch of cells."""
        cells = Cells(strings).trimmed
        fits = self._judge(cells)
        self._present += len(cells) - cells.null_count
        self._fitting += compute.sum(fits).as_py() or 0
        if len(self._odd) < SHOWN_CELLS:
            rows = compute.indices_nonzero(compute.invert(fits).fill_null(False))[:SHOWN_CELLS]
            self._odd += [(rows_before + 1 + row, cells[row].as_py()) for row in rows.to_pylist()]
        self._note_spellings(cells.filter(fits.fill_null(False)), cells, rows_before)

    def remark(self) -> Remark | None:
        """What there is to say, if most of the cells are of the kind."""
        if 2 * self._fitting <= self._present:
            return None
        if self._odd:
            message = (
                f"{self._fitting:,} of the {self._present:,} values are {self._kind}, and the column was read as "
                f"strings for the others: {_listed(self._odd[:SHOWN_CELLS])}."
            )
        else:
            message = (
                f"All values are {self._kind}, but of kinds that do not go together, so the column was read as "
                f"strings: {_listed(sorted(self._spellings.values()))}."
            )
        return Remark(column=self._column, message=message)

    def _note_spellings(self, fitting: pa.Array, cells: pa.Array, rows_before: int) -> None:
        """Keep the first cell of each way to write them that may be the reason why they do not go together."""
        new = (marks_of(fitting) if self._kind == NUMBERS else forms_of(fitting)) - self._spellings.keys()
        for spelling in new:
            alike = marks_of if self._kind == NUMBERS else forms_of
            first = next(text for text in fitting.to_pylist() if spelling in alike(pa.array([text])))
            self._spellings[spelling] = (rows_before + 1 + compute.index(cells, first).as_py(), first)


def odd_numbers(column: str, decimals: Iterable[Decimal]) -> OddCells:
    """Of a column of which most cells may be numbers, whatever their decimal sign is."""

    def judge(cells: pa.Array) -> pa.Array:
        fits = [are_numbers(cells, decimal) for decimal in decimals]
        return fits[0] if len(fits) == 1 else compute.or_(*fits)

    decimals = tuple(decimals)
    return OddCells(column, NUMBERS, judge)


def odd_moments(column: str) -> OddCells:
    """Of a column of which most cells may be dates or times."""
    return OddCells(column, MOMENTS, are_moments)


def words_for_missing(column: str, words: dict[str, Word]) -> Iterable[Remark]:
    """That words were taken for missing values, since the rest of the column are values."""
    for text, word in words.items():
        many = "cell was" if word.cells == 1 else "cells were"
        yield Remark(
            column=column,
            message=f"{word.cells:,} {many} taken for missing: {text!r}, first in row {word.row:,}.",
        )


def ambiguous_decimals(column: str, decimal: Decimal) -> Remark:
    """That a column's numbers could have been read with another decimal sign."""
    meant = "decimals" if decimal == "," else "thousands"
    other = "thousands" if decimal == "," else "decimals"
    return Remark(
        column=column,
        message=f"A comma was read as the sign before {meant}, and a point as the one before {other}; nothing in the "
        f"file tells for certain. If it is the other way round, say `decimal`.",
    )


def other_decimal(column: str, decimal: Decimal) -> Remark:
    """That a column was read with another decimal sign than most."""
    return Remark(
        column=column, message=f"Its numbers have {decimal!r} before their decimals, unlike those of other columns."
    )


def _listed(cells: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"row {row:,} {_short(text)!r}" for row, text in cells)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
