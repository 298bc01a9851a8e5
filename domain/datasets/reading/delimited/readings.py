"""Ways to read a column of text as something else, as long as all of its cells can be read so."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import pyarrow as pa
from pyarrow import compute

from backprop_client.wire.datasets import MISSING, SPACES, Decimal
from domain.datasets.moments import MOMENT
from domain.datasets.reading.delimited.cells import FALSE, MISSING_AMONG_VALUES, TRUE
from domain.datasets.reading.delimited.moments import MomentForms, moments_in
from domain.datasets.reading.delimited.numbers import any_has, are_numbers, in_plain, marks_of, plain_numbers

_FIRST_CELLS = 256
"""Cells. They tell what a column is not in far less time than all of a batch would."""


class Cells:
    """The cells of a column in one batch, null where Arrow has found a word for a missing value."""

    def __init__(self, raw: pa.Array, given: tuple[str, ...] = ()) -> None:
        """Take a batch's cells.

        Args:
            raw: strings.
            given: words for a missing value that the client has named.
        """
        self.raw = raw
        self._given = given

    def first(self) -> Cells:
        """Some of them."""
        return Cells(self.raw[:_FIRST_CELLS], self._given)

    @cached_property
    def trimmed(self) -> pa.Array:
        """Without the spaces around them; null also where only these hid a missing value."""
        trimmed = compute.utf8_trim(self.raw, characters=SPACES)
        return _without(trimmed, compute.is_in(trimmed, pa.array((*MISSING, *self._given))))

    @cached_property
    def values(self) -> pa.Array:
        """The trimmed ones, null also where a word stands for a missing value only among values."""
        return _without(self.trimmed, self.words)

    @property
    def words(self) -> pa.Array:
        """For each cell whether it is such a word."""
        return compute.is_in(self.trimmed, pa.array(MISSING_AMONG_VALUES))


class Reading(Protocol):
    """A way to read a column, as long as all of its cells can be read so."""

    plain: bool
    """Whether Arrow reads all cells so by itself, while it reads the file."""

    @property
    def type(self) -> pa.DataType:
        """Of the values."""

    def holds_plain(self, strings: pa.Array) -> bool:
        """Take in a batch of cells if Arrow by itself reads all of them so; else False."""

    def holds(self, cells: Cells) -> bool:
        """Take in a batch of cells, of which at least one is present; False if one cannot be read so."""

    def values(self, cells: Cells) -> pa.Array:
        """The values of cells that have all been taken in."""


class BooleanReading:
    """Every present cell is ``true`` or ``false``, also ``True``, ``TRUE``, …."""

    type = pa.bool_()

    def __init__(self) -> None:
        self.plain = True

    def holds_plain(self, strings: pa.Array) -> bool:
        """Take in a batch if Arrow reads it so."""
        return _are_booleans(strings)

    def holds(self, cells: Cells) -> bool:
        """Take in a batch; False if a cell cannot be read so."""
        if self.holds_plain(cells.raw):
            return True
        self.plain = False
        return _are_booleans(cells.first().values) and _are_booleans(cells.values)

    def values(self, cells: Cells) -> pa.Array:
        """The values of cells that have been taken in."""
        return _without(compute.is_in(cells.values, pa.array(TRUE)), compute.is_null(cells.values))


class NumberReading:
    """Every present cell is a number, all with a currency's sign or a ``%`` or none.

    It is of integers if all are whole and within ±2⁶³.
    """

    def __init__(self, decimal: Decimal) -> None:
        self.decimal: Decimal = decimal
        self.plain = True
        self.has_commas = False
        """Whether a cell has one, of those that are not written as computers write numbers."""
        self.has_points = False
        """The same of points."""
        self._whole = True
        self._marks: frozenset[str] = frozenset()

    @property
    def type(self) -> pa.DataType:
        """Of the values: int64 or float64."""
        return pa.int64() if self._whole else pa.float64()

    def holds_plain(self, strings: pa.Array) -> bool:
        """Take in a batch if Arrow reads it so."""
        if self._whole and plain_numbers(strings, pa.int64()) is not None:
            return self._marked_alike(frozenset({""}))
        if self.decimal == "." and plain_numbers(strings, pa.float64()) is not None:
            self._whole = False
            return self._marked_alike(frozenset({""}))
        return False

    def holds(self, cells: Cells) -> bool:
        """Take in a batch; False if a cell cannot be read so."""
        return self.holds_plain(cells.raw) or self._holds_written(cells)

    def values(self, cells: Cells) -> pa.Array:
        """The values of cells that have been taken in."""
        values = plain_numbers(in_plain(cells.values, self.decimal), self.type)
        assert values is not None  # noqa: S101  # or it would have held a cell that is no number
        return values

    def _holds_written(self, cells: Cells) -> bool:
        self.plain = False
        if not self._are_numbers(cells.first().values) or not self._are_numbers(cells.values):
            return False
        numbers = in_plain(cells.values, self.decimal)
        self._whole = self._whole and plain_numbers(numbers, pa.int64()) is not None
        self.has_commas = self.has_commas or any_has(cells.values, ",")
        self.has_points = self.has_points or any_has(cells.values, ".")
        return self._marked_alike(marks_of(cells.values))

    def _are_numbers(self, strings: pa.Array) -> bool:
        return compute.all(are_numbers(strings, self.decimal)).as_py() is not False

    def _marked_alike(self, marks: frozenset[str]) -> bool:
        self._marks |= marks
        return len(self._marks) <= 1


class MomentReading:
    """Every present cell is a moment, in forms that go together."""

    type = MOMENT
    plain = False

    def __init__(self) -> None:
        self._forms = MomentForms()

    @property
    def times_of_day(self) -> bool:
        """Whether the moments are times without a date."""
        return self._forms.are_times_of_day

    def holds_plain(self, strings: pa.Array) -> bool:  # noqa: ARG002  # Arrow knows fewer forms
        """Take in a batch if Arrow reads it so."""
        return False

    def holds(self, cells: Cells) -> bool:
        """Take in a batch; False if a cell cannot be read so."""
        return self._forms.hold(cells.first().values) and self._forms.hold(cells.values)

    def values(self, cells: Cells) -> pa.Array:
        """The values of cells that have been taken in."""
        moments = moments_in(cells.values)
        assert moments is not None  # noqa: S101  # or it would have held a cell that is none
        return moments


def _are_booleans(strings: pa.Array) -> bool:
    return compute.all(compute.is_in(strings, pa.array((*TRUE, *FALSE, None)))).as_py() is not False


def _without(strings: pa.Array, these: pa.Array) -> pa.Array:
    return compute.if_else(these, pa.scalar(None, strings.type), strings)
