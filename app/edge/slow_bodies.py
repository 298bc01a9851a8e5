"""No client holds a request open by sending its body a byte at a time."""

from __future__ import annotations

import time

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import service_problem
from infra.errors import TooSlow

LEAST_BYTES_PER_SECOND = 16 * 2**10
"""Bytes per second. A body must come so fast once its first seconds are over."""

LINGER_BYTES = 2**20
LINGER_SECONDS = 1.0
"""Bytes and seconds. So much of a body is read on, for so long, after its request has been refused. If the connection
were closed while the client still sends, the answer could be lost with it."""


class SlowBodies:
    """Answers 408 to a body that takes longer than `seconds` and a second for each 16 KiB.

    An answer that is given before the whole body has come closes the connection, so that nobody goes on sending.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, watching how its body comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(Headers(scope=scope), receive, self.seconds)
        answered = False

        async def watching_send(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                if not body.has_ended:
                    await body.linger()
                if not body.has_ended:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        try:
            await self.app(scope, body.receive, watching_send)
        except _BodyTooSlow:
            if not answered:
                refusal = TooSlow(
                    "body_too_slow", f"The body came too slowly: after {body.received:,} bytes this server gave up."
                )
                await service_problem(refusal)(scope, receive, watching_send)


class _Body:
    """The body of a request as it comes."""

    def __init__(self, headers: Headers, receive: Receive, seconds: float) -> None:
        self.has_ended = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        self.received = 0
        self._awaits_consent = "expect" in headers
        self._is_given_up = False
        self._receive = receive
        self._seconds = seconds
        self._began = time.monotonic()

    async def receive(self) -> Message:
        """The next message; past the body's end that is the client leaving, which may take as long as it will."""
        if self.has_ended:
            return await self._receive()
        try:
            with anyio.fail_after(self._seconds_left()):
                message = await self._receive()
        except TimeoutError:
            self._is_given_up = True
            raise _BodyTooSlow from None
        self._take(message)
        return message

    async def linger(self) -> None:
        """Read on a little, and forget it. A client that has asked whether it may send has sent nothing yet."""
        if self._is_given_up or (self._awaits_consent and not self.received):
            return
        most = self.received + LINGER_BYTES
        with anyio.move_on_after(LINGER_SECONDS):
            while not self.has_ended and self.received < most:
                self._take(await self._receive())

    def _take(self, message: Message) -> None:
        self.received += len(message.get("body", b""))
        self.has_ended = not message.get("more_body", False)

    def _seconds_left(self) -> float:
        allowed = self._seconds + self.received / LEAST_BYTES_PER_SECOND
        return max(0.0, self._began + allowed - time.monotonic())


class _BodyTooSlow(BaseException):
    """Not an Exception: FastAPI turns every Exception while reading a body into its own answer."""
