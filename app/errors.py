"""Every refusal as RFC 9457 problem+json, and the only table from error to HTTP status."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from infra.errors import Conflict, FieldError, InvalidRequest, NotFound, ServiceError, TooLarge, Unavailable

STATUS_OF: dict[type[ServiceError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

RETRY_SECONDS = 5
"""What a client is told to wait when the database or Redis is away."""

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger(__name__)


class ProblemField(BaseModel):
    """One thing wrong with one place of the request."""

    path: str = Field(
        description="JSON pointer into the body, or the name of a parameter.", examples=["/training/seed"]
    )
    message: str


class Problem(BaseModel):
    """What every error answers with (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    code: str = Field(description="Stable name of the error; programs may rely on it.", examples=["unknown_column"])
    detail: str = Field(description="What is wrong, for a person.")
    errors: list[ProblemField] = Field(default_factory=list, description="The places concerned, where there are any.")


def responses(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI says of the errors it may answer with; each route may refuse a request as invalid."""
    return {
        int(status): {
            "description": status.phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for error, status in STATUS_OF.items()
        if error is InvalidRequest or error in errors
    }


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the service, of the framework and of our own making answer as a problem."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected_error)


def problem(
    status: int, code: str, detail: str, errors: Sequence[FieldError] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response that tells of one error."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        errors=[ProblemField(path=error.path, message=error.message) for error in errors],
    )
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA_TYPE)


def _service_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)  # noqa: S101  # registered for nothing else
    status = next(status for kind, status in STATUS_OF.items() if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(error, Unavailable) else None
    return problem(status, error.code, error.message, error.fields, headers)


def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return problem(HTTPStatus.BAD_REQUEST, "malformed_json", "The body is not JSON.")
    fields = [FieldError(_pointer(each["loc"]), each["msg"].removeprefix("Value error, ")) for each in error.errors()]
    detail = "; ".join(f"{field.path}: {field.message}" if field.path else field.message for field in fields[:3])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, fields)


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    code = {404: "no_such_route", 405: "method_not_allowed"}.get(
        error.status_code, phrase.lower().replace(" ", "_").replace("-", "_")
    )
    return problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


def _unexpected_error(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected error", method=request.method, path=request.url.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "The service failed at this request. The failure is in its log; nothing is known of it here.",
    )


def _pointer(location: Sequence[str | int]) -> str:
    """Where in the request: a JSON pointer for the body, the bare name for a parameter."""
    if location[0] != "body":
        return str(location[-1])
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location[1:])
