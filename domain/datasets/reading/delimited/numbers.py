"""Whole columns of cells as numbers, by the patterns of `cells`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from backprop_client.wire.datasets import Decimal
from domain.datasets.reading.delimited.cells import CURRENCIES, MINUS, not_in_plain_numbers, number_pattern

MARKS = ("%", *CURRENCIES)


def plain_numbers(strings: pa.Array, to: pa.DataType) -> pa.Array | None:
    """Cells that are written as computers write numbers, as int64 or float64; None if one of them is not."""
    if _any_has_leading_zeros(strings):
        return None
    try:
        return compute.cast(strings, to)
    except pa.ArrowInvalid:
        return None


def are_numbers(strings: pa.Array, decimal: Decimal) -> pa.Array:
    """For each cell whether it is a number, null where the cell is; without spaces around it."""
    return compute.match_substring_regex(strings, f"^(?:{number_pattern(decimal)})$")


def in_plain(strings: pa.Array, decimal: Decimal) -> pa.Array:
    """Numbers as people write them, as computers do."""
    plain = compute.replace_substring_regex(strings, not_in_plain_numbers(decimal), "")
    plain = compute.replace_substring(plain, MINUS, "-")
    if decimal != ".":
        plain = compute.replace_substring(plain, decimal, ".")
    percent = compute.match_substring(strings, "%")
    if not compute.any(percent).as_py():
        return plain
    # A float64 of 12.3 divided by 100 may be another one than the nearest to 0.123.
    return compute.if_else(percent, compute.binary_join_element_wise(plain, "e-2", ""), plain)


def marks_of(strings: pa.Array) -> frozenset[str]:
    """Which marks the cells have, of those that all cells of a column must have alike; "" where one has none."""
    unmarked = compute.sum(compute.is_valid(strings)).as_py() or 0
    marks = set()
    for mark in MARKS:
        marked = compute.sum(compute.match_substring(strings, mark)).as_py() or 0
        unmarked -= marked
        if marked:
            marks.add(mark)
    return frozenset(marks | {""} if unmarked else marks)


def any_has(strings: pa.Array, sign: str) -> bool:
    """Whether a cell has that sign in it."""
    return bool(compute.any(compute.match_substring(strings, sign)).as_py())


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
