"""The errors of the service as exceptions, a class for each kind.

Their codes, what these mean and HTTP's statuses are in `backprop_client.wire.error_codes`.

::

    ServiceError
    ├── InvalidRequest      something in the request does not fit: a field, a column, a row
    ├── Unauthenticated     no key came with the request, or one that is not let in
    ├── Forbidden           the key does not allow this
    ├── NotFound            no such dataset, network, job or model
    ├── Conflict            the thing is in a state that forbids this
    ├── PreconditionFailed  the thing is not in the state that the client believes it to be in
    ├── NotAcceptable       the client takes none of the types that there are
    ├── UnsupportedMediaType the body is of a type that is not read
    ├── TooLarge            a limit of this server (a setting) is exceeded
    ├── TooSlow             the request takes too long to come
    ├── TooMany             too much of something at a time; later the same request is right
    ├── NotInstalled        the server lacks an extra that this needs
    └── Unavailable         the database or Redis cannot be reached right now
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from backprop_client.wire.error_codes import (
    AnswerCode,
    ConflictCode,
    FailureCode,
    ForbiddenCode,
    InvalidRequestCode,
    Kind,
    NotAcceptableCode,
    NotFoundCode,
    NotImplementedCode,
    PreconditionFailedCode,
    TooLargeCode,
    TooManyCode,
    TooSlowCode,
    UnauthenticatedCode,
    UnavailableCode,
    UnsupportedMediaTypeCode,
)

Code = TypeVar("Code", bound=AnswerCode | FailureCode)


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
        kind: of the code, the same for all errors of a class.
    """

    kind: ClassVar[Kind]

    def __init__(
        self,
        code: AnswerCode | FailureCode,
        message: str,
        fields: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields
        self.retry_after = retry_after


class _WithCode(ServiceError, Generic[Code]):
    """An error that has only the codes which its class names."""

    def __init__(
        self, code: Code, message: str, fields: tuple[FieldError, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(code, message, fields, retry_after)


class InvalidRequest(_WithCode[InvalidRequestCode | FailureCode]):
    """The request is understood and cannot be done as it stands."""

    kind: ClassVar[Kind] = "invalid_request"


class Unauthenticated(_WithCode[UnauthenticatedCode]):
    """Who asks is not known."""

    kind: ClassVar[Kind] = "unauthenticated"


class Forbidden(_WithCode[ForbiddenCode]):
    """Who asks is known and may not do this."""

    kind: ClassVar[Kind] = "forbidden"


class NotFound(_WithCode[NotFoundCode]):
    """No such thing, or it has been deleted, or it is another project's."""

    kind: ClassVar[Kind] = "not_found"


class Conflict(_WithCode[ConflictCode]):
    """The thing exists but is in a state that forbids this."""

    kind: ClassVar[Kind] = "conflict"


class PreconditionFailed(_WithCode[PreconditionFailedCode]):
    """The thing is not in the state that the client has named as a condition."""

    kind: ClassVar[Kind] = "precondition_failed"


class NotAcceptable(_WithCode[NotAcceptableCode]):
    """The client takes none of the types that this can be answered with; the message names them."""

    kind: ClassVar[Kind] = "not_acceptable"


class UnsupportedMediaType(_WithCode[UnsupportedMediaTypeCode]):
    """The body is of a type that is not read; the message names those that are."""

    kind: ClassVar[Kind] = "unsupported_media_type"


class TooLarge(_WithCode[TooLargeCode | FailureCode]):
    """A limit of this server is exceeded; the message names the limit."""

    kind: ClassVar[Kind] = "too_large"


class TooSlow(_WithCode[TooSlowCode]):
    """The request takes longer to come than this server waits."""

    kind: ClassVar[Kind] = "too_slow"


class TooMany(_WithCode[TooManyCode]):
    """There is too much of something at the moment; trying again later is right."""

    kind: ClassVar[Kind] = "too_many"


class NotInstalled(_WithCode[NotImplementedCode]):
    """The server could do this, but lacks a package for it; the message names the package."""

    kind: ClassVar[Kind] = "not_implemented"


class Unavailable(_WithCode[UnavailableCode]):
    """A part the service needs cannot be reached right now; trying again later is right."""

    kind: ClassVar[Kind] = "unavailable"

    def __init__(self, code: UnavailableCode, message: str) -> None:
        super().__init__(code, message, retry_after=5)
