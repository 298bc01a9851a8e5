"""What a model answers over two of its inputs: decision regions, or a surface, with numbers on them and beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from markupsafe import Markup

from app.access.dependencies import CanRead
from app.dependencies import TrainedModelsDep
from app.edge.heavy_work import HeavyReadsDep
from app.pages.models.facts import Known, known
from app.pages.models.metrics import label_text
from app.pages.pictures.chart import Axis, Chart, Word
from app.pages.pictures.regions import surface_picture
from app.pages.wording import number
from app.v1.parameters import IdPath
from backprop.coding.targets import ClassCoding
from backprop.model import TrainedModel
from domain.models.surface import Grid, finest_side, numeric_columns, ranges, spaced, surface
from infra.errors import FieldError, InvalidRequest

router = APIRouter(prefix="/models")

NUMBERS_A_SIDE = 6
"""Points along a side whose answers stand on the picture and in the table."""


@dataclass(frozen=True)
class SurfaceView:
    """What is shown of the answers over two inputs.

    Attributes:
        x: the input to the right.
        y: the input upwards.
        picture: with axes; what is in it comes from an address of its own.
        classes: the number and the label of each class, as the picture has them; nothing where numbers are predicted.
        target: what is predicted.
        x_values: of the table's columns.
        rows: of the table: a value of y, and the answers beside it.
    """

    x: str
    y: str
    picture: Markup
    classes: Sequence[tuple[int, str]]
    target: str
    x_values: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def chosen_pair(model: Known, x: str | None, y: str | None) -> tuple[str, str] | None:
    """The two inputs to look at: those that are asked for, else both where there are just two; None for none.

    Raises:
        InvalidRequest: one that is asked for is no number column of the inputs (code ``not_an_input``).
    """
    columns = numeric_columns(model.coding.inputs)
    if x is None and y is None:
        return (columns[0], columns[1]) if len(columns) == 2 == len(model.coding.inputs.coded_columns) else None
    for field, column in (("x", x), ("y", y)):
        if column not in columns:
            problem = f"{column!r} is no input of this model that holds numbers."
            raise InvalidRequest("not_an_input", problem, (FieldError(field, problem),))
    if x is None or y is None or x == y:
        problem = "A picture has two different inputs."
        raise InvalidRequest("not_an_input", problem, (FieldError("y", problem),))
    return x, y


def surface_view(model: Known, trained: TrainedModel, x: str, y: str) -> SurfaceView:
    """The picture of the answers over two inputs, and some of them as a table."""
    reach = ranges(trained.coding.inputs, model.reach, (x, y))
    grid = _grid(model, trained, x, y, NUMBERS_A_SIDE)
    values = surface(trained, grid).values[::-1].tolist()
    x_values, y_values = grid.x.tolist(), grid.y[::-1].tolist()
    targets = trained.coding.targets
    classes = [label_text(label) for label in targets.classes] if isinstance(targets, ClassCoding) else []
    words = [
        Word(across, up, _on_picture(value, is_class=bool(classes)))
        for up, of_row in zip(y_values, values, strict=True)
        for across, value in zip(x_values, of_row, strict=True)
    ]
    target = targets.columns[0]
    what = "Regions of the classes of" if classes else "Prediction of"
    chart = Chart(
        f"{what} {target} over {x} and {y}",
        "The numbers on it are those of the classes." if classes else "The numbers on it are predictions.",
        Axis(x, *reach[x]),
        Axis(y, *reach[y]),
        words=words,
        image=f"/models/{model.origin.model.id}/surface.png?{urlencode({'x': x, 'y': y})}",
    )
    return SurfaceView(
        x,
        y,
        chart.svg(),
        list(enumerate(classes, 1)),
        target,
        [number(value) for value in x_values],
        [
            (number(up), [_in_table(value, classes) for value in of_row])
            for up, of_row in zip(y_values, values, strict=True)
        ],
    )


@router.get("/{model_id}/surface.png")
async def get_surface(
    model_id: IdPath, access: CanRead, heavy: HeavyReadsDep, trained_models: TrainedModelsDep, x: str, y: str
) -> Response:
    """The answers over two inputs as a picture without axes."""

    def drawn() -> Response:
        with heavy.database.reading() as session:
            model = known(session, access.project, model_id)
            pair = chosen_pair(model, x, y)
        assert pair is not None  # noqa: S101  # both are asked for
        trained = trained_models.get(access.project, model_id).model
        side = finest_side(trained)
        return Response(surface_picture(surface(trained, _grid(model, trained, *pair, side))), 200, None, "image/png")

    return await heavy.run(drawn)


def _grid(model: Known, trained: TrainedModel, x: str, y: str, side: int) -> Grid:
    """The middles of equally large fields of the picture."""
    reach = ranges(trained.coding.inputs, model.reach, (x, y))

    def middles(column: str) -> tuple[float, float]:
        low, high = reach[column]
        half = (high - low) / side / 2
        return low + half, high - half

    return Grid(x, spaced(*middles(x), side), y, spaced(*middles(y), side))


def _on_picture(value: float, *, is_class: bool) -> str:
    if not math.isfinite(value):
        return "–"
    return str(int(value) + 1) if is_class else f"{value:.2g}".replace("-", "−")


def _in_table(value: float, classes: Sequence[str]) -> str:
    if not math.isfinite(value):
        return "–"
    return classes[int(value)] if classes else number(value)
