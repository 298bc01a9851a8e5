"""Points of several kinds in a plane, and behind them what a network says about each place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]

SIDE = 240
"""Units of the picture, which are pixels where nothing stretches it: it is as wide as high."""

MARGIN = 0.08
"""Of the points' extent. So much room is left around them."""

KINDS = 6
"""Forms and colours that there are; with more kinds they come again."""

_FORMS = (
    "M{x:.1f} {y:.1f}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",  # a disc
    "M{x:.1f} {y:.1f}m-2.6-2.6h5.2v5.2h-5.2z",  # a square
    "M{x:.1f} {y:.1f}m0-3.6l3.4 6h-6.8z",  # a triangle
    "M{x:.1f} {y:.1f}m0-3.8l3.8 3.8l-3.8 3.8l-3.8-3.8z",  # a diamond
    "M{x:.1f} {y:.1f}m-3.6-1.1h2.5v-2.5h2.2v2.5h2.5v2.2h-2.5v2.5h-2.2v-2.5h-2.5z",  # a cross
    "M{x:.1f} {y:.1f}m-3.6-1.2h7.2v2.4h-7.2z",  # a bar
)


class Frame(NamedTuple):
    """Which part of the plane a picture shows, in the data's own units."""

    left: float
    right: float
    bottom: float
    top: float


def frame_around(x: Floats) -> Frame:
    """All points, (m, 2), and a little room around them."""
    low, high = x.min(axis=0), x.max(axis=0)
    room = np.where(high > low, (high - low) * MARGIN, 1.0)
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return Frame(left, right, bottom, top)


def places_in(frame: Frame, across: int) -> Floats:
    """The middles of the squares of a grid over the frame, (across², 2), row by row from the top."""
    shares = (np.arange(across) + 0.5) / across
    right = frame.left + shares * (frame.right - frame.left)
    down = frame.top - shares * (frame.top - frame.bottom)
    x2, x1 = np.meshgrid(down, right, indexing="ij")
    return np.column_stack([x1.ravel(), x2.ravel()])


def plane(x: Floats, kinds: Codes, title: str, regions: Codes | None = None) -> Markup:
    """The picture.

    Args:
        x: the points, (m, 2) finite numbers, at least one.
        kinds: which kind each is, from 0, (m,).
        title: what it is of.
        regions: what the network says about the places of a grid over `frame_around` the points, (n, n), row by row
            from the top; None for points alone.
    """
    frame = frame_around(x)
    across = (x[:, 0] - frame.left) / (frame.right - frame.left) * SIDE
    down = (frame.top - x[:, 1]) / (frame.top - frame.bottom) * SIDE
    drawn = [
        Markup('<path class="kind-{}" d="{}"/>').format(
            kind % KINDS + 1, _marks(kind, across[kinds == kind].tolist(), down[kinds == kind].tolist())
        )
        for kind in np.unique(kinds).tolist()
    ]
    return Markup('<svg class="plane" viewBox="0 0 {} {}" role="img"><title>{}</title>{}{}</svg>').format(
        SIDE, SIDE, title, Markup("") if regions is None else _regions(regions), Markup("").join(drawn)
    )


def mark(kind: int) -> Markup:
    """The form and colour of a kind, for a legend beside its name."""
    return Markup(
        '<svg class="plane-mark" viewBox="-6 -6 12 12" width="18" height="18" aria-hidden="true">'
        '<path class="kind-{}" d="{}"/></svg>'
    ).format(kind % KINDS + 1, _FORMS[kind % KINDS].format(x=0, y=0))


def _marks(kind: int, across: Sequence[float], down: Sequence[float]) -> str:
    form = _FORMS[kind % KINDS]
    return "".join(form.format(x=x, y=y) for x, y in zip(across, down, strict=True))


def _regions(regions: Codes) -> Markup:
    """Rows of squares that are alike become one bar."""
    step = SIDE / len(regions)
    bars: dict[int, list[str]] = {}
    for row, kinds in enumerate(regions):
        ends = [*(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
        start = 0
        for end in ends:
            bar = f"M{start * step:g} {row * step:g}h{(end - start) * step:g}v{step:g}h{(start - end) * step:g}z"
            bars.setdefault(int(kinds[start]), []).append(bar)
            start = end
    return Markup("").join(
        Markup('<path class="region-{}" d="{}"/>').format(kind % KINDS + 1, "".join(drawn))
        for kind, drawn in sorted(bars.items())
    )
