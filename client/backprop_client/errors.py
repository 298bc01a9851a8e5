"""What can go wrong, as exceptions.

::

    BackpropError
    ├── ConnectionFailed            no answer came: nobody listens, or the connection broke
    │   └── TimedOut                … within the time that was allowed
    ├── UnreadableAnswer            an answer came that is none of a Backprop service
    ├── Refused                     the service said no: `.status .code .detail .errors .remedy .request_id`
    │   ├── BadRequest              400
    │   ├── Unauthenticated         401: no key, or one that is no good
    │   ├── Forbidden               403: the key lacks a scope
    │   ├── NotFound                404
    │   ├── NotAcceptable           406
    │   ├── Conflict                409
    │   ├── PreconditionFailed      412: somebody has changed it meanwhile
    │   ├── TooLarge                413
    │   ├── UnsupportedMediaType    415
    │   ├── Invalid                 422: `.errors` names the fields
    │   ├── TooMany                 429
    │   └── ServerFailed            500 and above
    └── DidNotSucceed               a job or a prediction has ended otherwise
        ├── Failed                  `.code` says why
        │   └── JobFailed           … of a job that was waited for: `.job .notes`
        └── Cancelled
            └── JobCancelled        `.job`

A `Refused` of another status is a `Refused` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop_client.wire.error_codes import ANSWERS, FAILURES
from backprop_client.wire.problems import ProblemField

SHOWN_FIELDS = 5
"""Fields. A message names no more of those that are wrong; `errors` has all."""


class BackpropError(Exception):
    """Anything that goes wrong with the service."""


class ConnectionFailed(BackpropError):
    """No answer came.

    Attributes:
        request_id: that the request had.
    """

    def __init__(self, message: str, request_id: str) -> None:
        super().__init__(message)
        self.request_id = request_id

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which would give the constructor the message alone."""
        return type(self), (str(self), self.request_id)


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class UnreadableAnswer(BackpropError):
    """An answer came that no Backprop service gives. Something else may listen at the address."""


class Refused(BackpropError):
    """The service refused a request.

    Attributes:
        status: HTTP's.
        code: the stable name of the error; programs may rely on it. docs/errors.md lists all.
        detail: what is wrong, for a person.
        errors: the places of the request that it is about.
        remedy: what to do about it; None if this client does not know the code.
        request_id: of the request.
    """

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[ProblemField], request_id: str) -> None:
        super().__init__(_told(detail, errors))
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.remedy = _remedy(code)
        self.request_id = request_id

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which would give the constructor the message alone."""
        return type(self), (self.status, self.code, self.detail, self.errors, self.request_id)


class BadRequest(Refused):
    """400: the request cannot be read."""


class Unauthenticated(Refused):
    """401: it comes without a key, or with one that is no good."""


class Forbidden(Refused):
    """403: the key lacks a scope."""


class NotFound(Refused):
    """404: there is no such thing in the key's project."""


class NotAcceptable(Refused):
    """406: it is not to be had in that form."""


class Conflict(Refused):
    """409: the thing is in another state than the request wants."""


class PreconditionFailed(Refused):
    """412: somebody has changed it meanwhile."""


class TooLarge(Refused):
    """413: the request, or its answer, would be too large."""


class UnsupportedMediaType(Refused):
    """415: the body has another type than the service takes."""


class Invalid(Refused):
    """422: `errors` names the fields that are wrong."""


class TooMany(Refused):
    """429: there have been too many requests, or there are too many of something."""


class ServerFailed(Refused):
    """500 and above: the service failed, or a part of it is away."""


class DidNotSucceed(BackpropError):
    """A job or a prediction has ended otherwise than it should.

    Attributes:
        what: its id.
        code: why; None if it was cancelled.
    """

    def __init__(self, what: str, code: str | None, message: str) -> None:
        super().__init__(message)
        self.what = what
        self.code = code
        self.remedy = None if code is None else _remedy(code)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which would give the constructor the message alone."""
        return type(self), (self.what, self.code, str(self))


class Failed(DidNotSucceed):
    """It failed."""


class Cancelled(DidNotSucceed):
    """Somebody cancelled it."""


OF_STATUS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    406: NotAcceptable,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
    429: TooMany,
}


def refusal(status: int, code: str, detail: str, errors: Sequence[ProblemField], request_id: str) -> Refused:
    """The exception for an answer of that status."""
    kind = ServerFailed if status >= 500 else OF_STATUS.get(status, Refused)
    return kind(status, code, detail, errors, request_id)


def _told(detail: str, errors: Sequence[ProblemField]) -> str:
    places = [f"{error.path}: {error.message}" for error in errors if error.message not in detail]
    more = len(places) - SHOWN_FIELDS
    shown = [*places[:SHOWN_FIELDS], *([f"… and {more} more"] if more > 0 else [])]
    return "\n  ".join([detail, *shown])


def _remedy(code: str) -> str | None:
    known = ANSWERS.get(code) or FAILURES.get(code)
    return None if known is None else known.remedy
