"""Whether the first row of a table names its columns.

It does if none of its cells is a number or a moment. Years and counted columns are names too, so it also does if what
is below says that it is no row of data:

- a word, or a moment, is above a column of numbers, or a word above one of moments; a word for a missing value is none;
- a cell without anything is above the numbers of the rows: 0, 1, 2, … or 1, 2, 3, …;
- its numbers, two or more, are 0, 1, 2, … or 1, 2, 3, … or years at equal distances, or three or more years in order,
  and the columns below have something else in them than whole numbers, or than years;
- its numbers, two or more, are different whole ones, and in the columns below all numbers have decimals.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Literal

from backprop_client.wire.datasets import SPACES
from domain.datasets.reading.delimited.cells import datetime_in, is_missing_word, number_in

Kind = Literal["missing", "number", "moment", "word"]

_YEARS = range(1800, 2101)
_WHOLE = re.compile("[0-9]{1,9}")
_DIGITS = re.compile("[0-9]+")


def is_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns.

    Args:
        first: its cells.
        rows: some rows below, with as many cells each.
    """
    kinds = [kind_of(cell) for cell in first]
    if not {"number", "moment"} & set(kinds):
        return True
    columns = list(zip(*rows, strict=True)) or [()] * len(first)
    if any(_is_of_another_kind(kind, column) for kind, column in zip(kinds, columns, strict=True)):
        return True
    if not first[0].strip(SPACES) and _counts(_wholes(columns[0])):
        return True
    named = [position for position, kind in enumerate(kinds) if kind in ("number", "moment")]
    return _are_numbered(_wholes([first[position] for position in named]), [columns[position] for position in named])


def kind_of(cell: str) -> Kind:
    """What a cell looks like."""
    if is_missing_word(cell, among_numbers=True, given=()):
        return "missing"
    if number_in(cell, ".") is not None or number_in(cell, ",") is not None or _DIGITS.fullmatch(cell.strip(SPACES)):
        return "number"
    if datetime_in(cell, times_of_day=False) is not None or datetime_in(cell, times_of_day=True) is not None:
        return "moment"
    return "word"


def _is_of_another_kind(kind: Kind, column: Sequence[str]) -> bool:
    below = {kind_of(cell) for cell in column} - {"missing"}
    return (kind in ("word", "moment") and below == {"number"}) or (kind == "word" and below == {"moment"})


def _are_numbered(numbers: list[int] | None, columns: Sequence[Sequence[str]]) -> bool:
    """Whether numbers name the columns below them."""
    if numbers is None or len(numbers) < 2 or len(set(numbers)) < len(numbers) or not columns[0]:
        return False
    below = [_wholes(column) for column in columns]
    if _counts(numbers):
        return not all(column is not None for column in below) or _all_have_decimals(columns)
    if _are_years(numbers) and not all(column is not None and _all_years(column) for column in below):
        return True
    return _all_have_decimals(columns)


def _wholes(cells: Sequence[str]) -> list[int] | None:
    """Whole numbers; None if one cell is none."""
    stripped = [cell.strip(SPACES) for cell in cells]
    return [int(cell) for cell in stripped] if all(map(_WHOLE.fullmatch, stripped)) else None


def _counts(numbers: list[int] | None) -> bool:
    if not numbers:
        return False
    return numbers in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))


def _are_years(numbers: list[int]) -> bool:
    distances = [after - before for before, after in itertools.pairwise(numbers)]
    # A year may be left out: two in order would say too little then.
    are_in_order = len(distances) > 1 and min(distances) > 0
    return _all_years(numbers) and (len(set(distances)) == 1 or are_in_order)


def _all_years(numbers: list[int]) -> bool:
    return all(number in _YEARS for number in numbers)


def _all_have_decimals(columns: Sequence[Sequence[str]]) -> bool:
    present = [[cell for cell in column if kind_of(cell) != "missing"] for column in columns]
    return all(column and all(map(_has_decimals, column)) for column in present)


def _has_decimals(cell: str) -> bool:
    return kind_of(cell) == "number" and _wholes([cell]) is None
