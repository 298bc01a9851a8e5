"""What is wrong with a request for a job: gathered, so that a client can mend it in one go."""

from __future__ import annotations

from backprop_client.wire.error_codes import InvalidRequestCode
from backprop_client.wire.specs import JobSpec
from infra.errors import FieldError, InvalidRequest

REPORTED_PROBLEMS = 100
"""Problems. More are counted but not listed: a dataset can have ten thousand unusable columns."""


class Problems:
    """What is wrong so far, in order of finding."""

    def __init__(self) -> None:
        self._codes: list[InvalidRequestCode] = []
        self._fields: list[FieldError] = []

    def add(self, code: InvalidRequestCode, path: str, message: str) -> None:
        """Note one thing wrong with one place of the request."""
        self._codes.append(code)
        self._fields.append(FieldError(path, message))

    def __bool__(self) -> bool:
        return bool(self._fields)

    def refusal(self) -> InvalidRequest:
        """The error that tells them all; the first problem gives the code."""
        message = self._fields[0].message
        if len(self._fields) > 1:
            message += f" ({len(self._fields)} problems in all)"
        return InvalidRequest(self._codes[0], message, tuple(self._fields[:REPORTED_PROBLEMS]))


def network_path(spec: JobSpec, inside: str) -> str:
    """A place in the network, where the request holds one; else the id that names it."""
    return "/network_id" if spec.network is None else f"/network{inside}"
