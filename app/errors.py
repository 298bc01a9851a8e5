"""Every refusal as RFC 9457 problem+json, below `/v2` in the form of that protocol, and as a page where people look.

Besides the service's own errors there are those of HTTP itself, each with a code of its own: see `HTTP_CODES`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.edge.media_types import JSON, content_type, is_json
from app.edge.security_headers import add_security_headers
from app.oip import errors as open_inference
from app.pages.addresses import is_page
from app.pages.errors import error_page
from backprop_client.wire.error_codes import STATUS_OF, AnswerCode, FailureCode, InvalidRequestCode
from backprop_client.wire.problems import Problem, ProblemField
from infra.errors import FieldError, InvalidRequest, ServiceError, Unauthenticated

HTTP_CODES: dict[HTTPStatus, tuple[AnswerCode, str]] = {
    HTTPStatus.BAD_REQUEST: ("malformed_json", "The body is not JSON, or nests too deep or has too long a number."),
    HTTPStatus.NOT_FOUND: ("no_such_route", "There is nothing at this address. /docs lists what there is."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "This address does not take this method, only {allowed}."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "request_too_large",
        "The body is larger than {max_bytes} bytes (setting BACKPROP_MAX_REQUEST_BYTES).",
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "json_required",
        "The body of this request is JSON and must be sent as such, with the header Content-Type: application/json.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "internal_error",
        "The service failed at this request. What happened is in its log only.",
    ),
}
"""The code and the text of what goes wrong before a route sees the request, or of what nobody has foreseen."""

INVALID_REQUEST: InvalidRequestCode = "invalid_request"
"""The code of a request whose fields are not what the OpenAPI document asks for. What is wrong with its content has
codes of the routes."""

REPORTED_PROBLEMS = 100
"""Fields. No more wrong ones of a request are named."""

LONGEST_PATH = 1000
"""Characters. A client may call a field something that is megabytes long."""

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger(__name__)


def responses(*errors: type[ServiceError], path: str = "/v1") -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI says of the errors it may answer with; each route may refuse a request as invalid.

    `path` is that of the route, or the beginning of it.
    """
    kinds: tuple[type[ServiceError], ...] = (InvalidRequest, *errors)
    statuses = [HTTPStatus(STATUS_OF[kind.kind]) for kind in kinds]
    return {int(status): description(status, path) for status in statuses}


def description(status: HTTPStatus, path: str = "/v1") -> dict[str, Any]:
    """What the OpenAPI document says of a problem's response, to a request for such an address."""
    media_type, schema = (JSON, "ProtocolError") if open_inference.is_below(path) else (MEDIA_TYPE, "Problem")
    return {
        "description": status.phrase,
        "content": {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the service, of the framework and of our own making answer as a problem."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected_error)


def problem(
    path: str,
    status: int,
    code: AnswerCode | FailureCode,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """The response that tells of one error: the one place that gives errors their form.

    Args:
        path: what was asked for.
        status: HTTP's.
        code: of the error.
        detail: what people read.
        errors: the fields that are wrong.
        headers: of the response.
    """
    fields = [ProblemField(path=error.path, message=error.message) for error in errors]
    if open_inference.is_below(path):
        return open_inference.protocol_error(status, code, detail, fields, headers)
    if is_page(path):
        return error_page(path, status, code, detail, fields, headers)
    body = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, errors=fields)
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA_TYPE)


def http_problem(path: str, status: HTTPStatus, headers: dict[str, str] | None = None, **values: object) -> Response:
    """The response to a request for `path` that tells of an error of HTTP itself.

    `values` are for the placeholders of its detail.
    """
    code, detail = HTTP_CODES[status]
    return problem(path, status, code, detail.format(**values), headers=headers)


def service_problem(path: str, error: ServiceError) -> Response:
    """The response to a request for `path` that tells of an error of the service's own."""
    status = STATUS_OF[error.kind]
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="backprop"'
    return problem(path, status, error.code, error.message, error.fields, headers)


def _service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101  # registered for nothing else
    return service_problem(request.url.path, error)


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    path = request.url.path
    found = _without_followers(error.errors())
    if any(each["type"] == "json_invalid" for each in found):
        return http_problem(path, HTTPStatus.BAD_REQUEST)
    if any(tuple(each["loc"]) == ("body",) and each["type"] != "missing" for each in found) and not _has_json(request):
        return http_problem(path, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    fields = field_errors(found)
    detail = "; ".join(f"{field.path or 'The body'}: {field.message}" for field in fields[:3])
    return problem(path, HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_REQUEST, detail, fields)


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """What Pydantic says is wrong with a request, as what people are told.

    Args:
        errors: Pydantic's; their places begin with ``body``, or are the name of a parameter.
    """
    found = _without_followers(errors)
    return [FieldError(_pointer(each["loc"]), _in_plain_words(each)) for each in found[:REPORTED_PROBLEMS]]


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(_allowed_methods(request))) or "GET, HEAD"  # the pages that describe the interface
        return http_problem(request.url.path, status, {"Allow": allowed}, allowed=allowed)
    return http_problem(request.url.path, status, dict(error.headers or {}))


def _unexpected_error(request: Request, error: Exception) -> Response:
    _log.error("unexpected error", method=request.method, path=request.url.path, exc_info=error)
    response = http_problem(request.url.path, HTTPStatus.INTERNAL_SERVER_ERROR)
    add_security_headers(response.raw_headers, request.url.path)  # this one is made outside of all that would add them
    return response


def _has_json(request: Request) -> bool:
    return is_json(content_type(request.headers.get("content-type")).name)


def _allowed_methods(request: Request) -> set[str]:
    """All methods that the address takes; the framework names those of its first route only."""
    allowed = {
        method.upper()
        for path, methods in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", path), request.url.path)
        for method in methods
    }
    return allowed | {"HEAD"} if "GET" in allowed else allowed


def _without_followers(errors: Sequence[Any]) -> list[Any]:
    """The errors without those that only follow from another: a list of bad items is not also too short."""
    places = [tuple(each["loc"]) for each in errors]
    return [
        each
        for each, place in zip(errors, places, strict=True)
        if each["type"] != "too_short"
        or not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


def _in_plain_words(error: Any) -> str:  # noqa: ANN401  # Pydantic's own form of an error
    if error["type"] in ("model_attributes_type", "model_type", "dict_type"):
        return "must be a JSON object"
    if error["type"] in ("tuple_type", "list_type"):
        return "must be a JSON array"
    if error["type"] == "too_short":
        of_what = "characters" if isinstance(error.get("input"), str) else "items"
        return f"must have at least {error['ctx']['min_length']} {of_what}, not {error['ctx']['actual_length']}"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _pointer(location: Sequence[str | int]) -> str:
    """Where in the request: a JSON pointer for the body, the bare name for a parameter."""
    if location[0] != "body":
        return str(location[-1])
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location[1:])[:LONGEST_PATH]
