"""Errors in the form that the protocol's clients read, with what ours say beside it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi.responses import JSONResponse

from app.edge.media_types import JSON
from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.oip.server import ProtocolError
from backprop_client.wire.problems import ProblemField

ADDRESS = "/v2"


def is_below(path: str) -> bool:
    """Whether an address is the protocol's, be there anything or not."""
    return path == ADDRESS or path.startswith(f"{ADDRESS}/")


def protocol_error(
    status: int,
    code: AnswerCode | FailureCode,
    detail: str,
    errors: Sequence[ProblemField],
    headers: dict[str, str] | None,
) -> JSONResponse:
    """The response that tells of one error; the arguments are those of `app.errors.problem`."""
    body = ProtocolError(error=detail, code=code, errors=list(errors) or None)
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, media_type=JSON)
