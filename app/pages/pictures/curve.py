"""The cost curve: J over the iterations, of one job or of several.

What is to be seen is laid out once, in units of the picture, and then drawn as SVG or as PNG.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from PIL import Image, ImageDraw, ImageFont

from app.pages.pictures.axes import Axis, ScaleName, axis_of, tick_text

WIDTH, HEIGHT = 960, 420
"""Units of the picture, which are pixels where nothing stretches it."""

LEFT, RIGHT, TOP, BOTTOM = 72, 16, 12, 36
"""Likewise. What the axes and their words take."""

KINDS = 6
"""Lines that look different. The style sheet has a class for each; more of them begin again."""

_COLOURS = ("#2f6fde", "#c2560c", "#1a7f4b", "#8a3ffc", "#b3266b", "#6b6100")
_DASHES = ("", "7 3", "2 3", "10 3 2 3", "4 4", "1 4")
"""Those of the style sheet, for a file that has none."""

PNG_SCALE = 2
"""Pixels of a PNG for each unit of the picture."""


@dataclass(frozen=True)
class Line:
    """What one line shows.

    Attributes:
        name: of it.
        iterations: ascending.
        values: at each of them; None or not finite where there is nothing to draw.
    """

    name: str
    iterations: Sequence[int]
    values: Sequence[float | None]


@dataclass(frozen=True)
class Drawn:
    """A line in units of the picture.

    Attributes:
        line: what it shows.
        kind: how it looks, 1 to `KINDS`.
        raw: its pieces as they were measured; there is a gap between pieces.
        smooth: the same smoothed; none if nothing is.
    """

    line: Line
    kind: int
    raw: Sequence[Sequence[tuple[float, float]]]
    smooth: Sequence[Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Layout:
    """All that a picture of curves has.

    Attributes:
        x: the iterations.
        y: the costs.
        lines: in order.
    """

    x: Axis
    y: Axis
    lines: Sequence[Drawn]


def laid_out(lines: Sequence[Line], scale: ScaleName, smoothing: float = 0.0) -> Layout:
    """Lay lines out.

    Args:
        lines: the lines.
        scale: of the costs; linear is taken where not all are above 0.
        smoothing: from 0, nothing, to below 1: how much of each smoothed value comes from those before it.
    """
    points = [list(_finite(line)) for line in lines]
    x = axis_of((at for each in points for at, _ in each), LEFT, WIDTH - RIGHT)
    y = axis_of((value for each in points for _, value in each), HEIGHT - BOTTOM, TOP, scale)
    drawn = [
        Drawn(
            line,
            place % KINDS + 1,
            _pieces(line, line.values, x, y),
            _pieces(line, smoothed(line.iterations, line.values, smoothing), x, y) if smoothing else (),
        )
        for place, line in enumerate(lines)
    ]
    return Layout(x, y, drawn)


def smoothed(iterations: Sequence[int], values: Sequence[float | None], share: float) -> list[float | None]:
    """An exponential moving average without the pull of its start; None where there is no value.

    s(k) = Σ share^(k−i) v(i) / Σ share^(k−i), over the iterations i up to k that have a value. So a curve of which only
    some points are there fades as fast as one that has all.
    """
    total = weight = 0.0
    last = iterations[0] if iterations else 0
    averages: list[float | None] = []
    for k, value in zip(iterations, values, strict=True):
        if value is None or not math.isfinite(value):
            averages.append(None)
            continue
        fade = share ** (k - last)
        total, weight, last = fade * total + value, fade * weight + 1, k
        averages.append(total / weight)
    return averages


def as_svg(layout: Layout, title: str, *, stands_alone: bool = False) -> Markup:
    """The picture as SVG, whose lines carry their numbers for a script.

    Args:
        layout: what it has.
        title: what it shows, for who does not see it.
        stands_alone: whether it is a file of its own, and not part of a page with the style sheet.
    """
    parts = [*_axes(layout), *(_line(drawn, stands_alone=stands_alone) for drawn in layout.lines)]
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" '
        'data-left="{}" data-right="{}" data-top="{}" data-bottom="{}" data-first="{}" data-last="{}">'
    ).format(
        WIDTH, HEIGHT, title, LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM, _exact(layout.x.low), _exact(layout.x.high)
    )
    style = _STANDS_ALONE if stands_alone else Markup("")
    return Markup("").join([frame, style, *parts, Markup("</svg>")])


def as_png(layout: Layout) -> bytes:
    """The picture as PNG, on white."""
    image = Image.new("RGB", (WIDTH * PNG_SCALE, HEIGHT * PNG_SCALE), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(12 * PNG_SCALE)
    left, right, top, bottom = (PNG_SCALE * each for each in (LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM))
    for tick in layout.y.ticks(6):
        at = PNG_SCALE * layout.y.place(tick)
        draw.line([(left, at), (right, at)], fill="#dbe0e6", width=1)
        draw.text((left - 12, at), _plain(tick_text(tick)), fill="#59636e", font=font, anchor="rm")
    for tick in layout.x.ticks(8):
        at = PNG_SCALE * layout.x.place(tick)
        draw.text((at, bottom + 12), _plain(tick_text(tick)), fill="#59636e", font=font, anchor="mt")
    draw.line([(left, top), (left, bottom), (right, bottom)], fill="#59636e", width=2)
    for drawn in layout.lines:
        colour = _COLOURS[drawn.kind - 1]
        for piece in drawn.smooth or drawn.raw:
            draw.line([(PNG_SCALE * x, PNG_SCALE * y) for x, y in piece], fill=colour, width=4, joint="curve")
    for place, drawn in enumerate(layout.lines):
        at = top + 12 + place * 36
        draw.line([(right - 380, at + 12), (right - 320, at + 12)], fill=_COLOURS[drawn.kind - 1], width=4)
        draw.text((right - 308, at), drawn.line.name[:24], fill="#1d2329", font=font)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _finite(line: Line) -> list[tuple[int, float]]:
    pairs = zip(line.iterations, line.values, strict=True)
    return [(k, value) for k, value in pairs if value is not None and math.isfinite(value)]


def _pieces(line: Line, values: Sequence[float | None], x: Axis, y: Axis) -> list[list[tuple[float, float]]]:
    """The line in units of the picture, cut where a value is not finite. A value that is absent is only passed over.

    Held-out rows are measured now and then only, so most values of their line are absent.
    """
    pieces: list[list[tuple[float, float]]] = [[]]
    for k, value in zip(line.iterations, values, strict=True):
        if value is None:
            continue
        if math.isfinite(value):
            pieces[-1].append((x.place(k), y.place(value)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _axes(layout: Layout) -> list[Markup]:
    parts = []
    for tick in layout.y.ticks(6):
        at = layout.y.place(tick)
        parts.append(
            Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                LEFT, at, WIDTH - RIGHT, LEFT - 8, at + 4, tick_text(tick)
            )
        )
    for tick in layout.x.ticks(8):
        at = layout.x.place(tick)
        parts.append(
            Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                at, HEIGHT - BOTTOM + 18, tick_text(tick)
            )
        )
    parts.append(Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT))
    return parts


def _line(drawn: Drawn, *, stands_alone: bool) -> Markup:
    looks = Markup("")
    if stands_alone:
        looks = Markup(' stroke="{}" stroke-dasharray="{}"').format(
            _COLOURS[drawn.kind - 1], _DASHES[drawn.kind - 1] or "none"
        )
    paths = [
        Markup('<path class="line line-{}{}" d="{}"{}/>').format(drawn.kind, extra, _path(piece), looks)
        for pieces, extra in ((drawn.raw, " raw" if drawn.smooth else ""), (drawn.smooth, ""))
        for piece in pieces
    ]
    finite = _finite(drawn.line)
    return Markup('<g data-name="{}" data-x="{}" data-y="{}">{}</g>').format(
        drawn.line.name,
        " ".join(str(k) for k, _ in finite),
        " ".join(_exact(value) for _, value in finite),
        Markup("").join(paths),
    )


def _path(piece: Sequence[tuple[float, float]]) -> str:
    if len(piece) == 1:  # a lone point is drawn as a very short line
        (x, y), *_ = piece
        return f"M{x - 1:.1f} {y:.1f}h2"
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in piece)


def _exact(value: float) -> str:
    return f"{value:.9g}"


def _plain(text: str) -> str:
    """The font of PNGs has neither thin spaces nor minus signs."""
    return text.replace("\u202f", " ").replace("−", "-")


_STANDS_ALONE = Markup(
    "<style>text{font:12px sans-serif;fill:#59636e}.grid{stroke:#dbe0e6}.axis{stroke:#59636e}"
    "path{fill:none}.line{stroke-width:1.75;stroke-linejoin:round}.raw{opacity:.35}</style>"
)
