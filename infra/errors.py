"""Every error the service can answer with, each under a stable code. No HTTP statuses: those are in `app/errors.py`.

::

    ServiceError
    ├── InvalidRequest      something in the request does not fit: a field, a column, a row
    ├── Unauthenticated     no key came with the request, or one that is not let in
    ├── Forbidden           the key does not allow this
    ├── NotFound            no such dataset, network, job or model
    ├── Conflict            the thing is in a state that forbids this
    ├── TooLarge            a limit of this server (a setting) is exceeded
    ├── TooSlow             the request takes too long to come
    ├── TooMany             too much of something at a time; later the same request is right
    └── Unavailable         the database or Redis cannot be reached right now
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one place of a request.

    Attributes:
        path: where it is, as a JSON pointer into the body (``/training/learning_rate``, ``/rows/3/age``).
        message: what is wrong and, where it can be said, what would be right.
    """

    path: str
    message: str


class ServiceError(Exception):
    """A refusal or failure that a client is told about.

    Attributes:
        code: stable machine-readable name, snake_case (``unknown_column``). Clients may rely on it.
        message: one or two sentences for a person.
        fields: the places concerned, where there are any.
        retry_after: seconds after which trying again makes sense; None where it does not.
    """

    def __init__(
        self, code: str, message: str, fields: tuple[FieldError, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields
        self.retry_after = retry_after


class InvalidRequest(ServiceError):
    """The request is understood and cannot be done as it stands."""


class Unauthenticated(ServiceError):
    """Who asks is not known."""


class Forbidden(ServiceError):
    """Who asks is known and may not do this."""


class NotFound(ServiceError):
    """No such thing, or it has been deleted, or it is another project's."""


class Conflict(ServiceError):
    """The thing exists but is in a state that forbids this."""


class TooLarge(ServiceError):
    """A limit of this server is exceeded; the message names the limit."""


class TooSlow(ServiceError):
    """The request takes longer to come than this server waits."""


class TooMany(ServiceError):
    """There is too much of something at the moment; trying again later is right."""


class Unavailable(ServiceError):
    """A part the service needs cannot be reached right now; trying again later is right."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, retry_after=5)
