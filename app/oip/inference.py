"""`POST /v2/models/{model}[/versions/{version}]/infer`: tensors in, tensors out."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State

from app.access.dependencies import access_with, with_scopes
from app.edge.bodies import MOST_CONTAINERS, whole_body
from app.edge.media_types import JSON
from app.edge.quick_work import QUICK_JSON, QUICK_MULTIPLICATIONS
from app.errors import responses
from app.oip.errors import ADDRESS
from app.oip.parameters import NAME, VERSION
from app.shortcuts import Asked, Content, Shortcut
from backprop.model import TrainedModel
from backprop_client.wire.oip.datatypes import HEADER_LENGTH
from backprop_client.wire.oip.inference import InferenceRequest, InferenceResponse
from domain.access.projects import Project
from domain.inference.inferring import Inferred, infer
from domain.inference.json_text import NotJson
from domain.inference.naming import AskedModel, FoundModel, find, kept
from domain.inference.requests import Limits
from domain.inference.responses import AnswerBody
from domain.inference.statistics import InferenceStatistics, Stopwatch
from infra.errors import FieldError, InvalidRequest, NotFound, TooLarge

BINARY = "application/octet-stream"
"""The type of a body that has binary tensors behind its JSON."""

QUICK_BINARY = 2**20
"""Bytes. So much of binary tensors is read in one to four milliseconds."""

QUICK_ANSWER = 50_000
"""Values. Writing so many takes two or three milliseconds."""

LEAST_BYTES_A_VALUE = 2
"""Bytes. A value of a request has seldom fewer. So a body tells how many rows it may have."""

MOST_DIGITS = 18
"""Digits. No body is so long."""

COMPRESSION = 1
"""zlib's level. A higher one takes three times as long and hardly saves a byte of numbers."""

router = APIRouter(prefix=f"{ADDRESS}/models", tags=["open inference"])

_BINARY_SCHEMA = {"schema": {"type": "string", "format": "binary"}}


def _described(**parameters: str) -> dict[str, Any]:
    """What the OpenAPI document says of such a route, whose path has these parameters.

    FastAPI is not asked to look at requests: that takes longer than a small prediction.
    """
    return {
        "response_model": InferenceResponse,
        "responses": {**responses(NotFound, TooLarge, path=ADDRESS), 200: {"content": {BINARY: _BINARY_SCHEMA}}},
        "openapi_extra": {
            "security": [{"key": ["predict"]}],
            "parameters": [
                {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
                for name, text in parameters.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    JSON: {"schema": {"$ref": f"#/components/schemas/{InferenceRequest.__name__}"}},
                    BINARY: _BINARY_SCHEMA,
                },
            },
        },
    }


@router.post("/{model_name}/infer", operation_id="inference_infer", **_described(model_name=NAME))
@router.post(
    "/{model_name}/versions/{model_version}/infer",
    operation_id="inference_infer_version",
    **_described(model_name=NAME, model_version=VERSION),
)
async def infer_tensors(request: Request) -> Response:
    """Predictions of a model for rows that come as tensors. Without a version its newest answers.

    A body is JSON, whatever its type says; binary tensors may follow it, see docs/open-inference.md.
    """
    project = access_with(request, "predict").project
    state = request.app.state
    statistics: InferenceStatistics = state.inference_statistics
    body = await whole_body(request)
    watch = Stopwatch()
    found = await _found(request, project)
    json_bytes = _json_bytes(request.headers.get(HEADER_LENGTH))
    coding = _only_coding(request.headers.get("accept-encoding"))
    limits = _limits(state)

    def work() -> tuple[Inferred, bytes]:
        inferred = infer(found.predictor, found.served, body, json_bytes, limits, watch.total)
        return inferred, _compressed(inferred.body.content, coding)

    try:
        is_quick = _is_quick(len(body), json_bytes, found.predictor.model)
        inferred, content = work() if is_quick else await run_in_threadpool(work)
    except Exception as error:
        statistics.failed(project, found.served, watch.total)
        raise _in_terms_of_http(error) from error
    statistics.succeeded(project, found.served, inferred.rows, inferred.times)
    return Response(content, headers=_headers(inferred.body, coding))


