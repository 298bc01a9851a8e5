"""Many numbers as a grid of marks: the larger, the darker. Positive ones are squares, negative ones are discs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app.pages.wording import number

Floats = NDArray[np.floating[Any]]

SIDE = 10
"""Units of the picture that a mark's place is wide and high."""

MOST_MARKS_A_SIDE = 64
"""Marks in a row, or rows. More would be smaller than a phone can show, and the page would become large."""

LEAST_WIDTH = 160
"""Pixels. A picture of few marks is drawn larger than its units, so that they can be told apart."""

SHADES = 8
"""How many shades a mark may have: as many as an eye tells apart without comparing."""

_SQUARE = "M{x:g} {y:g}h9v9h-9z"
_DISC = "M{x:g} {y:g}a4 4 0 1 0 8 0a4 4 0 1 0-8 0"


def unit_grid(values: Floats, title: str) -> Markup:
    """The picture of a number of each unit of a layer, row after row in a shape that is nearly square.

    Args:
        values: (s_l,).
        title: what it is of.
    """
    pooled = values[largest_of_each(values, MOST_MARKS_A_SIDE**2)]
    width = math.isqrt(len(pooled) - 1) + 1
    filled = np.full(width * -(-len(pooled) // width), np.nan)
    filled[: len(pooled)] = pooled
    return _grid(filled.reshape(-1, width), title)


def outer_product_grid(column: Floats, row: Floats, title: str) -> Markup:
    """The picture of the matrix c rᵀ. It need not be in memory: it may be as large as all of a network's weights.

    A mark of a large matrix stands for a block of it, and shows the largest value there.

    Args:
        column: c, one value for each row of the matrix.
        row: r, one value for each of its columns.
        title: what it is of.
    """
    rows = largest_of_each(column, MOST_MARKS_A_SIDE)
    columns = largest_of_each(row, MOST_MARKS_A_SIDE)
    return _grid(np.outer(column[rows], row[columns]), title)


def largest_of_each(values: Floats, parts: int) -> NDArray[np.intp]:
    """The places of the largest value, by magnitude, of so many parts of about the same length; of all if they are few.

    Args:
        values: (n,), at least one.
        parts: how many at most.
    """
    length = -(-len(values) // parts)
    starts = range(0, len(values), length)
    return np.array([start + int(np.abs(values[start : start + length]).argmax()) for start in starts])


def _grid(values: Floats, title: str) -> Markup:
    """The picture of a matrix, (rows, columns); no mark where it is NaN."""
    height, width = values.shape
    largest = float(np.nanmax(np.abs(values)))
    marks = Markup("").join(_marks(values, largest))
    return Markup(
        '<svg class="grid-of-marks" viewBox="0 0 {} {}" width="{}" role="img"><title>{}, from {} to {}</title>{}</svg>'
    ).format(
        width * SIDE,
        height * SIDE,
        max(width * SIDE, LEAST_WIDTH),
        title,
        number(float(np.nanmin(values))),
        number(float(np.nanmax(values))),
        marks,
    )


def _marks(values: Floats, largest: float) -> Sequence[Markup]:
    """A path for all marks of one sign and shade."""
    shades = np.ceil(np.nan_to_num(np.abs(values)) / (largest or 1.0) * SHADES).astype(int)
    paths = []
    for shade in range(1, SHADES + 1):
        for kind, form, shift, is_meant in (("plus", _SQUARE, 0.5, values > 0), ("minus", _DISC, 1.0, values < 0)):
            places = np.argwhere(is_meant & (shades == shade)).tolist()
            if places:
                y_shift = shift if kind == "plus" else SIDE / 2
                drawn = "".join(form.format(x=x * SIDE + shift, y=y * SIDE + y_shift) for y, x in places)
                paths.append(
                    Markup('<path class="{}" fill-opacity="{:.3g}" d="{}"/>').format(kind, shade / SHADES, drawn)
                )
    return paths
