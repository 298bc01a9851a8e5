"""What the forms of a registered model's page do: versions, aliases, what is said of it, and its end.

Forms about an alias bring the state that it was in when the page was made. So nobody undoes unknowingly what somebody
else has done meanwhile.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from app.access.admission import Access
from app.access.dependencies import CanAdminister, CanTrain
from app.dependencies import DatabaseDep, RegistryDep
from app.pages.checking import checked, whole_number, words
from app.pages.forms import FormDep, said
from app.v1.parameters import RegisteredNamePath
from backprop_client.wire.registry import AliasName, RegisteredModelPatch, VersionIn, VersionNumber
from backprop_client.wire.strict_models import StrictModel
from domain.registry import aliases, rows, versions
from domain.registry.aliases import Condition
from domain.registry.history import Author

router = APIRouter(prefix="/registry/{name}")


class AliasMove(StrictModel):
    """What the form says that has an alias point somewhere."""

    alias: AliasName
    version: VersionNumber


class NamedAlias(StrictModel):
    """What the form says that removes an alias."""

    alias: AliasName


class NamedVersion(StrictModel):
    """What the form says that removes a version."""

    version: VersionNumber


@router.post("/versions")
def create_version(
    name: RegisteredNamePath, form: FormDep, access: CanTrain, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Make a model the next version."""
    asked = checked(
        VersionIn,
        {
            "model_id": said(form, "model") or "",
            "description": said(form, "description"),
            "tags": tuple(words(said(form, "tags"))),
        },
    )
    with registry.changing(), database.writing() as session:
        registered = rows.locked(session, access.project, name)
        versions.create(session, registered, asked.model_id, _author(access), asked.description, asked.tags)
    return _back(name)


@router.post("/versions/delete")
def remove_version(
    name: RegisteredNamePath, form: FormDep, access: CanAdminister, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Delete a version; refused while an alias points to it."""
    asked = checked(NamedVersion, {"version": whole_number(said(form, "version"), "version")})
    with registry.changing(), database.writing() as session:
        versions.delete(session, access.project, name, asked.version, _author(access))
    return _back(name)


@router.post("/aliases")
def move_alias(
    name: RegisteredNamePath, form: FormDep, access: CanTrain, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Have an alias point to a version, if it still is as the page showed it: or still is not there."""
    version = whole_number(said(form, "version"), "version")
    asked = checked(AliasMove, {"alias": said(form, "alias") or "", "version": version})
    with registry.changing(), database.writing() as session:
        registered = rows.locked(session, access.project, name)
        aliases.move(session, registered, asked.alias, asked.version, _author(access), _as_seen(form))
    return _back(name)


@router.post("/aliases/delete")
def remove_alias(
    name: RegisteredNamePath, form: FormDep, access: CanAdminister, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Delete an alias, if it still is as the page showed it; the version that it points to stays."""
    asked = checked(NamedAlias, {"alias": said(form, "alias") or ""})
    with registry.changing(), database.writing() as session:
        aliases.delete(session, access.project, name, asked.alias, _author(access), _as_seen(form))
    return _back(name)


@router.post("/caption")
def change_name(name: RegisteredNamePath, form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Change the description and the tags to what the form says."""
    values = {"description": said(form, "description"), "tags": tuple(words(said(form, "tags")))}
    patch = checked(RegisteredModelPatch, values)
    with database.writing() as session:
        registered = rows.locked(session, access.project, name)
        rows.change(session, registered, _author(access), patch.model_dump(mode="json"))
    return _back(name)


@router.post("/delete")
def remove_name(
    name: RegisteredNamePath, _form: FormDep, access: CanAdminister, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Delete the registered model with its versions; refused while it has aliases."""
    with registry.changing(), database.writing() as session:
        rows.delete(session, access.project, name, _author(access))
    return RedirectResponse("/registry", HTTPStatus.SEE_OTHER)


def _as_seen(form: FormData) -> Condition:
    """The state that the alias was in when the page was made; the form of a new one says that there was none."""
    etag = said(form, "seen")
    return Condition(exists=False) if etag is None else Condition(etags=frozenset({etag}))


def _author(access: Access) -> Author:
    return Author(key_id=access.key_id)


def _back(name: str) -> Response:
    return RedirectResponse(f"/registry/{name}", HTTPStatus.SEE_OTHER)
