"""What the first layer's units of a model respond to, as JSON and as a picture."""

from __future__ import annotations

import io
import math
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from backprop.coding.columns import Floats
from backprop.coding.inputs import InputCoding
from backprop.features import sheet_of_tiles, sheet_shape, strongest_inputs
from backprop.model import TrainedModel
from infra.errors import FieldError, InvalidRequest, TooLarge

LARGEST_ANSWER = 1_000_000
"""Values. A page of JSON ends before it has more, but has one unit in any case."""

LARGEST_SHEET = 2**24
"""Pixels. No picture has more."""

SMALLEST_PICTURE = 4
"""Pixels. Fewer inputs than a square of this side has are hardly those of a picture."""

USUAL_TILE = 64
"""Pixels. The default scale makes the side of a tile about as long."""


def page_of_features(model: TrainedModel, after: int, limit: int) -> dict[str, Any]:
    """The features of the units past `after`, at most `limit` and no more than make a large answer.

    Returns:
        ``{"inputs": [name, …], "data": [{"unit": i, "norm": …, "values": [x_j, …]}, …], "has_more": …}``
    """
    W = model.parameters.W[0]
    units, inputs = W.shape
    stop = min(units, after + 1 + min(limit, max(1, LARGEST_ANSWER // inputs)))
    first = after + 1
    data: list[dict[str, Any]] = []
    if first < stop:
        x, norms = strongest_inputs(W[first:stop])
        data = [
            # A norm beyond double precision has no number in JSON.
            {"unit": first + index, "norm": norm if math.isfinite(norm) else None, "values": values}
            for index, (norm, values) in enumerate(zip(norms.tolist(), x.tolist(), strict=True))
        ]
    return {"inputs": model.coding.inputs.unit_names, "data": data, "has_more": stop < units}


def picture_of_features(
    model: TrainedModel, table: tuple[str, ...], after: int, limit: int, width: int | None, scale: int | None
) -> bytes:
    """The same units as a PNG sheet of tiles.

    Where the inputs alone make no such tile but all columns of the table do, those that are no inputs are grey in it.
    So the picture of images whose constant pixels were left out is whole.

    Args:
        model: whose.
        table: the columns of the dataset that it was trained on but the targets, in the order of the file.
        after: unit to begin after.
        limit: most units.
        width: of a tile in pixels; None for square tiles.
        scale: side of a tile's pixel on the sheet; None for one that makes tiles of some 64 pixels.

    Raises:
        InvalidRequest: no unit there (``no_such_unit``); the inputs make no square (``tile_width_required``) or no
            rectangle of that width (``tile_width``).
        TooLarge: ``picture_too_large``.
    """
    W = model.parameters.W[0][after + 1 : after + 1 + limit]
    units, inputs = W.shape
    if units == 0:
        problem = f"The first layer has {len(model.parameters.W[0])} units, counted from 0; none comes after {after}."
        raise InvalidRequest("no_such_unit", problem, (FieldError("after", problem),))
    x, _ = strongest_inputs(W)
    places = _places_in_table(model, table)
    if places is not None and not _fits(inputs, width) and _fits(places.columns, width):
        inputs = places.columns
        x = _scattered(x, places)
    width = _tile_width(inputs, width)
    if scale is None:
        scale = max(1, USUAL_TILE // max(width, inputs // width))
        while scale > 1 and math.prod(sheet_shape(units, inputs, width, scale)) > LARGEST_SHEET:
            scale -= 1
    shape = sheet_shape(units, inputs, width, scale)
    if math.prod(shape) > LARGEST_SHEET:
        raise TooLarge(
            "picture_too_large",
            f"The picture would have {shape[1]:,} by {shape[0]:,} pixels, and {LARGEST_SHEET:,} are the most: ask for "
            "fewer units with limit, or a smaller scale.",
        )
    png = io.BytesIO()
    Image.fromarray(sheet_of_tiles(x, width, scale)).save(png, "PNG")
    return png.getvalue()


def are_pictures(inputs: InputCoding, table: tuple[str, ...]) -> bool:
    """Whether what a unit responds to can be shown as a square picture of at least `SMALLEST_PICTURE` pixels a side.

    Args:
        inputs: how the model's columns are coded: each must be one unit, since a category is no pixel.
        table: the columns of the dataset that it was trained on but the targets, in the order of the file.
    """
    if any(column.width != 1 or column.categories is not None for column in inputs.coded_columns):
        return False
    sizes = [inputs.width, *([len(table)] if _places_of(inputs, table) is not None else [])]
    return any(size >= SMALLEST_PICTURE**2 and _fits(size, None) for size in sizes)


class _Places(NamedTuple):
    """Where the inputs are among the columns of the table."""

    of_inputs: list[int]
    columns: int


def _places_in_table(model: TrainedModel, table: tuple[str, ...]) -> _Places | None:
    """None where a column is more than one input, so that its place is none."""
    return _places_of(model.coding.inputs, table)


def _places_of(inputs: InputCoding, table: tuple[str, ...]) -> _Places | None:
    columns = inputs.coded_columns
    place = {name: position for position, name in enumerate(table)}
    if any(column.width != 1 or column.name not in place for column in columns):
        return None
    return _Places([place[column.name] for column in columns], len(table))


def _scattered(x: Floats, places: _Places) -> Floats:
    scattered = np.zeros((len(x), places.columns))
    scattered[:, places.of_inputs] = x
    return scattered


def _fits(inputs: int, width: int | None) -> bool:
    return math.isqrt(inputs) ** 2 == inputs if width is None else inputs % width == 0


def _tile_width(inputs: int, width: int | None) -> int:
    if width is None:
        width = math.isqrt(inputs)
        if not _fits(inputs, None):
            problem = f"The {inputs} inputs make no square: give the width of a tile in pixels, a divisor of {inputs}."
            raise InvalidRequest("tile_width_required", problem, (FieldError("width", problem),))
    if not _fits(inputs, width):
        problem = f"The {inputs} inputs do not fill rows of {width}: the width must divide {inputs}."
        raise InvalidRequest("tile_width", problem, (FieldError("width", problem),))
    return width


def prefers_png(accept: str) -> bool:
    """Whether a client with this Accept header would rather have image/png than application/json."""
    return _quality(accept, "image", "png") > _quality(accept, "application", "json")


def _quality(accept: str, kind: str, subtype: str) -> float:
    """Q of the most specific range that matches a media type (RFC 9110, 12.5.1); 0 if none does."""
    ranges = {f"{kind}/{subtype}": 3, f"{kind}/*": 2, "*/*": 1}
    found = (0, 0.0)
    for part in accept.split(","):
        media_range, *parameters = (each.strip().lower() for each in part.split(";"))
        if media_range in ranges:
            found = max(found, (ranges[media_range], _q(parameters)))
    return found[1]


def _q(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
