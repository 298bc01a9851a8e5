"""Matrices as grey pictures: zero is middle grey, the value farthest from it is black or, if positive, white."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LARGEST_SIDE = 400
"""Pixels. A side of the picture is about as long, or shorter: a screen shows no more of it."""

LARGEST_CELL = 24
"""Pixels. The side of a cell is no longer, so that small matrices do not make large pictures."""


def matrix_picture(values: NDArray[Any]) -> bytes:
    """The PNG of a matrix of finite numbers, a square for each cell.

    Where there are more cells than pixels, a pixel has the mean of its cells.

    Args:
        values: (rows, columns), at least one of each.
    """
    rows, columns = values.shape
    numbers = np.asarray(values, np.float64)
    largest = float(np.abs(numbers).max())
    grey = np.rint(127.5 + 127.5 * (numbers / largest if largest > 0 else numbers)).astype(np.uint8)
    image = Image.fromarray(grey)
    if max(rows, columns) > LARGEST_SIDE:
        image = image.resize((min(columns, LARGEST_SIDE), min(rows, LARGEST_SIDE)), Image.Resampling.BOX)
    else:
        cell = min(LARGEST_CELL, LARGEST_SIDE // max(rows, columns))
        image = image.resize((columns * cell, rows * cell), Image.Resampling.NEAREST)
    return png(image)


def png(image: Image.Image) -> bytes:
    """The file of an image."""
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()
