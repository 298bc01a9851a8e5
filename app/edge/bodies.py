"""What may come as the body of a request: how much, how fast, and how encoded.

No body larger than its limit is ever held in memory, nor one that would take far more there, and no client holds a
request open by sending its body a byte at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.edge.decompression import WINDOW_BITS, Damaged, Decompression
from app.edge.media_types import TABLES, content_type
from app.errors import http_problem, problem, service_problem
from app.oip import errors as open_inference
from infra.errors import InvalidRequest, TooLarge, TooSlow
from infra.settings import Settings

METHODS_WITH_BODIES = frozenset({"POST", "PUT", "PATCH"})

MOST_CONTAINERS = 50_000
"""Objects and arrays. A body may have so many besides the rows of a prediction. Each takes thirty times the memory of
its two characters, so a small body could become a large one."""

LEAST_BYTES_PER_SECOND = 16 * 2**10
"""Bytes per second. A body must come so fast once its first seconds are over."""

LINGER_BYTES = 2**20
LINGER_SECONDS = 1.0
"""Bytes and seconds. So much of a body is read on, for so long, after its request has been refused. If the connection
were closed while the client still sends, the answer could be lost with it."""


@dataclass(slots=True)
class _Announced:
    """What the headers say of a body.

    Attributes:
        length: its bytes; 0 if they do not say.
        is_there: whether there is one.
        awaits_consent: whether the client asks first if it may send it.
        coding: all its codings, in the order in which they were applied; empty for none.
        type: its media type with parameters; None if they do not say.
    """

    length: int = 0
    is_there: bool = False
    awaits_consent: bool = False
    coding: str = ""
    type: str | None = None


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> _Announced:
    body = _Announced()
    codings: list[bytes] = []
    for name, value in headers:
        if name == b"content-length":
            body.length = int(value) if value.isdigit() else 0
            body.is_there |= value != b"0"
        elif name == b"transfer-encoding":
            body.is_there = True
        elif name == b"content-type" and body.type is None:
            body.type = value.decode("latin-1")
        elif name == b"content-encoding":
            codings += value.split(b",")
        elif name == b"expect":
            body.awaits_consent = True
    if codings:
        names = [coding.strip().lower().decode("latin-1") for coding in codings]  # several lines are one list
        body.coding = ", ".join(name for name in names if name not in ("", "identity"))
    return body


class Bodies:
    """Hands bodies on decoded, and refuses those that are too large, too slow, damaged or in an unknown coding.

    - 408: it takes longer than `BACKPROP_SLOW_BODY_SECONDS` and a second for each 16 KiB.
    - 413: it has too many bytes, be that declared or only found while reading, or too many objects. Its limits are
      those of the decoded size. Objects are not counted in what is said to be a file with a table, which nobody reads
      as JSON, nor below `/v2`, where binary tensors may follow the JSON and who reads both counts.
    - 415: it comes in another coding than gzip or deflate. 400: it is said to be such and is not.

    An answer that is given before the whole body has come closes the connection, so that nobody goes on sending.
    """

    def __init__(self, app: ASGIApp, settings: Settings, streamed: frozenset[tuple[str, str]]) -> None:
        """Watch the bodies of all requests.

        Args:
            app: what reads them.
            settings: with the limits.
            streamed: methods and paths whose bodies are counted by those who read them.
        """
        self.app = app
        self.seconds = settings.slow_body_seconds
        self.max_bytes = settings.max_request_bytes
        self.max_containers = most_containers(settings)
        self.streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = _announced(scope["headers"])
        coding = announced.coding if scope["method"] in METHODS_WITH_BODIES else ""
        if not announced.is_there and not coding:
            await self.app(scope, receive, send)
            return
        body = _Body(announced, receive, self.seconds)
        is_counted = (scope["method"], scope["path"]) not in self.streamed
        read: Receive = body.receive
        try:
            if coding in WINDOW_BITS:
                scope = _without_coding(scope)
                read = Decompression(read, WINDOW_BITS[coding]).receive
            elif coding:
                raise _Refused(_not_understood(scope["path"], coding))
            elif is_counted and announced.length > self.max_bytes:
                raise _Refused(self._too_long(scope["path"]))
            if is_counted:
                read = self._counting(scope["path"], announced.type, read)
            await self.app(scope, _refusing(scope["path"], body, read), body.answering(send))
        except _Refused as refused:
            if not body.is_answered:
                await refused.answer(scope, receive, body.answering(send))

    def _counting(self, path: str, media_type: str | None, receive: Receive) -> Receive:
        is_json = content_type(media_type).name not in TABLES and not open_inference.is_below(path)
        received = 0
        containers = 0

        async def counting_receive() -> Message:
            nonlocal received, containers
            message = await receive()
            piece = message.get("body", b"")
            received += len(piece)
            if received > self.max_bytes:
                raise _Refused(self._too_long(path))
            if is_json:
                containers += piece.count(b"{") + piece.count(b"[")
                if containers > self.max_containers:
                    raise _Refused(service_problem(path, _too_many_containers(self.max_containers)))
            return message

        return counting_receive

    def _too_long(self, path: str) -> Response:
        return http_problem(path, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, max_bytes=self.max_bytes)


def most_containers(settings: Settings) -> int:
    """How many objects and arrays a body may have: rows of a prediction, and `MOST_CONTAINERS` besides."""
    return settings.max_prediction_rows + MOST_CONTAINERS


def check_containers(body: bytes, most: int) -> None:
    """Refuse a body of JSON with more objects and arrays than `most`. Raises TooLarge: ``too_many_values``."""
    if len(body) > most and body.count(b"{") + body.count(b"[") > most:
        raise _too_many_containers(most)


async def whole_body(request: Request) -> bytes:
    """The body, once all of it has come.

    Raises:
        InvalidRequest: the client has left before (code ``upload_interrupted``).
    """
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise InvalidRequest("upload_interrupted", "The connection closed before the body had ended.") from error


async def answered_early(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request of whose body nothing has been read."""
    body = _Body(_announced(scope["headers"]), receive, seconds=0.0)
    await answer(scope, receive, body.answering(send))


