"""What a unit responds to: the input of bounded length that makes its activation greatest.

After the tutorial's page "Visualizing a trained autoencoder": among all x with ‖x‖ ≤ 1, a first-layer unit i with an
increasing activation answers most to x_j = W_ij / √(Σ_j W_ij²).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def strongest_inputs(W: NDArray[Any]) -> tuple[Floats, Floats]:
    """The input of length 1 that each unit responds to most.

    Args:
        W: W(1) or some rows of it, (units, inputs), of finite numbers of float32 or float64.

    Returns:
        x, (units, inputs) float64, a row of length 1 for each unit, but of zeros where the unit's weights are all 0,
        since then it responds to nothing.
        √(Σ_j W_ij²), (units,) float64, infinite where it exceeds double precision.
    """
    weights = np.asarray(W, np.float64)
    # Divided by the largest weight first: the squares of very large or very small ones leave double precision.
    largest = np.abs(weights).max(axis=1, keepdims=True)
    safe = np.where(largest > 0, largest, 1.0)
    scaled = weights / safe
    length = np.sqrt(np.square(scaled).sum(axis=1, keepdims=True))
    x: Floats = scaled / np.where(length > 0, length, 1.0)
    with np.errstate(over="ignore"):
        norms: Floats = (safe * length)[:, 0]
    return x, norms


def sheet_of_tiles(x: Floats, width: int, scale: int = 1) -> NDArray[np.uint8]:
    """A picture of units side by side, each a tile of grey pixels.

    Zero is middle grey, and the tile's value that is farthest from it is black or white. Between tiles, and around them
    all, are black lines one pixel wide. Tiles are laid out row by row, about as many rows as columns.

    Args:
        x: (units, inputs), at least one of each; a unit's inputs are its tile's pixels, row by row.
        width: pixels in a row of a tile; divides the inputs.
        scale: side of a tile's pixel on the sheet.

    Returns:
        (height, width) grey values of the sheet.

    Raises:
        ValueError: `width` does not divide the inputs.
    """
    units, inputs = x.shape
    if width < 1 or inputs % width:
        raise ValueError(f"{inputs} inputs do not fill rows of {width}")
    sheet = np.zeros(sheet_shape(units, inputs, width, scale), np.uint8)
    columns = _columns(units)
    step_down, step_right = inputs // width * scale + 1, width * scale + 1
    for unit, tile in enumerate(_grey(x).reshape(units, -1, width)):
        top, left = 1 + unit // columns * step_down, 1 + unit % columns * step_right
        pixels = tile.repeat(scale, axis=0).repeat(scale, axis=1)
        sheet[top : top + step_down - 1, left : left + step_right - 1] = pixels
    return sheet


def sheet_shape(units: int, inputs: int, width: int, scale: int) -> tuple[int, int]:
    """(height, width) in pixels of the sheet with so many tiles."""
    columns = _columns(units)
    rows = -(-units // columns)
    return 1 + rows * (inputs // width * scale + 1), 1 + columns * (width * scale + 1)


def _columns(units: int) -> int:
    return int(np.ceil(np.sqrt(units)))


def _grey(x: Floats) -> NDArray[np.uint8]:
    largest = np.abs(x).max(axis=1, keepdims=True)
    grey: NDArray[np.uint8] = np.rint(127.5 + 127.5 * x / np.where(largest > 0, largest, 1.0)).astype(np.uint8)
    return grey
