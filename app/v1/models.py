"""`/v1/models`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import JSONResponse

from app.access.dependencies import CanAdminister, CanRead, CanTrain
from app.dependencies import ArtifactsDep, DatabaseDep, TrainedModelsDep
from app.edge.heavy_work import GradientChecksDep, HeavyReadsDep
from app.errors import responses
from app.v1.answers import model_out, model_summary
from app.v1.filters import WantedDep
from app.v1.parameters import After, IdPath, Limit
from backprop_client.wire.captions import CaptionPatch
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.models import DependenceOut, FeaturePage, ImportanceOut, ModelOut, ModelPage
from domain import captions
from domain.models import rows as models
from domain.models.dependence import dependence
from domain.models.features import page_of_features, picture_of_features, prefers_png
from domain.models.gradient_check import check_model
from domain.models.removal import delete_model
from infra.errors import Conflict, NotFound, TooLarge

router = APIRouter(prefix="/v1/models", tags=["models"])

AfterUnit = Annotated[int, Query(ge=-1, le=2**31, description="Units past this one; −1 for all.")]
UnitLimit = Annotated[int, Query(ge=1, le=1000, description="How many units at most; a large page may end earlier.")]
TileWidth = Annotated[
    int | None,
    Query(ge=1, le=2**31, description="Pixels in a row of a tile. Default: the inputs make a square."),
]
TileScale = Annotated[
    int | None, Query(ge=1, le=64, description="Side of a tile's pixel in the picture. Default: tiles of about 64.")
]
DependsOn = Annotated[str, Query(description="The name of an input column.")]
Points = Annotated[
    int,
    Query(ge=2, le=50, description="How many values of a number or moment at most; of categories all are shown."),
]
FeatureFormat = Annotated[
    Literal["json", "png"] | None, Query(description="Default: as the Accept header says, else json.")
]


@router.get("", responses=responses(), operation_id="models_list")
def list_models(
    access: CanRead, database: DatabaseDep, wanted: WantedDep, after: After = None, limit: Limit = 20
) -> ModelPage:
    """Trained models, newest first; their metrics without the confusion matrix and the curves."""
    with database.reading() as session:
        page = models.list_page(session, access.project, after, limit, wanted)
    return ModelPage(data=[model_summary(model) for model in page.rows], has_more=page.has_more)


@router.get("/{model_id}", responses=responses(NotFound), operation_id="models_get")
def get_model(model_id: IdPath, access: CanRead, database: DatabaseDep) -> ModelOut:
    """One model: its network, preprocessing and metrics."""
    with database.reading() as session:
        return model_out(models.get(session, access.project, model_id))


@router.patch("/{model_id}", responses=responses(NotFound), operation_id="models_update")
def change_model(model_id: IdPath, body: CaptionPatch, access: CanTrain, database: DatabaseDep) -> ModelOut:
    """Change a model's name, tags or note: what the body names, and nothing else; null clears."""
    with database.writing() as session:
        model = models.locked(session, access.project, model_id)
        captions.change(session, model, body)
        return model_out(model)


@router.delete(
    "/{model_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, Conflict),
    operation_id="models_delete",
)
def remove_model(
    model_id: IdPath, access: CanAdminister, database: DatabaseDep, trained_models: TrainedModelsDep
) -> None:
    """Delete a model; refused while something needs it: a queued or running job or prediction.

    Predictions that it has made for datasets stay.
    """
    with database.writing() as session:
        delete_model(session, access.project, model_id)
    trained_models.forget(access.project, model_id)


@router.get(
    "/{model_id}/features",
    response_model=FeaturePage,
    responses={**responses(NotFound, TooLarge), 200: {"content": {"image/png": {}}}},
    operation_id="models_features",
)
async def get_features(
    model_id: IdPath,
    access: CanRead,
    trained_models: TrainedModelsDep,
    heavy: HeavyReadsDep,
    after: AfterUnit = -1,
    limit: UnitLimit = 100,
    format: FeatureFormat = None,  # noqa: A002  # the parameter's name in the URL
    width: TileWidth = None,
    scale: TileScale = None,
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """What each unit of the first layer responds to most, as numbers or as a picture with a grey tile for each unit.

    In a tile, zero is middle grey and the largest value is white or, if negative, black. `width` and `scale` are for
    the picture only.
    """
    headers = {"Vary": "Accept"}

    def features() -> Response:
        predictor = trained_models.get(access.project, model_id)
        model = predictor.model
        if format == "png" or (format is None and prefers_png(accept)):
            return Response(
                picture_of_features(model, predictor.reader.table, after, limit, width, scale),
                200,
                headers,
                "image/png",
            )
        return JSONResponse(page_of_features(model, after, limit), headers=headers)

    return await heavy.run(features)


@router.get("/{model_id}/importance", responses=responses(NotFound, Conflict), operation_id="models_importance")
def get_importance(model_id: IdPath, access: CanRead, database: DatabaseDep) -> ImportanceOut:
    """How much worse the model is when the values of one input column are permuted among the rows, for each column."""
    with database.reading() as session:
        return models.importance(session, access.project, model_id)


@router.get("/{model_id}/dependence", responses=responses(NotFound, Conflict), operation_id="models_dependence")
async def get_dependence(
    model_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    trained_models: TrainedModelsDep,
    column: DependsOn,
    points: Points = 20,
) -> DependenceOut:
    """What the model answers on average when one input column has the same value in all rows, for some values of it.

    The other columns are those of up to 1,000 rows of the model's dataset.
    """

    def asked() -> DependenceOut:
        model = trained_models.get(access.project, model_id).model
        return dependence(access.project, model_id, model, heavy.database, artifacts, column, points)

    return await heavy.run(asked)


@router.post(
    "/{model_id}/gradient-check", responses=responses(NotFound, Conflict), operation_id="models_check_gradient"
)
async def check_gradient(
    model_id: IdPath,
    access: CanTrain,
    checks: GradientChecksDep,
    artifacts: ArtifactsDep,
    trained_models: TrainedModelsDep,
    seed: Annotated[int, Query(ge=0, le=2**63 - 1, description="Of the sample of parameters and examples.")] = 0,
) -> GradientCheckResult:
    """Compare the gradient that backpropagation gives at the model's weights with a numerical one, in float64.

    Large networks and datasets are sampled, so that it takes some seconds at most. The examples are drawn from the
    first rows of the dataset.
    """

    def check() -> GradientCheckResult:
        model = trained_models.get(access.project, model_id).model
        return check_model(access.project, model_id, model, checks.database, artifacts, seed)

    return await checks.run(check)