class _Body:
    """The body of a request as it comes.

    Attributes:
        received: bytes that have come.
        is_answered: whether its request has been.
    """

    def __init__(self, announced: _Announced, receive: Receive, seconds: float) -> None:
        """Wait for it from now on.

        Args:
            announced: what is said of it.
            receive: gives its messages.
            seconds: how long it may take, besides a second for each `LEAST_BYTES_PER_SECOND`.
        """
        self.received = 0
        self.is_answered = False
        self._has_ended = not announced.is_there
        self._awaits_consent = announced.awaits_consent
        self._is_given_up = False
        self._receive = receive
        self._seconds = seconds
        self._began = time.monotonic()

    async def receive(self) -> Message:
        """The next message; past the body's end that is the client leaving, which may take as long as it will.

        Raises:
            TimeoutError: the body comes too slowly.
        """
        if self._has_ended:
            return await self._receive()
        try:
            async with asyncio.timeout(self._seconds_left()):
                message = await self._receive()
        except TimeoutError:
            self._is_given_up = True
            raise
        self._take(message)
        return message

    def answering(self, send: Send) -> Send:
        """Sends an answer, of which the client is to hear although it still sends."""

        async def send_after_the_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.is_answered = True
                if not self._has_ended:
                    await self._linger()
                if not self._has_ended:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        return send_after_the_body

    async def _linger(self) -> None:
        """Read on a little, and forget it. A client that has asked whether it may send has sent nothing yet."""
        if self._is_given_up or (self._awaits_consent and not self.received):
            return
        most = self.received + LINGER_BYTES
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._has_ended and self.received < most:
                    self._take(await self._receive())
        except TimeoutError:
            pass

    def _take(self, message: Message) -> None:
        self.received += len(message.get("body", b""))
        self._has_ended = not message.get("more_body", False)

    def _seconds_left(self) -> float:
        allowed = self._seconds + self.received / LEAST_BYTES_PER_SECOND
        return max(0.0, self._began + allowed - time.monotonic())


class _Refused(BaseException):
    """Not an Exception: FastAPI turns every Exception while reading a body into its own answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


def _refusing(path: str, body: _Body, receive: Receive) -> Receive:
    """As `receive`, but what is wrong with the body refuses the request."""

    async def refusing_receive() -> Message:
        try:
            return await receive()
        except TimeoutError:
            error = TooSlow(
                "body_too_slow", f"The body came too slowly: after {body.received:,} bytes this server gave up."
            )
            raise _Refused(service_problem(path, error)) from None
        except Damaged:
            detail = "The body is not in the coding that it is said to be in, or it ends too early."
            raise _Refused(problem(path, HTTPStatus.BAD_REQUEST, "malformed_gzip", detail)) from None

    return refusing_receive


def _too_many_containers(most: int) -> TooLarge:
    return TooLarge("too_many_values", f"The body has more than {most:,} objects and arrays.")


def _without_coding(scope: Scope) -> Scope:
    gone = (b"content-encoding", b"content-length")
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in gone]}


def _not_understood(path: str, coding: str) -> Response:
    return problem(
        path,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_coding",
        f"The body comes in the coding {coding[:100]!r}; this server takes gzip, deflate, or none.",
        headers={"Accept-Encoding": "gzip, deflate"},
    )