def _at_once(path: Mapping[str, str], asked: Asked) -> Content | None:
    project = with_scopes(asked.access, "predict").project
    watch = Stopwatch()
    state = asked.app.state
    model = AskedModel(path["model_name"], path.get("model_version"))
    found = kept(state.registry, state.trained_models, project, model)
    json_bytes = _json_bytes(asked.text(HEADER_LENGTH))
    if found is None or _only_coding(asked.text("Accept-Encoding")) is not None:
        return None
    if not _is_quick(len(asked.body), json_bytes, found.predictor.model):
        return None
    inferred = infer(found.predictor, found.served, asked.body, json_bytes, _limits(state), watch.total)
    state.inference_statistics.succeeded(project, found.served, inferred.rows, inferred.times)
    return Content(tuple(_headers(inferred.body, None).items()), inferred.body.content)


SHORTCUTS = (
    Shortcut(re.compile(f"{ADDRESS}/models/(?P<model_name>[^/]+)/infer"), _at_once),
    Shortcut(re.compile(f"{ADDRESS}/models/(?P<model_name>[^/]+)/versions/(?P<model_version>[^/]+)/infer"), _at_once),
)


async def _found(request: Request, project: Project) -> FoundModel:
    """The model that the path names."""
    asked = AskedModel(request.path_params["model_name"], request.path_params.get("model_version"))
    where = (request.app.state.registry, request.app.state.trained_models, project, asked)
    found = kept(*where)
    return found if found is not None else await run_in_threadpool(find, *where)


def _limits(state: State) -> Limits:
    rows: int = state.services.settings.max_prediction_rows
    return Limits(rows=rows, containers=rows + MOST_CONTAINERS)


def _is_quick(body_bytes: int, json_bytes: int | None, model: TrainedModel) -> bool:
    """Whether reading, predicting and answering take a few milliseconds at most: less than a thread might take."""
    rows = body_bytes / LEAST_BYTES_A_VALUE / len(model.coding.inputs.coded_columns)
    return (
        (body_bytes if json_bytes is None else json_bytes) <= QUICK_JSON
        and body_bytes <= QUICK_BINARY
        and model.multiplications(rows) <= QUICK_MULTIPLICATIONS
        and rows * model.coding.targets.values_per_row <= QUICK_ANSWER
    )


def _json_bytes(header: str | None) -> int | None:
    """How many bytes of a body are JSON, as its header says; None if all are.

    Raises:
        InvalidRequest: it is no length.
    """
    if header is None:
        return None
    if not (header.isascii() and header.isdigit() and len(header) <= MOST_DIGITS):
        message = f"The header {HEADER_LENGTH} is a number of bytes."
        raise InvalidRequest("invalid_request", message, (FieldError(HEADER_LENGTH, message),))
    return int(header)


def _only_coding(accepted: str | None) -> str | None:
    """The coding that a client asks for by taking no other; None for none.

    Most HTTP libraries take several whether anybody wants that or not, and numbers are compressed slowly and badly.
    """
    coding = (accepted or "").strip().lower()
    return coding if coding in ("gzip", "deflate") else None


def _compressed(content: bytes, coding: str | None) -> bytes:
    if coding is None:
        return content
    return gzip.compress(content, COMPRESSION) if coding == "gzip" else zlib.compress(content, COMPRESSION)


def _headers(body: AnswerBody, coding: str | None) -> dict[str, str]:
    headers = {"Content-Type": JSON, "Vary": "Accept-Encoding"}
    if body.json_bytes is not None:
        headers |= {"Content-Type": BINARY, HEADER_LENGTH: str(body.json_bytes)}
    return headers if coding is None else headers | {"Content-Encoding": coding}


def _in_terms_of_http(error: Exception) -> Exception:
    if isinstance(error, NotJson):
        return HTTPException(status.HTTP_400_BAD_REQUEST)
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False)
        return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found])
    return error
