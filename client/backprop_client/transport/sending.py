"""What sends calls: one with threads that wait, one for an event loop. Neither decides anything: see `connection`."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import httpx2

from backprop_client.transport.calls import Body, Call, opened
from backprop_client.transport.connection import Attempts, Connection

Answer = TypeVar("Answer")

_log = logging.getLogger("backprop_client")

_PIECE_BYTES = 2**16
"""Bytes. So many are read of a file at a time: they take a moment only, in which the event loop waits."""


class _Pieces:
    """A file of which only what comes next is known. httpx would ask another one for its length, and believe it.

    Attributes:
        is_begun: whether something has been read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.is_begun = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes, so many at most."""
        self.is_begun = True
        return self._file.read(size)

    def __iter__(self) -> Iterator[bytes]:
        """All that comes."""
        while piece := self.read(_PIECE_BYTES):
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The same for an event loop."""
        for piece in self:
            yield piece


class _Parcel:
    """The body of a call, for as many tries as are needed. A context manager that closes what it has opened."""

    def __init__(self, body: Body | None) -> None:
        self._body = body
        self._content: bytes | IO[bytes] = b""
        self._start: int | None = None
        self._pieces: _Pieces | None = None

    def __enter__(self) -> _Parcel:
        if self._body is not None:
            self._content = opened(self._body.content)
            if not isinstance(self._content, bytes) and _can_go_back(self._content):
                self._start = self._content.tell()
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._body is not None and self._content is not self._body.content and not isinstance(self._content, bytes):
            self._content.close()

    @property
    def can_be_sent_again(self) -> bool:
        is_there = isinstance(self._content, bytes) or self._start is not None
        return is_there or self._pieces is None or not self._pieces.is_begun

    def arguments(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Those that httpx takes for a body, from its beginning."""
        if self._body is None:
            return {"headers": headers}
        content = self._sent()
        if self._body.form is None:
            return {"headers": {**headers, "Content-Type": self._body.media_type}, "content": content}
        file = (self._body.file_name, content, self._body.media_type)
        return {"headers": headers, "data": dict(self._body.form), "files": {"file": file}}

    def _sent(self) -> bytes | IO[bytes] | _Pieces:
        if isinstance(self._content, bytes):
            return self._content
        if self._start is not None:
            self._content.seek(self._start)
        if self._start == 0 and _length_is_known(self._content):
            return self._content
        self._pieces = _Pieces(self._content)
        return self._pieces


def _can_go_back(file: IO[bytes]) -> bool:
    # A SpooledTemporaryFile can, and before Python 3.11 does not say so.
    return file.seekable() if hasattr(file, "seekable") else hasattr(file, "seek")


def _length_is_known(file: IO[bytes]) -> bool:
    """Whether its length is that of what it gives. It is not for pipes, nor for files that are unpacked when read."""
    if isinstance(file, io.BufferedReader):
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return isinstance(file, io.BytesIO)


@dataclass(frozen=True)
class Sender:
    """Sends calls, and waits for their answers.

    Attributes:
        connection: to the service.
        client: sends requests.
        heard: is told of every answer that is no refusal.
    """

    connection: Connection
    client: httpx2.Client
    heard: Callable[[httpx2.Response], None] | None = None

    def send(self, call: Call[Answer]) -> Answer:
        """The answer to a call.

        Raises:
            ConnectionFailed, Refused, UnreadableAnswer: see `backprop_client.errors`.
        """
        with _Parcel(call.body) as parcel:
            return call.read(self._answer(call, self.connection.attempts(call), parcel, whole=True))

    @contextmanager
    def stream(self, call: Call[Any]) -> Iterator[httpx2.Response]:
        """The answer to a call, of which only the head has been read. Raises as `send` does."""
        attempts = self.connection.attempts(call)
        with _Parcel(call.body) as parcel:
            response = self._answer(call, attempts, parcel, whole=False)
            try:
                yield response
            except httpx2.RequestError as error:
                raise attempts.failed(error) from error
            finally:
                response.close()

    def _answer(self, call: Call[Any], attempts: Attempts, parcel: _Parcel, whole: bool) -> httpx2.Response:
        while True:
            failure: httpx2.Response | httpx2.RequestError
            try:
                response = self.client.send(_request(self.client, self.connection, call, attempts, parcel), stream=True)
                is_taken = response.is_success or response.status_code in call.accepts
                if whole or not is_taken:
                    response.read()
                if is_taken:
                    if self.heard is not None:
                        self.heard(response)
                    return response
                failure = response
            except httpx2.RequestError as error:
                failure = error
            delay = attempts.delay_after(failure, parcel.can_be_sent_again)
            if delay is None:
                raise _told(attempts, failure)
            _log_retry(call, failure, delay)
            time.sleep(delay)


@dataclass(frozen=True)
class AsyncSender:
    """Sends calls from an event loop.

    Attributes:
        connection: to the service.
        client: sends requests.
        heard: is told of every answer that is no refusal.
    """

    connection: Connection
    client: httpx2.AsyncClient
    heard: Callable[[httpx2.Response], None] | None = None

    async def send(self, call: Call[Answer]) -> Answer:
        """The answer to a call.

        Raises:
            ConnectionFailed, Refused, UnreadableAnswer: see `backprop_client.errors`.
        """
        with _Parcel(call.body) as parcel:
            return call.read(await self._answer(call, self.connection.attempts(call), parcel, whole=True))

    @asynccontextmanager
    async def stream(self, call: Call[Any]) -> AsyncIterator[httpx2.Response]:
        """The answer to a call, of which only the head has been read. Raises as `send` does."""
        attempts = self.connection.attempts(call)
        with _Parcel(call.body) as parcel:
            response = await self._answer(call, attempts, parcel, whole=False)
            try:
                yield response
            except httpx2.RequestError as error:
                raise attempts.failed(error) from error
            finally:
                await response.aclose()

    async def _answer(self, call: Call[Any], attempts: Attempts, parcel: _Parcel, whole: bool) -> httpx2.Response:
        while True:
            failure: httpx2.Response | httpx2.RequestError
            try:
                request = _request(self.client, self.connection, call, attempts, parcel)
                response = await self.client.send(request, stream=True)
                is_taken = response.is_success or response.status_code in call.accepts
                if whole or not is_taken:
                    await response.aread()
                if is_taken:
                    if self.heard is not None:
                        self.heard(response)
                    return response
                failure = response
            except httpx2.RequestError as error:
                failure = error
            delay = attempts.delay_after(failure, parcel.can_be_sent_again)
            if delay is None:
                raise _told(attempts, failure)
            _log_retry(call, failure, delay)
            await asyncio.sleep(delay)


def _request(
    client: httpx2.Client | httpx2.AsyncClient,
    connection: Connection,
    call: Call[Any],
    attempts: Attempts,
    parcel: _Parcel,
) -> httpx2.Request:
    url = connection.base_url + call.path
    timeout = httpx2.Timeout(connection.timeout)
    arguments = parcel.arguments(attempts.headers)
    if isinstance(client, httpx2.AsyncClient) and hasattr(arguments.get("content"), "read"):
        arguments["content"] = aiter(_Pieces(arguments["content"]))  # it takes files where threads wait only
    return client.build_request(call.method, url, params=call.parameters, timeout=timeout, **arguments)


def _told(attempts: Attempts, failure: httpx2.Response | httpx2.RequestError) -> Exception:
    if isinstance(failure, httpx2.Response):
        return attempts.refused(failure)
    error = attempts.failed(failure)
    error.__cause__ = failure
    return error


def _log_retry(call: Call[Any], failure: httpx2.Response | httpx2.RequestError, delay: float) -> None:
    why = failure.status_code if isinstance(failure, httpx2.Response) else repr(failure)
    _log.info("%s %s is tried again in %.1f s: %s", call.method, call.path, delay, why)
