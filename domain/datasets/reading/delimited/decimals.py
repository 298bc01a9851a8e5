"""Which sign is before the decimals of a file's numbers.

What the client says is believed. Where the delimiter is a comma, it is the point. Else those columns tell that can be
read in one way only: ``0.5`` has a point, ``0,5`` a comma, while ``1,234`` may be 1.234 or 1234. If they disagree, most
win, and each of them is read as it can be.

If none tells, it is a guess, and remarked: in a file with ``;`` between its cells, as German and French programs write,
a comma is a decimal sign wherever there is one; else commas and points are what they are in English.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop_client.wire.datasets import Decimal, Delimiter
from domain.datasets.reading.delimited.narrowing import ColumnNarrowing


@dataclass(frozen=True)
class FileDecimal:
    """The decimal sign of a file.

    Attributes:
        sign: the sign.
        is_a_guess: no column tells.
    """

    sign: Decimal
    is_a_guess: bool = False


def possible_decimals(said: Decimal | None, delimiter: Delimiter) -> tuple[Decimal, ...]:
    """The signs that numbers may have before all columns have been looked at."""
    if said is not None:
        return (said,)
    return (".",) if delimiter == "," else (".", ",")


def decimal_of(
    narrowings: Sequence[ColumnNarrowing], possible: tuple[Decimal, ...], delimiter: Delimiter
) -> FileDecimal:
    """The decimal sign of a file whose columns have all been looked at."""
    if len(possible) == 1:
        return FileDecimal(possible[0])
    points = sum(narrowing.tells(".") for narrowing in narrowings)
    commas = sum(narrowing.tells(",") for narrowing in narrowings)
    if points != commas:
        return FileDecimal("." if points > commas else ",")
    ambiguous = [narrowing for narrowing in narrowings if narrowing.is_ambiguous]
    has_commas = any(narrowing.has_commas for narrowing in ambiguous) or points > 0
    return FileDecimal("," if delimiter == ";" and has_commas else ".", is_a_guess=points == 0)
