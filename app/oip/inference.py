"""`POST /v2/models/{model}[/versions/{version}]/infer`: tensors in, tensors out."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.access.admission import Access
from app.access.dependencies import CanPredict
from app.dependencies import InferenceStatisticsDep, RegistryDep, SettingsDep, TrainedModelsDep
from app.edge.bodies import MOST_CONTAINERS
from app.edge.media_types import JSON
from app.errors import responses
from app.oip.errors import ADDRESS
from app.oip.parameters import Newest, Version
from backprop.model import TrainedModel
from backprop_client.wire.oip.datatypes import HEADER_LENGTH
from backprop_client.wire.oip.inference import InferenceRequest, InferenceResponse
from domain.inference.inferring import Inferred, infer
from domain.inference.json_text import NotJson
from domain.inference.naming import AskedModel, FoundModel, find, kept
from domain.inference.requests import Limits
from domain.inference.responses import AnswerBody
from domain.inference.statistics import InferenceStatistics, Stopwatch
from domain.models.cache import ModelCache
from domain.registry.cache import RegistryCache
from infra.errors import FieldError, InvalidRequest, NotFound, TooLarge
from infra.settings import Settings

BINARY = "application/octet-stream"
"""The type of a body that has binary tensors behind its JSON."""

QUICK_JSON = 2**18
QUICK_BINARY = 2**20
"""Bytes. So much is read in one to four milliseconds, in which the process answers nobody else."""

QUICK_WORK = 10**7
"""Rows times weights. A core does so many multiplications in a millisecond or two."""

QUICK_ANSWER = 20_000
"""Values. Writing so many takes one or two milliseconds."""

LEAST_BYTES_A_VALUE = 2
"""Bytes. A value of a request has seldom fewer. So a body tells how many rows it may have."""

MOST_DIGITS = 18
"""Digits. No body is so long."""

COMPRESSION = 1
"""zlib's level. A higher one takes three times as long and hardly saves a byte of numbers."""

router = APIRouter(prefix=f"{ADDRESS}/models", tags=["open inference"])

_BINARY_SCHEMA = {"schema": {"type": "string", "format": "binary"}}
_DOCUMENTED: dict[str, Any] = {
    "response_model": InferenceResponse,
    "responses": {**responses(NotFound, TooLarge, path=ADDRESS), 200: {"content": {BINARY: _BINARY_SCHEMA}}},
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": {"$ref": f"#/components/schemas/{InferenceRequest.__name__}"}},
                BINARY: _BINARY_SCHEMA,
            },
        }
    },
}


@router.post("/{model_name}/infer", **_DOCUMENTED)
async def infer_with_newest(
    asked: Newest,
    request: Request,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    statistics: InferenceStatisticsDep,
    settings: SettingsDep,
) -> Response:
    """Predictions of a model's newest version for rows that come as tensors.

    A body is JSON, whatever its type says; binary tensors may follow it, see docs/open-inference.md.
    """
    return await _answer(_Asked(asked, access, registry, trained_models, statistics, settings), request)


@router.post("/{model_name}/versions/{model_version}/infer", **_DOCUMENTED)
async def infer_with_version(
    asked: Version,
    request: Request,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    statistics: InferenceStatisticsDep,
    settings: SettingsDep,
) -> Response:
    """Predictions of a version of a model for rows that come as tensors.

    A body is JSON, whatever its type says; binary tensors may follow it, see docs/open-inference.md.
    """
    return await _answer(_Asked(asked, access, registry, trained_models, statistics, settings), request)


@dataclass(frozen=True)
class _Asked:
    """Who asks which model, and what is needed to answer."""

    model: AskedModel
    access: Access
    registry: RegistryCache
    trained_models: ModelCache
    statistics: InferenceStatistics
    settings: Settings

    async def found(self) -> FoundModel:
        """The model that is meant."""
        where = (self.registry, self.trained_models, self.access.project, self.model)
        found = kept(*where)
        if found is None:
            found = await run_in_threadpool(find, *where)
        return found


async def _answer(asked: _Asked, request: Request) -> Response:
    body = await _body(request)
    watch = Stopwatch()
    found = await asked.found()
    json_bytes = _json_bytes(request.headers.get(HEADER_LENGTH))
    coding = _only_coding(request.headers.get("accept-encoding"))
    rows = asked.settings.max_prediction_rows
    limits = Limits(rows=rows, containers=rows + MOST_CONTAINERS)

    def work() -> tuple[Inferred, bytes]:
        inferred = infer(found.predictor, found.served, body, json_bytes, limits, watch.total)
        return inferred, _compressed(inferred.body.content, coding)

    try:
        is_quick = _is_quick(len(body), len(body) if json_bytes is None else json_bytes, found.predictor.model)
        inferred, content = work() if is_quick else await run_in_threadpool(work)
    except Exception as error:
        asked.statistics.failed(asked.access.project, found.served, watch.total)
        raise _in_terms_of_http(error) from error
    asked.statistics.succeeded(asked.access.project, found.served, inferred.rows, inferred.times)
    return Response(content, headers=_headers(inferred.body, coding))


def _is_quick(body_bytes: int, json_bytes: int, model: TrainedModel) -> bool:
    """Whether reading, predicting and answering take a few milliseconds at most: less than a thread might take."""
    rows = body_bytes / LEAST_BYTES_A_VALUE / len(model.coding.inputs.coded_columns)
    return (
        json_bytes <= QUICK_JSON
        and body_bytes <= QUICK_BINARY
        and rows * model.parameters.vector.size <= QUICK_WORK
        and rows * model.coding.targets.values_per_row <= QUICK_ANSWER
    )


async def _body(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise InvalidRequest("upload_interrupted", "The connection closed before the body had ended.") from error


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
