"""A request with rows and a model: the response. All routes that predict for rows answer so.

They differ in how they find the model, see `ModelSource`.

Rows come as JSON or as a file, and are answered in the one form or the other. A small request for a model that is in
memory is answered at once, in the event loop: it is done before a thread would have woken up. All others get a thread.
There is a short way for these small ones, `content_at_once`, see `app.shortcuts`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, Protocol

from fastapi import FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.access.dependencies import with_scopes
from app.dependencies import Services
from app.edge.bodies import check_containers, most_containers, whole_body
from app.edge.media_types import JSON, TABLES, ContentType, content_type, is_json, negotiated
from app.edge.quick_work import QUICK_JSON, QUICK_MULTIPLICATIONS
from app.errors import responses
from app.shortcuts import Asked, Content
from backprop_client.wire.models import PredictionResponse, UnknownCategories
from domain.access.projects import Project
from domain.datasets.upload_files import UploadFiles, upload_files
from domain.datasets.writing import written
from domain.models.answer_json import answer_json
from domain.models.file_prediction import RowsFile, predict_file, read_rows
from domain.models.json_rows import RequestedRows, requested_rows
from domain.models.prediction import Predictions, Predictor, check_rows
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

QUICK_VALUES = 20_000
"""Values. Writing so many takes one or two milliseconds."""

UNKNOWN_HEADER = "Unknown-Categories"
"""This header of an answer that is a file tells how many values counted as missing because they were not known."""

_TAKEN = ", ".join((JSON, *TABLES))
_FORMS = [JSON, *TABLES]
_VARY = {"Vary": "Accept"}
_JSON_HEADERS = (*_VARY.items(), ("Content-Type", JSON))
_FILES = {name: {"schema": {"type": "string", "format": "binary"}} for name in TABLES}

DESCRIBED: dict[str, Any] = {
    "response_model": PredictionResponse,
    "responses": {
        **responses(NotFound, NotAcceptable, TooLarge, Unavailable),
        200: {
            "content": _FILES,
            "headers": {
                UNKNOWN_HEADER: {
                    "description": "Of a file: how many values were categories that the training data did not have.",
                    "schema": {"type": "integer"},
                }
            },
        },
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/PredictionRequest"}}, **_FILES},
        }
    },
}
"""What the OpenAPI document says of each such route. The body is read here, not by FastAPI."""

Accept = Annotated[
    str | None, Header(description=f"What to answer in: {', '.join(_FORMS)}. Default: as the rows come.")
]
UnknownInFile = Annotated[
    UnknownCategories | None,
    Query(description="For rows that come as a file: as the field of the same name in JSON. Default: refuse."),
]


class FoundModel(NamedTuple):
    """A model that answers."""

    model_id: str
    predictor: Predictor


class ModelSource(Protocol):
    """Where the model of a request comes from."""

    def at_hand(self) -> FoundModel | None:
        """The model if it is in memory. This waits for nothing."""

    def fetched(self) -> FoundModel:
        """The model, from the database if need be. Raises NotFound: there is none."""


class Wishes(NamedTuple):
    """What a request says besides its rows: its parameter `unknown_categories`, its header `Accept`."""

    unknown_categories: UnknownCategories | None
    accept: str | None


def content_at_once(asked: Asked, source_of: Callable[[FastAPI, Project], ModelSource]) -> Content | None:
    """What a plain request is answered for the predictions of a model; None if not at once.

    Args:
        asked: the request.
        source_of: where the model comes from.
    """
    access = with_scopes(asked.access, "predict")
    found = source_of(asked.app, access.project).at_hand()
    if found is None or len(asked.body) > QUICK_JSON or not is_json(content_type(asked.text("Content-Type")).name):
        return None
    settings: Settings = asked.app.state.services.settings
    check_containers(asked.body, most_containers(settings))
    rows = _JsonRequest.read(asked.body, Wishes(None, asked.text("Accept")), settings.max_prediction_rows)
    if rows.form != JSON or not rows.is_quick(found.predictor):
        return None
    return Content(_JSON_HEADERS, _json(found, found.predictor.predict_requested(rows.requested)))


async def predicted(request: Request, source: ModelSource, services: Services, wishes: Wishes) -> Response:
    """Predictions for the rows of a request.

    Raises:
        ServiceError: as the routes' document says.
        RequestValidationError, HTTPException: the body is not what it should be.
    """
    said = content_type(request.headers.get("content-type"))
    if is_json(said.name):
        return await _for_json(request, source, wishes, services.settings.max_prediction_rows)
    return await _for_file(request, said, source, services, wishes)


async def _for_json(request: Request, source: ModelSource, wishes: Wishes, most_rows: int) -> Response:
    body = await whole_body(request)
    if len(body) > QUICK_JSON:
        return await run_in_threadpool(lambda: _JsonRequest.read(body, wishes, most_rows).answered(source.fetched()))
    asked = _JsonRequest.read(body, wishes, most_rows)
    found = source.at_hand()
    if found is None or not asked.is_quick(found.predictor):
        return await run_in_threadpool(lambda: asked.answered(source.fetched()))
    return asked.answered(found)


class _JsonRequest(NamedTuple):
    """A request whose rows are JSON: these, and the form of the answer."""

    requested: RequestedRows
    form: str

    @classmethod
    def read(cls, body: bytes, wishes: Wishes, most_rows: int) -> _JsonRequest:
        requested = _requested(body)
        form = negotiated(wishes.accept, _FORMS)
        if wishes.unknown_categories is not None:
            message = "rows in JSON have this in the body"
            raise InvalidRequest(
                "invalid_request", f"unknown_categories: {message}", (FieldError("unknown_categories", message),)
            )
        check_rows(requested.count, most_rows)
        return cls(requested, form)

    def is_quick(self, predictor: Predictor) -> bool:
        """Whether the answer takes a few milliseconds at most."""
        model, rows = predictor.model, self.requested.count
        return (
            model.multiplications(rows) <= QUICK_MULTIPLICATIONS
            and rows * model.coding.targets.values_per_row <= QUICK_VALUES
        )

    def answered(self, found: FoundModel) -> Response:
        return _answer(found, found.predictor.predict_requested(self.requested), self.form)


def _requested(body: bytes) -> RequestedRows:
    if not body:
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}])
    try:
        return requested_rows(body)
    except ValidationError as error:
        found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(found) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400) from error


async def _for_file(
    request: Request, said: ContentType, source: ModelSource, services: Services, wishes: Wishes
) -> Response:
    file = _rows_file(said)
    form = negotiated(wishes.accept, [said.name, *(each for each in _FORMS if each != said.name)])
    found = await _found(source)
    body = await whole_body(request)
    with upload_files(services.settings) as files:
        await run_in_threadpool(_kept, body, files)
        stored = await read_rows(file, files, found.predictor.reader, services.row_readers, services.settings)
        predictions = await run_in_threadpool(
            predict_file, found.predictor, stored, files, wishes.unknown_categories or "refuse"
        )
        return await run_in_threadpool(_answer, found, predictions, form)


async def _found(source: ModelSource) -> FoundModel:
    found = source.at_hand()
    return found if found is not None else await run_in_threadpool(source.fetched)


def _answer(found: FoundModel, predictions: Predictions, form: str) -> Response:
    predictor = found.predictor
    if form == JSON:
        return Response(_json(found, predictions), 200, _VARY, JSON)
    pieces = written(predictor.answer_schema, predictor.answer_table(predictions), TABLES[form])
    return Response(b"".join(pieces), 200, {UNKNOWN_HEADER: str(len(predictions.unknown)), **_VARY}, form)


def _json(found: FoundModel, predictions: Predictions) -> bytes:
    return answer_json(found.model_id, found.predictor.model.coding.targets, predictions)


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


def _kept(body: bytes, files: UploadFiles) -> None:
    """Write the file down, for the process that reads it."""
    with full_disk_told():
        files.received.write(body)
        files.received.flush()
