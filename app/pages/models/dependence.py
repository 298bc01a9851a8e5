"""How a model's answers depend on one column, as a curve or as bars, with the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.pages.models.metrics import MOST_LINES, label_text
from app.pages.pictures.chart import Axis, Chart, Line
from app.pages.wording import number
from backprop_client.wire.models import DependenceOut

POINTS = 25
"""Values of a number that are looked at."""


@dataclass(frozen=True)
class Depends:
    """How answers depend on a column.

    Attributes:
        column: which one.
        rows: over how many rows the means are.
        names: of what is answered: the classes, or the targets.
        values: each value of the column, and the mean answers there.
        picture: the curve; None where the column holds no numbers, or has one only.
        legend: the style of each line and what it shows.
        are_shares: whether the answers are in [0, 1], so that they can be shown as bars.
        left_out: how many of the answers the picture leaves out.
    """

    column: str
    rows: int
    names: Sequence[str]
    values: Sequence[tuple[str, Sequence[float]]]
    picture: Markup | None
    legend: Sequence[tuple[int, str]]
    are_shares: bool
    left_out: int


def depends(found: DependenceOut) -> Depends:
    """What is shown of a dependence that has been computed."""
    names, answers = _answers(found)
    values = [_value_text(point.value) for point in found.data]
    lines = _lines(found, names, answers)
    return Depends(
        column=found.column,
        rows=found.rows,
        names=names,
        values=list(zip(values, answers, strict=True)),
        picture=_chart(found, lines) if lines else None,
        legend=[(line.style, line.name) for line in lines],
        are_shares=found.data[0].scores is not None,
        left_out=len(names) - len(lines) if lines and len(names) > 2 else 0,
    )


def _answers(found: DependenceOut) -> tuple[list[str], list[list[float]]]:
    first = found.data[0]
    if first.scores is not None:
        labels = [label_text(vote.label) for vote in first.scores]
        return labels, [[vote.score for vote in point.scores or ()] for point in found.data]
    return list(first.prediction or {}), [list((point.prediction or {}).values()) for point in found.data]


def _lines(found: DependenceOut, names: Sequence[str], answers: Sequence[Sequence[float]]) -> list[Line]:
    """A line for each answer whose mean changes most, in their order: of two classes for the second one only."""
    places = [place for place, point in enumerate(found.data) if _is_number(point.value)]
    if len(places) < 2:
        return []
    x = [float(found.data[place].value or 0) for place in places]
    columns = [[answers[place][each] for place in places] for each in range(len(names))]
    chosen = list(range(len(names)))
    if found.data[0].scores is not None and len(names) == 2:
        chosen = [1]
    elif len(names) > MOST_LINES:
        chosen = sorted(sorted(chosen, key=lambda each: min(columns[each]) - max(columns[each]))[:MOST_LINES])
    return [Line(names[each], x, columns[each], style, has_dots=True) for style, each in enumerate(chosen, 1)]


def _chart(found: DependenceOut, lines: Sequence[Line]) -> Markup:
    are_scores = found.data[0].scores is not None
    upwards = "mean score" if are_scores else "mean prediction"
    if len(lines) == 1:
        upwards += f" of {lines[0].name}"
    heights = [height for line in lines for height in line.y]
    return Chart(
        f"Dependence on {found.column}",
        f"The {upwards} over the values of {found.column}. The table below has the numbers.",
        Axis.over(found.column, lines[0].x),
        Axis(upwards, 0, 1) if are_scores else Axis.over(upwards, heights),
        lines,
    ).svg()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value_text(value: object) -> str:
    if value is None:
        return "missing"
    return number(value) if isinstance(value, float) else label_text(value)
