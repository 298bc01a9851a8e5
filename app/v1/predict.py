"""`POST /v1/models/{id}/predict`: rows as JSON or as a file, answered in the one form or the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from app.access.dependencies import CanPredict
from app.dependencies import ServicesDep, TrainedModelsDep
from app.shortcuts import Asked, Content, Shortcut
from app.v1.parameters import IdPath
from app.v1.predicting import (
    DESCRIBED,
    Accept,
    FoundModel,
    UnknownInFile,
    Wishes,
    content_at_once,
    predicted,
)
from domain.access.projects import Project
from domain.models.cache import ModelCache


class _ById(NamedTuple):
    """The project's model of that id."""

    trained_models: ModelCache
    project: Project
    model_id: str

    def at_hand(self) -> FoundModel | None:
        predictor = self.trained_models.at_hand(self.project, self.model_id)
        return None if predictor is None else FoundModel(self.model_id, predictor)

    def fetched(self) -> FoundModel:
        return FoundModel(self.model_id, self.trained_models.get(self.project, self.model_id))


def _at_once(path: Mapping[str, str], asked: Asked) -> Content | None:
    return content_at_once(asked, lambda app, project: _ById(app.state.trained_models, project, path["model_id"]))


SHORTCUT = Shortcut(re.compile("/v1/models/(?P<model_id>[^/]+)/predict"), _at_once)

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.post("/{model_id}/predict", operation_id="models_predict", **DESCRIBED)
async def predict(
    model_id: IdPath,
    request: Request,
    access: CanPredict,
    trained_models: TrainedModelsDep,
    services: ServicesDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions for rows, in the data's own labels and units. Rows that cannot be read are named, not guessed at.

    Rows may come as JSON, or as a file: CSV, Parquet or a stream of Arrow's. The answer is of the type that `Accept`
    names, by default of the type that has come. An answer that is a file has a row for each row, in order: the columns
    `prediction` and `score_…` for each class, a column for each target, or one for each reconstructed input.

    A row gets the same answer, to the last bit, alone and among others.
    """
    source = _ById(trained_models, access.project, model_id)
    return await predicted(request, source, services, Wishes(unknown_categories, accept))
