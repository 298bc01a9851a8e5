"""`/models/{id}/inside`: what the units of the first layer respond to, and the weights of every layer as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response

from app.access.dependencies import CanRead
from app.dependencies import TrainedModelsDep
from app.edge.heavy_work import HeavyReadsDep
from app.pages.models.facts import Headline, known
from app.pages.pictures.grey import matrix_picture
from app.pages.rendering import page_response
from app.v1.parameters import IdPath
from backprop.coding.columns import Array
from backprop.features import strongest_inputs
from backprop.model import TrainedModel
from domain.models.features import are_pictures, picture_of_features
from infra.errors import FieldError, InvalidRequest

router = APIRouter(prefix="/models")

UNITS_A_PAGE = 25
INPUTS_OF_A_UNIT = 8
"""Inputs of a unit that are named: those with the largest weights."""

TILES = 100
"""Units in the picture of tiles."""

LayerPath = Annotated[int, Path(ge=1, le=1000, description="l of W(l), from 1.")]
AfterUnit = Annotated[int, Query(ge=-1, le=2**31, description="Units past this one; −1 for all.")]


@dataclass(frozen=True)
class Unit:
    """What a unit of the first layer responds to.

    Attributes:
        number: from 1.
        norm: the length of its weights.
        inputs: those with the largest weights, the largest first, and what they have in the input of length 1 to which
            the unit responds most.
    """

    number: int
    norm: float
    inputs: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Weights:
    """The weights of a layer, in numbers.

    Attributes:
        layer: l of W(l), from 1.
        units: s_{l+1}, its rows.
        inputs: s_l, its columns.
        least: of them.
        mean: of them.
        greatest: of them.
        deviation: their standard deviation.
        norm: √Σ W_ij².
    """

    layer: int
    units: int
    inputs: int
    least: float
    mean: float
    greatest: float
    deviation: float
    norm: float


@dataclass(frozen=True)
class InsidePage:
    """What a model has learned.

    Attributes:
        headline: which model it is.
        layers: the weights of each.
        units: some of the first layer.
        first_layer: how many units that has.
        next_page: where the following units are; None if there are none.
        has_tiles: whether what a unit responds to is a picture.
        tiles: how many units are in that.
    """

    template: ClassVar[str] = "models/inside.html"
    headline: Headline
    layers: Sequence[Weights]
    units: Sequence[Unit]
    first_layer: int
    next_page: str | None
    has_tiles: bool
    tiles: int

    @property
    def title(self) -> str:
        """Whose inside."""
        return f"Inside {self.headline.name or self.headline.id}"


@router.get("/{model_id}/inside")
async def show_inside(
    request: Request,
    model_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    trained_models: TrainedModelsDep,
    after: AfterUnit = -1,
) -> Response:
    """The page."""

    def shown() -> Response:
        with heavy.database.reading() as session:
            headline = known(session, access.project, model_id).headline
        predictor = trained_models.get(access.project, model_id)
        model, units = predictor.model, len(predictor.model.parameters.W[0])
        stop = min(units, after + 1 + UNITS_A_PAGE)
        page = InsidePage(
            headline=headline,
            layers=[_summary(layer, W) for layer, W in enumerate(model.parameters.W, 1)],
            units=_units(model, after + 1, stop),
            first_layer=units,
            next_page=f"/models/{model_id}/inside?after={stop - 1}#units" if stop < units else None,
            has_tiles=are_pictures(model.coding.inputs, predictor.reader.table),
            tiles=min(units, TILES),
        )
        return page_response(request, page)

    return await heavy.run(shown)


@router.get("/{model_id}/tiles.png")
async def get_tiles(
    model_id: IdPath, access: CanRead, heavy: HeavyReadsDep, trained_models: TrainedModelsDep
) -> Response:
    """What the first units of the first layer respond to, a tile for each."""

    def drawn() -> Response:
        predictor = trained_models.get(access.project, model_id)
        tiles = picture_of_features(predictor.model, predictor.reader.table, -1, TILES, None, None)
        return Response(tiles, 200, None, "image/png")

    return await heavy.run(drawn)


@router.get("/{model_id}/weights/{layer}.png")
async def get_weights_picture(
    model_id: IdPath, layer: LayerPath, access: CanRead, heavy: HeavyReadsDep, trained_models: TrainedModelsDep
) -> Response:
    """W(l) as a picture: a row for each unit, a column for each of its inputs."""

    def drawn() -> Response:
        W = trained_models.get(access.project, model_id).model.parameters.W
        if layer > len(W):
            problem = f"This network has {len(W)} layers with weights; there is no W({layer})."
            raise InvalidRequest("no_such_unit", problem, (FieldError("layer", problem),))
        return Response(matrix_picture(W[layer - 1]), 200, None, "image/png")

    return await heavy.run(drawn)


def _units(model: TrainedModel, first: int, stop: int) -> list[Unit]:
    if first >= stop:
        return []
    names = model.coding.inputs.unit_names
    x, norms = strongest_inputs(model.parameters.W[0][first:stop])
    largest = np.argsort(-np.abs(x), axis=1, kind="stable")[:, :INPUTS_OF_A_UNIT].tolist()
    return [
        Unit(first + row + 1, norm, [(names[place], float(x[row, place])) for place in largest[row]])
        for row, norm in enumerate(norms.tolist())
    ]


def _summary(layer: int, W: Array) -> Weights:
    weights = W.astype(np.float64)
    return Weights(
        layer=layer,
        units=len(W),
        inputs=W.shape[1],
        least=float(weights.min()),
        mean=float(weights.mean()),
        greatest=float(weights.max()),
        deviation=float(weights.std()),
        norm=float(np.linalg.norm(weights)),
    )
