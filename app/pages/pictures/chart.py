"""Charts as SVG: axes with ticks, lines, dots, and words on the plane. Colours come from classes in style.css."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.pages.pictures.axes import linear_ticks

WIDTH, HEIGHT = 440, 300
"""Units of the picture. On a phone it is a little smaller than on a screen, and its words can still be read."""

LEFT, RIGHT, TOP, BOTTOM = 56.0, 14.0, 12.0, 46.0
"""Units around the plane: room for ticks and the names of the axes."""

STYLES = 6
"""Styles of lines, ``line-1`` to ``line-6``: each has a colour and dashes of its own."""

MOST_TICKS = 6
"""Ticks of an axis. More of them would run into each other."""


LONGEST_NAME = 40
"""Characters. The name of an axis has no room for more."""


@dataclass(frozen=True)
class Axis:
    """One direction of a chart.

    Attributes:
        name: what it shows, with its unit.
        low: where it begins.
        high: where it ends, above `low`.
        logarithmic: whether equal factors are equally long; then both ends are above 0.
    """

    name: str
    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def over(cls, name: str, values: Iterable[float], *, logarithmic: bool = False) -> Axis:
        """The axis on which all finite ones of these values have a place, and above 0 if it is logarithmic."""
        shown = [each for each in values if math.isfinite(each) and (each > 0 or not logarithmic)]
        low, high = min(shown, default=1.0), max(shown, default=1.0)
        if low == high:
            room = abs(low) / 2 or 0.5  # half of the least number that there is would be nothing
            low, high = (low / 2 or low, high * 2) if logarithmic else (low - room, high + room)
        return cls(name, low, high, logarithmic)

    def share(self, value: float) -> float:
        """How far along the axis a value is: 0 at its begin, 1 at its end."""
        low, high, at = (self._scaled(each) for each in (self.low, self.high, value))
        return (at - low) / (high - low)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def holds(self, value: float) -> bool:
        """Whether a value has a place here."""
        return math.isfinite(value) and (value > 0 or not self.logarithmic)

    @property
    def ticks(self) -> list[float]:
        """Round values within the axis, at most `MOST_TICKS` and mostly about five."""
        if not self.logarithmic:
            return linear_ticks(self.low, self.high, MOST_TICKS - 1)
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        if last - first < 1:
            return linear_ticks(self.low, self.high, MOST_TICKS - 1)
        step = -(-(last - first + 1) // MOST_TICKS)
        return [10.0**power for power in range(first, last + 1, step)]


@dataclass(frozen=True)
class Line:
    """Points that are joined. Where one has no place on the axes, the line is interrupted.

    Attributes:
        name: what it shows.
        x: of each point, ascending.
        y: of each point.
        style: which one of `STYLES`, counted from 1.
        has_dots: whether each point is marked.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 1
    has_dots: bool = False


@dataclass(frozen=True)
class Dots:
    """Points that are not joined.

    Attributes:
        x: of each.
        y: of each.
        style: which one of `STYLES`, counted from 1.
    """

    x: Sequence[float]
    y: Sequence[float]
    style: int = 1


@dataclass(frozen=True)
class Word:
    """A short text in the plane.

    Attributes:
        x: of its middle.
        y: likewise.
        text: what it says.
    """

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A picture with two axes.

    Attributes:
        title: what it is, for who cannot see it, and where a pointer rests on it.
        description: what can be seen in it, in a sentence or two.
        x: the axis to the right.
        y: the axis upwards.
        lines: in their order, the last one on top.
        guides: lines to compare with, drawn thin below all others.
        dots: below the lines.
        words: above all.
        image: the address of a picture that fills the plane; None for none.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    lines: Sequence[Line] = ()
    guides: Sequence[Line] = ()
    dots: Sequence[Dots] = ()
    words: Sequence[Word] = ()
    image: str | None = None

    def svg(self) -> Markup:
        """The chart, to be put into a page."""
        parts = [
            self._image(),
            *self._ticks(),
            *self._names(),
            *(self._line(line, "guide") for line in self.guides),
            *(self._marks(each.x, each.y, each.style, 2.2) for each in self.dots),
            *(self._line(line, f"line line-{line.style}") for line in self.lines),
            *(self._marks(line.x, line.y, line.style, 3) for line in self.lines if line.has_dots),
            *(self._word(each) for each in self.words),
        ]
        return Markup(
            '<svg class="chart" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>{}</svg>'
        ).format(WIDTH, HEIGHT, self.title, self.description, Markup("").join(parts))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a point in the picture."""
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + wide * self.x.share(x), TOP + high * (1 - self.y.share(y))

    def _image(self) -> Markup:
        if self.image is None:
            return Markup("")
        return Markup('<image href="{}" x="{}" y="{}" width="{}" height="{}" preserveAspectRatio="none"/>').format(
            self.image, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        )

    def _ticks(self) -> Iterable[Markup]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        for tick in self.x.ticks:
            at, _ = self._at(tick, self.y.low)
            yield self._grid(f"M{at:.1f} {TOP}V{bottom}")
            yield _text(at, bottom + 16, "middle", tick_text(tick))
        for tick in self.y.ticks:
            _, at = self._at(self.x.low, tick)
            yield self._grid(f"M{LEFT} {at:.1f}H{right}")
            yield _text(LEFT - 6, at + 4, "end", tick_text(tick))
        yield Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, bottom, right)

    def _grid(self, path: str) -> Markup:
        """A line of the grid, which an image would have across it."""
        return Markup("") if self.image is not None else Markup('<path class="grid" d="{}"/>').format(path)

    def _names(self) -> Iterable[Markup]:
        middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
        yield _text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 8, "middle", _short(self.x.name))
        yield Markup('<text transform="translate(12 {}) rotate(-90)" text-anchor="middle">{}</text>').format(
            middle, _short(self.y.name)
        )

    def _line(self, line: Line, style: str) -> Markup:
        pieces, is_joined = [], False
        for x, y in zip(line.x, line.y, strict=True):
            if self.x.holds(x) and self.y.holds(y):
                pieces.append("{}{:.1f} {:.1f}".format("L" if is_joined else "M", *self._at(x, y)))
                is_joined = True
            else:
                is_joined = False
        return Markup('<path class="{}" d="{}"><title>{}</title></path>').format(style, "".join(pieces), line.name)

    def _marks(self, x: Sequence[float], y: Sequence[float], style: int, radius: float) -> Markup:
        places = [
            self._at(*point) for point in zip(x, y, strict=True) if self.x.holds(point[0]) and self.y.holds(point[1])
        ]
        circles = (Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(*place, radius) for place in places)
        return Markup('<g class="dots dots-{}">{}</g>').format(style, Markup("").join(circles))

    def _word(self, word: Word) -> Markup:
        x, y = self._at(word.x, word.y)
        return Markup('<text class="word" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(
            x, y + 4, word.text
        )


def tick_text(value: float) -> str:
    """A round value as it stands at an axis."""
    return f"{value:.6g}".replace("-", "−")


def _text(x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _short(name: str) -> str:
    """The name of an axis as far as there is room for it."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
