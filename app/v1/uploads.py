"""Uploads on their way from a request to the disk."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from backprop_client.wire.datasets import UploadFields
from domain.datasets.receiving import Upload, UploadReceiver
from infra.errors import InvalidRequest

_PIECE_BYTES = 2**20
"""Bytes. So much of a body is gathered before a thread is asked to take it."""


async def received(request: Request, receiver: UploadReceiver) -> Upload:
    """Take in the body as it comes; the event loop is left free while it is parsed, hashed and written.

    Raises:
        InvalidRequest: the client has left before the end (code ``upload_interrupted``), or as the receiver says.
        TooLarge: as the receiver says.
    """
    gathered = bytearray()
    try:
        async for piece in request.stream():
            gathered += piece
            if len(gathered) >= _PIECE_BYTES:
                await run_in_threadpool(receiver.feed, bytes(gathered))
                gathered.clear()
    except ClientDisconnect as error:
        raise InvalidRequest("upload_interrupted", "The connection closed before the body had ended.") from error
    await run_in_threadpool(receiver.feed, bytes(gathered))
    return receiver.finish()


def upload_fields(fields: dict[str, str]) -> UploadFields:
    """The form's fields. An empty one is one not given, as browsers send it.

    Raises:
        RequestValidationError: there is no such field, or it cannot have this value.
    """
    try:
        return UploadFields.model_validate({name: value for name, value in fields.items() if value})
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error
