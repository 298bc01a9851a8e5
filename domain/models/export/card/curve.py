"""The course of J(W,b) as lines in a picture of fixed size, and as a table beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backprop.training import Record

WIDTH, HEIGHT = 720, 300
"""Of the picture."""

LEFT, TOP, RIGHT, BOTTOM = 72, 16, 704, 260
"""Where the lines are in it."""

_LOGARITHMIC_FROM = 100.0
"""Greatest J over least. From there on a linear axis would show a corner and a flat line."""

_TICKS = 5


@dataclass(frozen=True)
class Tick:
    """A mark at an axis: its place along the axis, and what it says."""

    place: float
    text: str


@dataclass(frozen=True)
class Curve:
    """The picture's parts.

    Attributes:
        training: corners of the line of J, as SVG writes them.
        held_out: likewise of the held-out cost; empty without one.
        across: ticks of iterations.
        up: ticks of costs.
        logarithmic: whether the axis of costs is.
        points: iteration, J and held-out cost where there is one, of a few iterations.
    """

    training: str
    held_out: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    logarithmic: bool
    points: tuple[Record, ...]


def curve_of(records: Sequence[Record], few: Sequence[Record]) -> Curve | None:
    """The picture of these costs, in the order of iterations; None where there are none.

    Args:
        records: to draw.
        few: of them to tell in numbers.
    """
    held_out = [(each.iteration, each.held_out_cost) for each in records if each.held_out_cost is not None]
    training = [(each.iteration, each.cost) for each in records]
    costs = [cost for _, cost in (*training, *held_out)]
    if not records:
        return None
    least, greatest = min(costs), max(costs)
    logarithmic = least > 0 and greatest / least > _LOGARITHMIC_FROM
    measure: Callable[[float], float] = math.log10 if logarithmic else float
    up = _Axis(measure(least), measure(greatest), BOTTOM, TOP)
    across = _Axis(records[0].iteration, records[-1].iteration, LEFT, RIGHT)

    def line(points: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{across.place(x):.1f},{up.place(measure(y)):.1f}" for x, y in points)

    return Curve(
        line(training),
        line(held_out),
        tuple(Tick(across.place(value), f"{value:,.0f}") for value in across.ticks()),
        tuple(Tick(up.place(value), f"{10**value if logarithmic else value:.3g}") for value in up.ticks()),
        logarithmic,
        tuple(few),
    )


@dataclass(frozen=True)
class _Axis:
    """Values from `first` to `last`, drawn from `begin` to `end`."""

    first: float
    last: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        share = (value - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        if self.last <= self.first:
            return [self.first]
        return [self.first + (self.last - self.first) * number / (_TICKS - 1) for number in range(_TICKS)]
