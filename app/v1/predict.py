"""`POST /v1/models/{id}/predict`: rows as JSON or as a file, answered in the one form or the other.

The routes of `app.v1.registered_predictions` find the model under another name, and answer with what is here.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from app.access.dependencies import CanPredict
from app.dependencies import Services, ServicesDep, SettingsDep, TrainedModelsDep
from app.edge.media_types import JSON, TABLES, ContentType, content_type, is_json, negotiated
from app.errors import responses
from app.v1.parameters import IdPath
from backprop_client.wire.models import PredictionRequest, PredictionResponse, UnknownCategories
from domain.datasets.upload_files import UploadFiles, upload_files
from domain.datasets.writing import written
from domain.models.file_prediction import RowsFile, predict_file, read_rows
from domain.models.prediction import Predictions, Predictor
from infra.errors import (
    FieldError,
    InvalidRequest,
    NotAcceptable,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from infra.full_disks import full_disk_told
from infra.settings import Settings

UNKNOWN_HEADER = "Unknown-Categories"
"""This header of an answer that is a file tells how many values counted as missing because they were not known."""

_TAKEN = ", ".join((JSON, *TABLES))
_FORMS = [JSON, *TABLES]
_VARY = {"Vary": "Accept"}
_FILE_SCHEMA = {"schema": {"type": "string", "format": "binary"}}
FILE_BODY = {"requestBody": {"content": dict.fromkeys(TABLES, _FILE_SCHEMA)}}
"""What the OpenAPI document says of rows that come as a file."""

FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": dict.fromkeys(TABLES, _FILE_SCHEMA),
        "headers": {
            UNKNOWN_HEADER: {
                "description": "Of a file: how many values were categories that the training data did not have.",
                "schema": {"type": "integer"},
            }
        },
    }
}
"""And of answers that are files."""

Accept = Annotated[
    str | None, Header(description=f"What to answer in: {', '.join(_FORMS)}. Default: as the rows come.")
]
UnknownInFile = Annotated[
    UnknownCategories | None,
    Query(description="For rows that come as a file: as the field of the same name in JSON. Default: refuse."),
]


@dataclass(frozen=True)
class Asked:
    """The model that a request has asked for.

    Attributes:
        model_id: its id, which the answer names.
        predictor: the model, ready to answer.
    """

    model_id: str
    predictor: Predictor


class FileRoute(APIRoute):
    """Takes the requests whose body is no JSON; the route of the same address behind it takes the others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request is one for this route."""
        match, child_scope = super().matches(scope)
        if match is Match.FULL and not is_json(content_type(Headers(scope=scope).get("content-type")).name):
            return match, child_scope
        return Match.NONE, {}


router = APIRouter(prefix="/v1/models", tags=["models"])


async def predict_file_rows(
    model_id: IdPath,
    request: Request,
    access: CanPredict,
    trained_models: TrainedModelsDep,
    services: ServicesDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions for the rows of a file."""

    def find() -> Asked:
        return Asked(model_id, trained_models.get(access.project, model_id))

    return await answer_file(find, request, services, unknown_categories, accept)


async def answer_file(
    find: Callable[[], Asked],
    request: Request,
    services: Services,
    unknown_categories: UnknownCategories | None,
    accept: str | None,
) -> Response:
    """The predictions of the model that is found, for the rows of a file.

    Raises:
        UnsupportedMediaType, NotAcceptable: the file, or all that is to be answered with, is of no type that is known.
        ServiceError: as `find` raises, or as the reading of the file and the prediction do.
    """
    said = content_type(request.headers.get("content-type"))
    file = _rows_file(said)
    form = negotiated(accept, [said.name, *(each for each in _FORMS if each != said.name)])
    asked = await run_in_threadpool(find)
    body = await _body(request)
    with upload_files(services.settings) as files:
        await run_in_threadpool(_kept, body, files)
        stored = await read_rows(file, files, asked.predictor.reader, services.row_readers, services.settings)

        def answer() -> Response:
            predictions = predict_file(asked.predictor, stored, files, unknown_categories or "refuse")
            return _answer(asked, predictions, form)

        return await run_in_threadpool(answer)


