"""Predicted against actual numbers, and what is left between them, as two pictures and a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app.pages.pictures.chart import Axis, Chart, Dots, Line
from backprop.coding.columns import Floats
from domain.models.outcomes import Outcomes

TRAINED_ON, HELD_OUT = 1, 2
"""Styles of the dots: full ones and rings."""

FARTHEST = 20
"""Rows of the table: those that are predicted worst."""


@dataclass(frozen=True)
class Residuals:
    """Predicted and actual numbers of some rows.

    Attributes:
        target: the column.
        rows: how many rows are drawn.
        against: predicted over actual.
        left: actual less predicted, over predicted.
        knows_held_out: whether dots say which rows were held out.
        farthest: the actual and the predicted number and the difference, of the rows predicted worst.
    """

    target: str
    rows: int
    against: Markup
    left: Markup
    knows_held_out: bool
    farthest: Sequence[tuple[float, float, float]]


def residuals(found: Outcomes) -> Residuals:
    """What is shown of the outcomes of some rows; where the network overflows there is nothing to show."""
    finite = np.isfinite(found.predicted) & np.isfinite(found.actual)
    actual, predicted = found.actual[finite], found.predicted[finite]
    held_out = None if found.held_out is None else found.held_out[finite]
    left = actual - predicted
    both = Axis.over("", [*actual.tolist(), *predicted.tolist()])
    across = Axis.over(f"predicted {found.target}", predicted.tolist())
    farthest = np.argsort(-np.abs(left), kind="stable")[:FARTHEST]
    return Residuals(
        found.target,
        len(actual),
        Chart(
            f"Predicted against actual {found.target}",
            "Each dot is a row. On the diagonal the prediction is right.",
            Axis(f"actual {found.target}", both.low, both.high),
            Axis(f"predicted {found.target}", both.low, both.high),
            guides=[Line("right", (both.low, both.high), (both.low, both.high))],
            dots=_dots(actual, predicted, held_out),
        ).svg(),
        Chart(
            f"Residuals of {found.target}",
            "Each dot is a row: actual less predicted. On the level line the prediction is right.",
            across,
            Axis.over("actual − predicted", [0.0, *left.tolist()]),
            guides=[Line("right", (across.low, across.high), (0.0, 0.0))],
            dots=_dots(predicted, left, held_out),
        ).svg(),
        held_out is not None and bool(held_out.any()),
        [(float(actual[row]), float(predicted[row]), float(left[row])) for row in farthest.tolist()],
    )


def _dots(x: Floats, y: Floats, held_out: NDArray[np.bool_] | None) -> list[Dots]:
    if held_out is None:
        return [Dots(x.tolist(), y.tolist(), TRAINED_ON)]
    return [
        Dots(x[~held_out].tolist(), y[~held_out].tolist(), TRAINED_ON),
        Dots(x[held_out].tolist(), y[held_out].tolist(), HELD_OUT),
    ]
