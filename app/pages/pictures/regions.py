"""What a model answers over two inputs, as a picture. It has the same colours on light and on dark pages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.pages.pictures.grey import png
from backprop.coding.columns import Floats
from domain.models.surface import Surface

PIXELS = 480
"""Pixels of a side, about: points of a grid are as large as that makes them."""

COLOURS = ((47, 111, 222), (226, 118, 27), (26, 127, 75), (138, 63, 252), (179, 38, 107), (107, 97, 0))
"""Red, green and blue of the classes in their order, as ``region-1`` to ``region-6`` in style.css; then again."""

LOW, HIGH = (16, 42, 92), (250, 240, 190)
"""Red, green and blue of the least and of the greatest number: they differ in lightness first of all."""

UNKNOWN = (128, 128, 128)
"""Red, green and blue where the network overflows."""

PALEST = 0.25
"""How much of its colour a class has where its score is lowest. The rest is white."""


def surface_picture(surface: Surface) -> bytes:
    """The PNG of a surface, its y upwards.

    Of classes each point has the colour of its class, the stronger the higher the score, and borders are dark. Of
    numbers low ones are dark and high ones are light.
    """
    known = np.isfinite(surface.values)
    scores = surface.scores
    colours = _of_numbers(surface.values) if scores is None else _of_classes(surface.values, scores)
    colours = np.where(known[..., np.newaxis], colours, UNKNOWN)
    scale = max(1, PIXELS // max(surface.values.shape))
    pixels = np.rint(colours).astype(np.uint8)[::-1].repeat(scale, axis=0).repeat(scale, axis=1)
    if scores is not None:
        places = surface.values[::-1].repeat(scale, axis=0).repeat(scale, axis=1)
        pixels[_borders(places)] = (20, 24, 28)
    return png(Image.fromarray(pixels))


def _of_classes(values: Floats, scores: Floats) -> Floats:
    classes = np.nan_to_num(values).astype(np.intp) % len(COLOURS)
    lowest, highest = np.nanmin(scores), np.nanmax(scores)
    strength = PALEST + (1 - PALEST) * 0.8 * (scores - lowest) / (highest - lowest if highest > lowest else 1)
    colour: Floats = np.asarray(COLOURS, np.float64)[classes]
    return 255 + np.nan_to_num(strength, nan=PALEST)[..., np.newaxis] * (colour - 255)


def _of_numbers(values: Floats) -> Floats:
    if not np.isfinite(values).any():
        return np.zeros((*values.shape, 3))
    lowest, highest = np.nanmin(values), np.nanmax(values)
    share = (values - lowest) / (highest - lowest) if highest > lowest else np.full(values.shape, 0.5)
    low, high = np.asarray(LOW, np.float64), np.asarray(HIGH, np.float64)
    return low + np.nan_to_num(share)[..., np.newaxis] * (high - low)


def _borders(values: Floats) -> NDArray[np.bool_]:
    """Where a point has another class than the one to its right or below it."""
    borders = np.zeros(values.shape, np.bool_)
    borders[:, :-1] |= values[:, :-1] != values[:, 1:]
    borders[:-1] |= values[:-1] != values[1:]
    return borders & np.isfinite(values)
