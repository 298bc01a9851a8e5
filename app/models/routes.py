"""`/v1/models`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from app.dependencies import DatabaseDep, SettingsDep
from app.errors import responses
from app.models.cache import PredictorCache
from app.models.schemas import ModelOut, ModelPage, PredictionRequest, PredictionResponse
from app.parameters import After, IdPath, Limit
from infra import models
from infra.errors import NotFound, TooLarge

router = APIRouter(prefix="/v1/models", tags=["models"])


def _predictors(request: Request) -> PredictorCache:
    predictors: PredictorCache = request.app.state.predictors
    return predictors


@router.get("", responses=responses())
def list_models(database: DatabaseDep, after: After = None, limit: Limit = 20) -> ModelPage:
    """Trained models, newest first."""
    with database.reading() as session:
        page = models.list_page(session, after, limit)
    return ModelPage(data=[ModelOut.of(model) for model in page.rows], has_more=page.has_more)


@router.get("/{model_id}", responses=responses(NotFound))
def get_model(model_id: IdPath, database: DatabaseDep) -> ModelOut:
    """One model: its network, preprocessing and metrics."""
    with database.reading() as session:
        return ModelOut.of(models.get(session, model_id))


@router.get(
    "/{model_id}/weights",
    response_class=Response,
    responses={**responses(NotFound), 200: {"content": {"application/vnd.safetensors": {}}}},
)
def get_weights(model_id: IdPath, database: DatabaseDep) -> Response:
    """The weights as safetensors: W1 (s_2, s_1), b1 (s_2,), W2, b2, … in the job's dtype."""
    with database.reading() as session:
        weights = models.get_with_weights(session, model_id).weights
    return Response(
        weights,
        media_type="application/vnd.safetensors",
        headers={"Content-Disposition": f'attachment; filename="{model_id}.safetensors"'},
    )


@router.post("/{model_id}/predict", response_model=PredictionResponse, responses=responses(NotFound, TooLarge))
def predict(
    model_id: IdPath,
    body: PredictionRequest,
    predictors: Annotated[PredictorCache, Depends(_predictors)],
    settings: SettingsDep,
) -> Response:
    """Predictions for rows, in the data's own labels and units. Rows that cannot be read are named, not guessed at."""
    if len(body.rows) > settings.max_prediction_rows:
        raise TooLarge(
            "too_many_rows",
            f"{len(body.rows):,} rows are more than the {settings.max_prediction_rows:,} that one request may have "
            "(setting BACKPROP_MAX_PREDICTION_ROWS).",
        )
    predictions = predictors.get(model_id).predict(body.rows)
    return JSONResponse({"model_id": model_id, "predictions": predictions})