# Before the next: the first route that takes a request has it. In the document the two are one.
router.add_api_route(
    "/{model_id}/predict",
    predict_file_rows,
    methods=["POST"],
    include_in_schema=False,
    route_class_override=FileRoute,
)


@router.post(
    "/{model_id}/predict",
    response_model=PredictionResponse,
    responses={**responses(NotFound, NotAcceptable, TooLarge, Unavailable), **FILE_ANSWERS},
    openapi_extra=FILE_BODY,
)
def predict(
    model_id: IdPath,
    body: PredictionRequest,
    access: CanPredict,
    trained_models: TrainedModelsDep,
    settings: SettingsDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions for rows, in the data's own labels and units. Rows that cannot be read are named, not guessed at.

    Rows may come as JSON, or as a file: CSV, Parquet or a stream of Arrow's. The answer is of the type that `Accept`
    names, by default of the type that has come. An answer that is a file has a row for each row, in order: the columns
    `prediction` and `score_…` for each class, a column for each target, or one for each reconstructed input.
    """

    def find() -> Asked:
        return Asked(model_id, trained_models.get(access.project, model_id))

    return answer_rows(find, body, settings, unknown_categories, accept)


def answer_rows(
    find: Callable[[], Asked],
    body: PredictionRequest,
    settings: Settings,
    unknown_categories: UnknownCategories | None,
    accept: str | None,
) -> Response:
    """The predictions of the model that is found, for rows in JSON.

    Raises:
        NotAcceptable: all that is to be answered with is of no type that is known.
        InvalidRequest: `unknown_categories` comes as a parameter.
        TooLarge: there are too many rows.
        ServiceError: as `find` raises, or as the prediction does.
    """
    form = negotiated(accept, _FORMS)
    if unknown_categories is not None:
        message = "rows in JSON have this in the body"
        raise InvalidRequest(
            "invalid_request", f"unknown_categories: {message}", (FieldError("unknown_categories", message),)
        )
    if len(body.rows) > settings.max_prediction_rows:
        raise TooLarge(
            "too_many_rows",
            f"{len(body.rows):,} rows are more than the {settings.max_prediction_rows:,} that one request may have "
            "(setting BACKPROP_MAX_PREDICTION_ROWS). POST /v1/predictions predicts for the rows of a whole dataset.",
        )
    asked = find()
    return _answer(asked, asked.predictor.predict(body.rows, body.unknown_categories), form)


def _answer(asked: Asked, predictions: Predictions, form: str) -> Response:
    if form == JSON:
        unknown = [each.model_dump() for each in predictions.unknown]
        return JSONResponse(
            {"model_id": asked.model_id, "predictions": predictions.answers, "unknown": unknown}, headers=_VARY
        )
    pieces = written(asked.predictor.answer_schema, asked.predictor.answer_table(predictions), TABLES[form])
    return Response(b"".join(pieces), 200, {UNKNOWN_HEADER: str(len(predictions.unknown)), **_VARY}, form)


def _rows_file(said: ContentType) -> RowsFile:
    """The file that a body is by its type.

    Raises:
        UnsupportedMediaType: no such file is read.
    """
    if said.name not in TABLES:
        raise UnsupportedMediaType(
            "media_type_not_taken", f"Rows to predict come as {_TAKEN}; the header Content-Type says which."
        )
    encoding = said.parameters.get("charset")
    header = said.parameters.get("header", "present")
    if header not in ("present", "absent"):
        raise UnsupportedMediaType("media_type_not_taken", "The parameter header of text/csv is present or absent.")
    return RowsFile(TABLES[said.name], None if encoding is None else _known(encoding), header == "present")


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError, ValueError) as error:
        raise UnsupportedMediaType("media_type_not_taken", f"There is no text encoding {encoding[:100]!r}.") from error


async def _body(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise InvalidRequest("upload_interrupted", "The connection closed before the body had ended.") from error


def _kept(body: bytes, files: UploadFiles) -> None:
    """Write the file down, for the process that reads it."""
    with full_disk_told():
        files.received.write(body)
        files.received.flush()
