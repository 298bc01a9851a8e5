"""Predicted against actual numbers, with the line on which they are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app.pages.wording import number

SIDE = 240
"""Units of the picture, which are pixels where nothing stretches it: it is as wide as high."""

MARGIN = 12
"""Likewise. So much room is left around the points."""


def scatter(actual: NDArray[np.floating[Any]], predicted: NDArray[np.floating[Any]], title: str) -> Markup:
    """The picture: actual numbers to the right, predicted ones upwards, on the same scale, which is the actual ones'.

    Points beyond it stand at its edge. Pairs that are no finite numbers are left out.

    Args:
        actual: (m,).
        predicted: (m,).
        title: what it is of.
    """
    finite = np.isfinite(actual) & np.isfinite(predicted)
    x, y = actual[finite], predicted[finite]
    if not len(x):
        return Markup("")
    low, high = float(x.min()), float(x.max())
    wide = (high - low) or 1.0
    across = MARGIN + (x - low) / wide * (SIDE - 2 * MARGIN)
    down = np.clip(SIDE - MARGIN - (y - low) / wide * (SIDE - 2 * MARGIN), 4, SIDE - 4)
    drawn = "".join(f"M{x:.1f} {y:.1f}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0" for x, y in zip(across, down, strict=True))
    return Markup(
        '<svg class="plane" viewBox="0 0 {} {}" role="img"><title>{}, both from {} to {}</title>'
        '<path class="equal" d="M{} {}L{} {}"/><path class="kind-1" d="{}"/></svg>'
    ).format(SIDE, SIDE, title, number(low), number(high), MARGIN, SIDE - MARGIN, SIDE - MARGIN, MARGIN, drawn)
