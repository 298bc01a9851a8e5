"""What a route asks for to know whose data it may touch: an `Access` that has the scope the route names.

Repositories want a project, and this is where a route gets one: it cannot forget to ask.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from app.access.admission import Access
from app.access.state import STATE
from backprop_client.wire.error_codes import ForbiddenCode
from domain.access.keys import Scope
from infra.errors import Forbidden

_scheme = HTTPBearer(
    scheme_name="key",
    description="A key that `backprop keys create` has made. It sees the things of its own project, and does what its "
    "scopes allow: read, train, predict, or admin for all of these and for deleting.",
    auto_error=False,
)
"""The gate has read the header before. This is for the OpenAPI document."""


_CODE_OF: dict[str, ForbiddenCode] = {
    "read": "scope_read_required",
    "train": "scope_train_required",
    "predict": "scope_predict_required",
    "admin": "scope_admin_required",
}
"""The code of a refusal, by the scope that the key does not have."""


def access_with(request: Request, *wanted: str) -> Access:
    """What the gate has found out about a request. Raises Forbidden: it has not one of these scopes."""
    return with_scopes(getattr(request.state, STATE), *wanted)


def with_scopes(access: Access, *wanted: str) -> Access:
    """The same access. Raises Forbidden: it has not one of these scopes."""
    for scope in wanted:
        if not access.scopes & {scope, "admin"}:
            raise Forbidden(_CODE_OF[scope], f"This needs a key with the scope {scope}.")
    return access


async def _access(request: Request, wanted: SecurityScopes, _header: Annotated[object, Depends(_scheme)]) -> Access:
    return access_with(request, *wanted.scopes)


def _having(scope: Scope) -> Access:
    """The dependency on an `Access` with that scope."""
    access: Access = Security(_access, scopes=[scope])
    return access


CanRead = Annotated[Access, _having("read")]
CanTrain = Annotated[Access, _having("train")]
CanPredict = Annotated[Access, _having("predict")]
CanAdminister = Annotated[Access, _having("admin")]
