"""How a client reaches its service, and how patient it is."""

from __future__ import annotations

import os
import platform
import random
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any

import httpx2
from pydantic import ValidationError

from backprop_client.errors import ConnectionFailed, Refused, TimedOut, UnreadableAnswer, refusal
from backprop_client.transport.calls import Call
from backprop_client.wire.oip.server import ProtocolError
from backprop_client.wire.problems import Problem

URL_VARIABLE = "BACKPROP_URL"
KEY_VARIABLE = "BACKPROP_API_KEY"
USUAL_URL = "http://127.0.0.1:8000"

USUAL_SECONDS = 60.0
"""Seconds. A request may wait so long for each step of its answer."""

USUAL_RETRIES = 2
"""Retries. A request is sent three times at most."""

FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
"""Seconds. The first retry waits so long, each further one twice as long as the one before, up to a bound."""

LONGEST_RETRY_AFTER = 60.0
"""Seconds. Who asks for more patience than this is not waited for."""

_TEMPORARY = frozenset({408, 429, 500, 502, 503, 504})

_UNREADABLE = (httpx2.DecodingError, httpx2.SSEError)
"""An answer came, whose bytes are none that it may have."""

_FOR_GOOD = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.SSEError)
"""It would go wrong again."""

_REQUEST_ID = "X-Request-Id"


@dataclass(frozen=True)
class Connection:
    """How a client reaches its service.

    Attributes:
        base_url: of the service, without a slash at its end.
        api_key: None where the service asks for none. Nothing shows it.
        timeout: seconds for each step of an answer; None for no limit.
        max_retries: how often a request is sent again that has failed for a while only.
        headers: that go with every request.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    timeout: float | None = USUAL_SECONDS
    max_retries: int = USUAL_RETRIES
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def found(cls, api_key: str | None, base_url: str | None, timeout: float | None, max_retries: int) -> Connection:
        """One whose address and key stand in the environment where they are not given.

        Raises:
            ValueError: the address is none, or the key.
        """
        url = base_url or os.environ.get(URL_VARIABLE) or USUAL_URL
        key = os.environ.get(KEY_VARIABLE) if api_key is None else api_key
        return cls(_address(url), None if key is None else _key(key), timeout, max_retries)

    def attempts(self, call: Call[Any]) -> Attempts:
        """The tries to have a call carried out."""
        return Attempts(self, call)


class Attempts:
    """One call, tried until it is answered or there is no more hope.

    Attributes:
        request_id: the same for all tries.
        headers: of the request, the same for all.
    """

    def __init__(self, connection: Connection, call: Call[Any]) -> None:
        self._connection = connection
        self._call = call
        self._retries_left = connection.max_retries
        self.request_id = uuid.uuid4().hex
        usual = {"User-Agent": _USER_AGENT, "Accept": "application/json", _REQUEST_ID: self.request_id}
        if connection.api_key is not None:
            usual["Authorization"] = f"Bearer {connection.api_key}"
        if call.creates:
            usual["Idempotency-Key"] = uuid.uuid4().hex
        self.headers = merged(usual, connection.headers, call.headers)

    def delay_after(self, failure: httpx2.Response | httpx2.RequestError, can_be_sent_again: bool) -> float | None:
        """Seconds until the next try; None if there is to be none."""
        if self._retries_left <= 0 or not can_be_sent_again or not _is_temporary(failure):
            return None
        done = self._connection.max_retries - self._retries_left
        delay: float = min(FIRST_DELAY * 2**done, LONGEST_DELAY) * random.uniform(0.75, 1.0)  # noqa: S311  # no secret
        if isinstance(failure, httpx2.Response):
            asked = _retry_after(failure)
            if asked is not None and asked > LONGEST_RETRY_AFTER:
                return None
            delay = max(delay, asked or 0.0)
        self._retries_left -= 1
        return delay

    def failed(self, error: httpx2.RequestError) -> ConnectionFailed | UnreadableAnswer:
        """What to raise for a request that was not answered, or with what cannot be read."""
        url = self._connection.base_url
        if isinstance(error, _UNREADABLE):
            return UnreadableAnswer(f"{error.request.url} answered what cannot be read: {error}")
        if isinstance(error, httpx2.TimeoutException):
            return TimedOut(f"{url} did not answer within {self._connection.timeout} seconds.", self.request_id)
        return ConnectionFailed(f"{url} gives no answer: {str(error) or type(error).__name__}.", self.request_id)

    def refused(self, response: httpx2.Response) -> Refused:
        """What to raise for an answer, which has been read, that is no success."""
        request_id = request_id_of(response)
        told = _problem(response)
        if told is None:
            detail = f"{response.request.url} answered {response.status_code} {response.reason_phrase}."
            return refusal(response.status_code, "", detail, (), request_id)
        return refusal(response.status_code, told.code, told.detail, told.errors, request_id)


def request_id_of(response: httpx2.Response) -> str:
    """The id of the request that this answers: as the service has it, or as it was sent."""
    request_id: str = response.headers.get(_REQUEST_ID) or response.request.headers[_REQUEST_ID]
    return request_id


def merged(*headers: Mapping[str, str]) -> dict[str, str]:
    """All of these headers. Of those whose names differ in case at most, the last counts."""
    found = httpx2.Headers()
    for each in headers:
        found.update(each)
    return dict(found)


def _address(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        parsed = httpx2.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"{url!r} is no address of a service, such as {USUAL_URL}.")
    if parsed.userinfo:
        raise ValueError("The address has a user's name or password in it, which messages would show: leave it out.")
    return url.rstrip("/")


def _key(key: str) -> str | None:
    """A key without the blanks and ends of lines around it, which come along from files; None if nothing is left."""
    key = key.strip()
    if not all("!" <= each <= "~" for each in key):
        raise ValueError("The API key has characters that no key has.")  # it is not shown, it may be nearly right
    return key or None


def _is_temporary(failure: httpx2.Response | httpx2.RequestError) -> bool:
    if isinstance(failure, httpx2.Response):
        is_under_way = failure.status_code == 409 and _code(failure) == "request_in_progress"
        return failure.status_code in _TEMPORARY or is_under_way
    return isinstance(failure, httpx2.TransportError) and not isinstance(failure, _FOR_GOOD)


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds. A proxy may tell a time instead."""
    said = response.headers.get("Retry-After", "")
    try:
        return float(said)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, OverflowError):  # the latter of a time zone with many digits
        return None


def _code(response: httpx2.Response) -> str:
    told = _problem(response)
    return "" if told is None else told.code


def _problem(response: httpx2.Response) -> Problem | None:
    """What an answer tells of what is wrong, in our form or in that of the Open Inference Protocol."""
    try:
        return Problem.model_validate_json(response.content, extra="ignore")
    except ValidationError:
        pass
    try:
        other = ProtocolError.model_validate_json(response.content, extra="ignore")
    except ValidationError:
        return None
    return Problem(
        title="", status=response.status_code, code=other.code, detail=other.error, errors=list(other.errors or ())
    )


_USER_AGENT = f"backprop-client/{version('backprop-client')} Python/{platform.python_version()} {sys.platform}"
