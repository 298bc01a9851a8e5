"""Digits as somebody might draw them with a pen: strokes that are bent a little, on 8 × 8 pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIDE = 8
"""Pixels."""

DARKEST = 16
"""What a pixel is in the middle of a stroke; 0 where there is none."""

EACH = 40
"""Pictures of each digit."""

STROKES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.5, 0.05), (0.8, 0.2), (0.85, 0.5), (0.8, 0.8), (0.5, 0.95), (0.2, 0.8), (0.15, 0.5), (0.2, 0.2), (0.5, 0.05)),
    ((0.3, 0.25), (0.55, 0.05), (0.55, 0.95)),
    ((0.15, 0.25), (0.35, 0.05), (0.7, 0.08), (0.82, 0.3), (0.6, 0.55), (0.15, 0.95), (0.85, 0.95)),
    ((0.15, 0.1), (0.75, 0.1), (0.45, 0.42), (0.8, 0.6), (0.7, 0.9), (0.4, 0.97), (0.15, 0.85)),
    ((0.65, 0.95), (0.65, 0.05), (0.12, 0.65), (0.88, 0.65)),
    ((0.8, 0.05), (0.25, 0.05), (0.2, 0.45), (0.6, 0.4), (0.83, 0.65), (0.65, 0.93), (0.15, 0.92)),
    ((0.7, 0.05), (0.3, 0.35), (0.17, 0.7), (0.4, 0.95), (0.75, 0.88), (0.8, 0.62), (0.5, 0.5), (0.2, 0.65)),
    ((0.12, 0.07), (0.85, 0.07), (0.45, 0.95)),
    (
        *((0.5, 0.5), (0.2, 0.3), (0.35, 0.05), (0.65, 0.05), (0.8, 0.3), (0.5, 0.5)),
        *((0.15, 0.72), (0.35, 0.95), (0.65, 0.95), (0.85, 0.72), (0.5, 0.5)),
    ),
    ((0.78, 0.35), (0.5, 0.5), (0.2, 0.35), (0.3, 0.08), (0.65, 0.05), (0.8, 0.3), (0.75, 0.7), (0.55, 0.95)),
)
"""The line of each digit as the corners that the pen passes, (right, down), the picture being 1 wide and 1 high."""


class Digits(NamedTuple):
    """Pictures of digits.

    Attributes:
        pixels: (m, 64) whole numbers from 0 to 16, row by row from the top.
        digits: which digit each shows, (m,).
    """

    pixels: NDArray[np.int64]
    digits: NDArray[np.int64]


def drawn(seed: int = 0) -> Digits:
    """As many pictures of each digit, the digits taking turns."""
    generator = np.random.default_rng(seed)
    digits = np.tile(np.arange(len(STROKES)), EACH)
    pixels = [_picture(np.array(STROKES[digit]), generator) for digit in digits]
    return Digits(np.array(pixels), digits)


def table(digits: Digits) -> str:
    """The pictures as CSV: columns ``pixel_<row>_<column>``, and ``digit`` with words such as ``seven``."""
    names = [f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE)]
    lines = [
        ",".join([*map(str, pixels), WORDS[digit]])
        for pixels, digit in zip(digits.pixels.tolist(), digits.digits.tolist(), strict=True)
    ]
    return "\n".join([",".join([*names, "digit"]), *lines]) + "\n"


WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""Digits in words are classes, and nobody takes them for quantities."""


def _picture(corners: Floats, generator: np.random.Generator) -> NDArray[np.int64]:
    """A digit drawn with a hand that is not steady, (64,)."""
    turn, slant = generator.normal(0, 0.1), generator.normal(0, 0.12)
    wide, high = generator.uniform(0.65, 0.95), generator.uniform(0.8, 1.0)
    bent = corners - 0.5 + generator.normal(0, 0.02, corners.shape)
    bent = bent * (wide, high) @ np.array([[np.cos(turn), np.sin(turn)], [slant - np.sin(turn), np.cos(turn)]])
    bent += 0.5 + generator.normal(0, 0.03, 2)
    half_width = generator.uniform(0.03, 0.06)
    centres = (np.arange(SIDE) + 0.5) / SIDE
    down, right = np.meshgrid(centres, centres, indexing="ij")
    distances = _distances(np.column_stack([right.ravel(), down.ravel()]), bent)
    shades = np.clip(1 - (distances - half_width) * SIDE, 0, 1)
    return np.rint(DARKEST * shades).astype(np.int64)


def _distances(points: Floats, corners: Floats) -> Floats:
    """How far each point, (n, 2), is from a line through corners, (c, 2)."""
    starts, ways = corners[:-1], np.diff(corners, axis=0)
    along = ((points[:, np.newaxis] - starts) * ways).sum(axis=2) / (ways**2).sum(axis=1)
    nearest = starts + np.clip(along, 0, 1)[..., np.newaxis] * ways
    found: Floats = np.linalg.norm(points[:, np.newaxis] - nearest, axis=2).min(axis=1)
    return found
