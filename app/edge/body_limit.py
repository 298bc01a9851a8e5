"""No request body larger than its limit is ever held in memory, nor one that would take far more there."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.edge.media_types import TABLES, content_type
from app.errors import http_problem, service_problem
from infra.errors import TooLarge

MOST_CONTAINERS = 50_000
"""Objects and arrays. A body may have so many besides the rows of a prediction. Each takes thirty times the memory of
its two characters, so a small body could become a large one."""


class BodyLimit:
    """Answers 413 to a body of too many bytes, be it declared or only found while reading, or too many objects.

    Objects are not counted in what is said to be a file with a table: nobody reads it as JSON. The paths in `exempt`
    stream their bodies and count for themselves.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_rows: int, exempt: frozenset[tuple[str, str]]) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_containers = max_rows + MOST_CONTAINERS
        self.exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what it sends."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) in self.exempt:
            await self.app(scope, receive, send)
            return
        if self._declared_length(scope) > self.max_bytes:
            await self._too_long()(scope, receive, send)
            return
        received = 0
        containers = 0
        is_a_file = content_type(Headers(scope=scope).get("content-type")).name in TABLES
        answered = False

        async def counting_receive() -> Message:
            nonlocal received, containers
            message = await receive()
            piece = message.get("body", b"")
            received += len(piece)
            containers += 0 if is_a_file else piece.count(b"{") + piece.count(b"[")
            if received > self.max_bytes:
                raise _Refused(self._too_long())
            if containers > self.max_containers:
                raise _Refused(self._too_many_containers())
            return message

        async def watching_send(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.app(scope, counting_receive, watching_send)
        except _Refused as refused:
            if not answered:
                await refused.answer(scope, receive, send)

    @staticmethod
    def _declared_length(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    def _too_long(self) -> Response:
        return http_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, max_bytes=self.max_bytes)

    def _too_many_containers(self) -> Response:
        return service_problem(
            TooLarge("too_many_values", f"The body has more than {self.max_containers:,} objects and arrays.")
        )


class _Refused(BaseException):
    """Not an Exception: FastAPI turns every Exception while reading a body into its own answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
