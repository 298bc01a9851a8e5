"""`/v1/registry`."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from sqlalchemy.orm import Session

from app.access.admission import Access
from app.access.dependencies import CanAdminister, CanRead, CanTrain
from app.access.idempotency import OnceDep, answered
from app.dependencies import DatabaseDep, RegistryDep
from app.errors import responses
from app.v1.answers import alias_out, registered_model_out, registry_event_out, version_out
from app.v1.parameters import After, AfterEvent, AliasPath, EventLimit, Limit, RegisteredNamePath, VersionPath
from backprop_client.wire.registry import (
    LARGEST_VERSION,
    AliasIn,
    AliasOut,
    RegisteredModelIn,
    RegisteredModelOut,
    RegisteredModelPage,
    RegisteredModelPatch,
    RegistryEventPage,
    VersionIn,
    VersionOut,
    VersionPage,
)
from domain.access.idempotency import Answer
from domain.registry import aliases, history, rows, versions
from domain.registry.aliases import Condition
from domain.registry.history import Author
from infra.errors import Conflict, NotFound, PreconditionFailed
from infra.tables import ModelVersion, RegisteredModel

router = APIRouter(prefix="/v1/registry", tags=["registry"])

_ETAGS = r'^\s*(\*|(W/)?"[!#-~]*"(\s*,\s*(W/)?"[!#-~]*")*)\s*$'

BelowVersion = Annotated[
    int | None,
    Query(ge=1, le=LARGEST_VERSION, description="The version that the page before ended with; none for the first."),
]
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        pattern=_ETAGS,
        description="The ETag that the alias must have, or several; or `*`: there must be such an alias. Default: any.",
    ),
]
IfNoneMatch = Annotated[str | None, Header(pattern=r"^\s*\*\s*$", description="`*`: there must be no such alias yet.")]
_ETAG = {"headers": {"ETag": {"description": "The state of the alias, for If-Match.", "schema": {"type": "string"}}}}


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=RegisteredModelOut,
    responses=responses(Conflict),
    operation_id="registry_create",
)
def create_registered_model(
    body: RegisteredModelIn, access: CanTrain, database: DatabaseDep, once: OnceDep
) -> Response:
    """Make a name under which models follow each other as versions."""
    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            made = rows.create(session, access.project, body.name, _author(access), body.description, body.tags)
            content = registered_model_out(made, []).model_dump_json().encode()
            location = {"Location": f"/v1/registry/{made.name}"}
            answer = turn.keep(session, Answer(status.HTTP_201_CREATED, content, location))
    return answered(answer)


@router.get("", responses=responses(), operation_id="registry_list")
def list_registered_models(
    access: CanRead, database: DatabaseDep, after: After = None, limit: Limit = 20
) -> RegisteredModelPage:
    """Registered models, newest first."""
    with database.reading() as session:
        page = rows.list_page(session, access.project, after, limit)
        pointing = aliases.list_of(session, [each.id for each in page.rows])
    data = [registered_model_out(each, pointing[each.id]) for each in page.rows]
    return RegisteredModelPage(data=data, has_more=page.has_more)


@router.get("/{name}", responses=responses(NotFound), operation_id="registry_get")
def get_registered_model(name: RegisteredNamePath, access: CanRead, database: DatabaseDep) -> RegisteredModelOut:
    """One registered model with its aliases."""
    with database.reading() as session:
        return _registered_model(session, rows.get(session, access.project, name))


@router.patch("/{name}", responses=responses(NotFound), operation_id="registry_update")
def change_registered_model(
    name: RegisteredNamePath, body: RegisteredModelPatch, access: CanTrain, database: DatabaseDep
) -> RegisteredModelOut:
    """Change the description or the tags of a registered model. What the body leaves out stays."""
    with database.writing() as session:
        registered = rows.locked(session, access.project, name)
        rows.change(session, registered, _author(access), body.model_dump(exclude_unset=True, mode="json"))
        return _registered_model(session, registered)


@router.delete(
    "/{name}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, Conflict),
    operation_id="registry_delete",
)
def remove_registered_model(
    name: RegisteredNamePath, access: CanAdminister, database: DatabaseDep, registry: RegistryDep
) -> None:
    """Delete a registered model with its versions; refused while it has aliases. The models and the history stay."""
    with registry.changing(), database.writing() as session:
        rows.delete(session, access.project, name, _author(access))


@router.get("/{name}/history", responses=responses(NotFound), operation_id="registry_history")
def get_registry_history(
    name: RegisteredNamePath, access: CanRead, database: DatabaseDep, after: AfterEvent = 0, limit: EventLimit = 100
) -> RegistryEventPage:
    """All that was changed under the name, the oldest first: who, when, from which version to which.

    It stays when the registered model is deleted.
    """
    with database.reading() as session:
        page = history.list_events(session, access.project, name, after, limit)
    return RegistryEventPage(data=[registry_event_out(event) for event in page.rows], has_more=page.has_more)


@router.post(
    "/{name}/versions",
    status_code=status.HTTP_201_CREATED,
    response_model=VersionOut,
    responses=responses(NotFound, Conflict),
    operation_id="registry_create_version",
)
def create_version(
    name: RegisteredNamePath,
    body: VersionIn,
    access: CanTrain,
    database: DatabaseDep,
    registry: RegistryDep,
    once: OnceDep,
) -> Response:
    """Make a model the next version under the name. Versions are numbered 1, 2, 3, …; no number comes twice."""
    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with registry.changing(), database.writing() as session:
            registered = rows.locked(session, access.project, name)
            made = versions.create(session, registered, body.model_id, _author(access), body.description, body.tags)
            content = version_out(name, made, []).model_dump_json().encode()
            location = {"Location": f"/v1/registry/{name}/versions/{made.number}"}
            answer = turn.keep(session, Answer(status.HTTP_201_CREATED, content, location))
    return answered(answer)


@router.get("/{name}/versions", responses=responses(NotFound), operation_id="registry_list_versions")
def list_versions(
    name: RegisteredNamePath, access: CanRead, database: DatabaseDep, after: BelowVersion = None, limit: Limit = 20
) -> VersionPage:
    """The versions under the name, newest first."""
    with database.reading() as session:
        registered = rows.get(session, access.project, name)
        page = versions.list_page(session, registered, after, limit)
        data = _versions(session, registered, page.rows)
    return VersionPage(data=data, has_more=page.has_more)


@router.get("/{name}/versions/{version}", responses=responses(NotFound), operation_id="registry_get_version")
def get_version(name: RegisteredNamePath, version: VersionPath, access: CanRead, database: DatabaseDep) -> VersionOut:
    """One version and the aliases that point to it."""
    with database.reading() as session:
        registered = rows.get(session, access.project, name)
        return _versions(session, registered, [versions.get(session, registered, version)])[0]


@router.delete(
    "/{name}/versions/{version}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, Conflict),
    operation_id="registry_delete_version",
)
def remove_version(
    name: RegisteredNamePath, version: VersionPath, access: CanAdminister, database: DatabaseDep, registry: RegistryDep
) -> None:
    """Delete a version; refused while an alias points to it. Its model stays, and its number does not come again."""
    with registry.changing(), database.writing() as session:
        versions.delete(session, access.project, name, version, _author(access))


@router.get(
    "/{name}/aliases/{alias}",
    response_model=AliasOut,
    responses={**responses(NotFound), 200: _ETAG},
    operation_id="registry_get_alias",
)
def get_alias(name: RegisteredNamePath, alias: AliasPath, access: CanRead, database: DatabaseDep) -> Response:
    """Where an alias points to. Its ETag names the state that it is in, for If-Match."""
    with database.reading() as session:
        return _alias(alias_out(aliases.get(session, rows.get(session, access.project, name), alias)))


@router.put(
    "/{name}/aliases/{alias}",
    response_model=AliasOut,
    responses={
        **responses(NotFound, PreconditionFailed),
        200: _ETAG,
        201: {**_ETAG, "model": AliasOut, "description": "The alias is new."},
    },
    operation_id="registry_move_alias",
)
def move_alias(
    name: RegisteredNamePath,
    alias: AliasPath,
    body: AliasIn,
    access: CanTrain,
    database: DatabaseDep,
    registry: RegistryDep,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Have an alias point to a version, at once: each prediction is made by the one or by the other.

    With `If-Match` it moves only if it still is as it was when that ETag was read; else the answer is 412.
    """
    condition = _condition(if_match, if_none_match)
    with registry.changing(), database.writing() as session:
        registered = rows.locked(session, access.project, name)
        moved = aliases.move(session, registered, alias, body.version, _author(access), condition)
    return _alias(alias_out(moved.now), status.HTTP_201_CREATED if moved.is_new else status.HTTP_200_OK)


