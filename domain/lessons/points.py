"""Points of two kinds in a plane, which a straight line does not tell apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EACH_KIND = 100
"""Points. So many of each kind: enough to show the form, and few enough to be seen one by one."""

DECIMALS = 3
"""Digits after the point, for a file that people can read."""


class Points(NamedTuple):
    """Points of two kinds.

    Attributes:
        x: (m, 2).
        is_second: of which kind each is, (m,).
    """

    x: Floats
    is_second: NDArray[np.bool_]


def xor(seed: int = 0) -> Points:
    """Four clouds around (±1, ±1): the second kind is where exactly one coordinate is positive."""
    generator = np.random.default_rng(seed)
    corners = np.array([(-1, -1), (1, 1), (-1, 1), (1, -1)], float)
    x = np.repeat(corners, EACH_KIND // 2, axis=0) + 0.3 * generator.standard_normal((2 * EACH_KIND, 2))
    return _of_two(x)


def circles(seed: int = 0) -> Points:
    """A disc in a ring."""
    generator = np.random.default_rng(seed)
    angles = generator.uniform(0, 2 * np.pi, 2 * EACH_KIND)
    radii = np.concatenate([generator.uniform(0, 1, EACH_KIND) ** 0.5, generator.uniform(1.6, 2.2, EACH_KIND)])
    return _of_two(np.column_stack([radii * np.cos(angles), radii * np.sin(angles)]))


def spiral(seed: int = 0) -> Points:
    """Two arms that wind around each other one and a half times."""
    generator = np.random.default_rng(seed)
    turned = np.linspace(0.5, 3 * np.pi, EACH_KIND)
    radii = turned / (3 * np.pi) * 2
    arms = [np.column_stack([sign * radii * np.cos(turned), sign * radii * np.sin(turned)]) for sign in (1, -1)]
    return _of_two(np.concatenate(arms) + 0.03 * generator.standard_normal((2 * EACH_KIND, 2)))


def table(points: Points, first: str, second: str) -> str:
    """The points as CSV: columns ``x1``, ``x2`` and ``kind``, which has these two values."""
    lines = [
        f"{x1:.{DECIMALS}f},{x2:.{DECIMALS}f},{second if is_second else first}"
        for (x1, x2), is_second in zip(points.x.tolist(), points.is_second.tolist(), strict=True)
    ]
    return "\n".join(["x1,x2,kind", *lines]) + "\n"


def _of_two(x: Floats) -> Points:
    """The first half of the points is of the first kind."""
    return Points(x, np.arange(len(x)) >= len(x) // 2)
