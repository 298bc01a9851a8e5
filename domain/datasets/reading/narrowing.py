"""What a column of text is really made of: booleans, integers, numbers or strings.

The answer depends on all cells of the column and on nothing else: not on their order, not on how they are cut into
batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "Null")
"""These cells stand for a missing value."""

TRUE = ("true", "True", "TRUE")
FALSE = ("false", "False", "FALSE")

_SPACES = " \t"


class ColumnNarrowing:
    """The narrowest type that holds all cells seen so far.

    - bool: every present cell is ``true`` or ``false`` (also ``True``, ``TRUE``, …).
    - int64: every present cell is a whole number within ±2⁶³.
    - float64: every present cell is a number (``1.5``, ``-2e3``, ``.5``, a whole number of any size), or no cell
      is present.
    - string: anything else. So is a column in which any number has leading zeros (``007``): that is a code, and the
      zeros are part of it.

    Spaces around a number, a boolean or a missing value do not count; in a column of strings they do.
    """

    def __init__(self) -> None:
        self._candidates = [pa.bool_(), pa.int64(), pa.float64()]
        self._any_present = False
        self.padded = False
        """Whether some cell is of the type only without the spaces around it."""

    def add(self, strings: pa.Array) -> None:
        """Take in a batch of cells, null where a cell is one of `MISSING`."""
        if not self._candidates or strings.null_count == len(strings):
            return
        remaining = self._that_hold(strings)
        if not remaining:
            strings = _trimmed(strings)
            if strings.null_count == len(strings):
                self.padded = True
                return
            remaining = self._that_hold(strings)
            self.padded = True
        self._candidates = remaining
        self._any_present = True

    @property
    def type(self) -> pa.DataType:
        """The type of the column, if no more cells follow."""
        if not self._any_present:
            return pa.float64()
        return self._candidates[0] if self._candidates else pa.string()

    def _that_hold(self, strings: pa.Array) -> list[pa.DataType]:
        remaining: list[pa.DataType] = []
        for candidate in self._candidates:
            is_wider_than_one_that_holds = candidate == pa.float64() and pa.int64() in remaining
            if is_wider_than_one_that_holds or _converted(strings, candidate) is not None:
                remaining.append(candidate)
        return remaining


def convert_padded(strings: pa.Array, to: pa.DataType) -> pa.Array:
    """Cells with spaces around them as values of the type that `ColumnNarrowing` found for their column."""
    if to == pa.string():
        return strings
    converted = _converted(_trimmed(strings), to)
    assert converted is not None  # noqa: S101  # or the column would be of another type
    return converted


def _trimmed(strings: pa.Array) -> pa.Array:
    trimmed = compute.utf8_trim(strings, characters=_SPACES)
    return compute.if_else(compute.is_in(trimmed, pa.array(MISSING)), pa.scalar(None, pa.string()), trimmed)


def _converted(strings: pa.Array, to: pa.DataType) -> pa.Array | None:
    """The strings as values of another type; None if one of them is none."""
    if to == pa.bool_():
        return _booleans(strings)
    if _any_has_leading_zeros(strings):
        return None
    try:
        return compute.cast(strings, to)
    except pa.ArrowInvalid:
        return None


def _booleans(strings: pa.Array) -> pa.Array | None:
    known = compute.is_in(strings, pa.array((*TRUE, *FALSE, None)))
    if not compute.all(known).as_py():
        return None
    return compute.if_else(
        compute.is_null(strings), pa.scalar(None, pa.bool_()), compute.is_in(strings, pa.array(TRUE))
    )


def _any_has_leading_zeros(strings: pa.Array) -> bool:
    """Whether a cell begins like ``007`` or ``-01``, or like ``0x1F``, which Arrow would take for an integer.

    Looks at the bytes directly: a regular expression takes longer than all the rest of the reading.
    """
    _validity, offsets_buffer, text_buffer = strings.buffers()
    if text_buffer is None:
        return False
    text: NDArray[np.uint8] = np.frombuffer(text_buffer, np.uint8)
    offsets: NDArray[np.int32] = np.frombuffer(offsets_buffer, np.int32)[
        strings.offset : strings.offset + len(strings) + 1
    ]
    begin, end = offsets[:-1], offsets[1:]
    begin, end = _those(end - begin >= 2, begin, end)
    begin = begin + _is_any_of(text[begin], b"+-")
    begin, _ = _those(end - begin >= 2, begin, end)
    begin = begin[text[begin] == ord("0")]
    return bool(_is_any_of(text[begin + 1], b"0123456789xX").any())


def _those(chosen: NDArray[np.bool_], *arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return tuple(array[chosen] for array in arrays)


def _is_any_of(characters: NDArray[np.uint8], wanted: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(wanted)] = True
    return table[characters]
