"""A cost curve as small as a word: no axes, only how it went."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 96, 24
"""Units of the picture, which are pixels where nothing stretches it."""

MARGIN = 2.0
"""Likewise. Half the line's width and a little, so that nothing of it is cut off."""

POINTS = 40
"""Points. More would stand closer together than a screen shows."""


def sparkline(iterations: Sequence[int], J: Sequence[float]) -> Markup:
    """The picture of a curve, on a logarithmic scale where all of it is above 0; empty before there are two points.

    Args:
        iterations: ascending.
        J: the cost at each of them.
    """
    finite = [(k, cost) for k, cost in zip(iterations, J, strict=True) if math.isfinite(cost)]
    if len(finite) < 2:
        return Markup("")
    heights = [math.log(cost) for _, cost in finite] if min(J) > 0 else [cost for _, cost in finite]
    first, last, low, high = finite[0][0], finite[-1][0], min(heights), max(heights)
    wide, high_ = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    points = " ".join(
        f"{MARGIN + wide * (k - first) / (last - first):.1f},"
        f"{MARGIN + high_ * ((high - height) / (high - low) if high > low else 0.5):.1f}"
        for (k, _), height in zip(finite, heights, strict=True)
    )
    return Markup(
        '<svg class="sparkline" viewBox="0 0 {} {}" role="img" aria-label="J from {:.3g} to {:.3g}">'
        '<polyline points="{}"/></svg>'
    ).format(WIDTH, HEIGHT, finite[0][1], finite[-1][1], points)
