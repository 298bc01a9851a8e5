"""A network as layers of units, with the weights between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

MOST_UNITS = 7
"""Circles of one layer. Of larger layers the first and the last are drawn, with dots between them."""

MOST_LAYERS = 7
"""Layers drawn. Of deeper networks the first and the last are."""

BETWEEN, STEP, RADIUS, MARGIN = 78, 24, 8, 34
"""Units of the picture: between two layers, between two units of one, of a circle, and from the edge to a circle."""

TOP, BOTTOM = 22, 40
"""Likewise: room for the words above and below the circles."""

_Place = tuple[float, float]


def network_picture(sizes: Sequence[int], activations: Sequence[str]) -> Markup:
    """The picture of a network.

    Args:
        sizes: units of each layer, the input layer first.
        activations: of each layer but the first.
    """
    numbers = _drawn(len(sizes))
    width = 2 * MARGIN + BETWEEN * (len(numbers) - 1)
    height = TOP + BOTTOM + MOST_UNITS * STEP
    columns = [_units(sizes[number], MARGIN + BETWEEN * at) for at, number in enumerate(numbers)]
    pieces: list[Markup] = []
    for (one, number), (other, next_number) in pairwise(zip(columns, numbers, strict=True)):
        pieces.append(_joined(one, other) if next_number == number + 1 else _gap(one, other))
    for at, (places, number) in enumerate(zip(columns, numbers, strict=True)):
        name = "input" if number == 0 else "output" if number == len(sizes) - 1 else f"hidden {number}"
        what = "" if number == 0 else activations[number - 1]
        pieces.append(_layer(places, sizes[number], MARGIN + BETWEEN * at, name, what))
    said = ", ".join(
        f"{size:,} {'inputs' if number == 0 else activations[number - 1] + ' units'}"
        for number, size in enumerate(sizes)
    )
    return Markup(
        '<svg class="network" viewBox="0 0 {} {}" role="img" aria-label="Layers of the network: {}">{}</svg>'
    ).format(width, height, said, Markup("").join(pieces))


def _drawn(layers: int) -> list[int]:
    """Which layers are drawn."""
    if layers <= MOST_LAYERS:
        return list(range(layers))
    first = MOST_LAYERS // 2 + 1
    return [*range(first), *range(layers - (MOST_LAYERS - first), layers)]


def _units(size: int, x: float) -> list[_Place | None]:
    """The places of a layer's circles; None where dots stand for the others."""
    slots = min(size, MOST_UNITS)
    middle = TOP + MOST_UNITS * STEP / 2
    places: list[_Place | None] = [(x, middle + STEP * (slot - (slots - 1) / 2)) for slot in range(slots)]
    if size > MOST_UNITS:
        places[-2] = None
    return places


def _there(places: Sequence[_Place | None]) -> list[_Place]:
    return [place for place in places if place is not None]


def _joined(one: Sequence[_Place | None], other: Sequence[_Place | None]) -> Markup:
    path = "".join(f"M{x1:g} {y1:g}L{x2:g} {y2:g}" for x1, y1 in _there(one) for x2, y2 in _there(other))
    return Markup('<path class="weights" d="{}"/>').format(path)


def _gap(one: Sequence[_Place | None], other: Sequence[_Place | None]) -> Markup:
    """What stands for layers that are not drawn."""
    x = (_there(one)[0][0] + _there(other)[0][0]) / 2
    return Markup('<text x="{:g}" y="{:g}" text-anchor="middle">…</text>').format(x, TOP + MOST_UNITS * STEP / 2 + 4)


def _layer(places: Sequence[_Place | None], size: int, x: float, name: str, activation: str) -> Markup:
    circles = Markup("").join(
        Markup('<circle cx="{:g}" cy="{:g}" r="{}"/>').format(*place, RADIUS) for place in _there(places)
    )
    dots = Markup("")
    if None in places:
        y = (_there(places)[-1][1] + _there(places)[-2][1]) / 2
        dots = Markup('<text x="{:g}" y="{:g}" text-anchor="middle">⋮</text>').format(x, y + 4)
    below = TOP + MOST_UNITS * STEP
    return Markup(
        '<g>{}{}<text x="{:g}" y="14" text-anchor="middle">{}</text>'
        '<text class="units" x="{:g}" y="{:g}" text-anchor="middle">{:,}</text>'
        '<text x="{:g}" y="{:g}" text-anchor="middle">{}</text></g>'
    ).format(circles, dots, x, name, x, below + 14, size, x, below + 30, activation)