@router.delete(
    "/{name}/aliases/{alias}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, PreconditionFailed),
    operation_id="registry_delete_alias",
)
def remove_alias(
    name: RegisteredNamePath,
    alias: AliasPath,
    access: CanAdminister,
    database: DatabaseDep,
    registry: RegistryDep,
    if_match: IfMatch = None,
) -> None:
    """Delete an alias; the version that it points to stays. With `If-Match` only if it still is as it was then."""
    with registry.changing(), database.writing() as session:
        aliases.delete(session, access.project, name, alias, _author(access), _condition(if_match, None))


def _author(access: Access) -> Author:
    return Author(key_id=access.key_id)


def _condition(if_match: str | None, if_none_match: str | None) -> Condition:
    """What the headers ask for; both of them together nothing meets.

    A weak ETag (`W/`) matches nothing, as HTTP wants it with If-Match.
    """
    if if_none_match is not None:
        return Condition(exists=False, etags=None if if_match is None else frozenset())
    if if_match is None:
        return Condition()
    if if_match.strip() == "*":
        return Condition(exists=True)
    return Condition(frozenset(each for each in re.findall(r'(?:W/)?"[^"]*"', if_match) if each.startswith('"')))


def _registered_model(session: Session, registered: RegisteredModel) -> RegisteredModelOut:
    return registered_model_out(registered, aliases.list_of(session, [registered.id])[registered.id])


def _versions(session: Session, registered: RegisteredModel, found: list[ModelVersion]) -> list[VersionOut]:
    pointing = aliases.list_of(session, [registered.id])[registered.id]
    return [version_out(registered.name, each, pointing) for each in found]


def _alias(alias: AliasOut, status_code: int = status.HTTP_200_OK) -> Response:
    return Response(alias.model_dump_json(), status_code, {"ETag": alias.etag}, "application/json")
