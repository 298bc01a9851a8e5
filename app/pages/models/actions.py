"""What the forms of a model's page do to it: caption, register, point an alias to it, delete."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from app.access.dependencies import CanAdminister, CanTrain
from app.dependencies import DatabaseDep, RegistryDep, TrainedModelsDep
from app.pages.checking import whole_number
from app.pages.forms import FormDep, said
from app.v1.parameters import IdPath
from backprop_client.wire.captions import CaptionPatch
from backprop_client.wire.registry import LARGEST_VERSION, AliasName, RegisteredName
from domain import captions
from domain.models import rows as models
from domain.models.removal import delete_model
from domain.registry import aliases, rows, versions
from domain.registry.history import Author
from infra.errors import FieldError, InvalidRequest

router = APIRouter(prefix="/models")

Checked = TypeVar("Checked")

_NAME: TypeAdapter[str] = TypeAdapter(RegisteredName)
_ALIAS: TypeAdapter[str] = TypeAdapter(AliasName)
_CAPTION: TypeAdapter[CaptionPatch] = TypeAdapter(CaptionPatch)


@router.post("/{model_id}/caption")
def caption_model(model_id: IdPath, form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Change its name, its tags and its note to what the form says."""
    said_of_it = {"name": said(form, "name"), "tags": (said(form, "tags") or "").split(), "note": said(form, "note")}
    patch = _checked(_CAPTION, said_of_it, None)
    with database.writing() as session:
        captions.change(session, models.locked(session, access.project, model_id), patch)
    return _back(model_id)


@router.post("/{model_id}/register")
def register_model(
    model_id: IdPath, form: FormDep, access: CanTrain, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Make it the next version under a name, made if there is none; the alias then points to it if one is said."""
    name = _checked(_NAME, said(form, "name") or "", "name")
    alias = None if said(form, "alias") is None else _checked(_ALIAS, said(form, "alias"), "alias")
    author = Author(key_id=access.key_id)
    with registry.changing(), database.writing() as session:
        registered = rows.locked_or_created(session, access.project, name, author)
        version = versions.create(session, registered, model_id, author)
        if alias is not None:
            aliases.move(session, registered, alias, version.number, author)
    return _back(model_id, "#registry")


@router.post("/{model_id}/alias")
def point_alias(
    model_id: IdPath, form: FormDep, access: CanTrain, database: DatabaseDep, registry: RegistryDep
) -> Response:
    """Have an alias point to the version that the form says."""
    name = _checked(_NAME, said(form, "name") or "", "name")
    alias = _checked(_ALIAS, said(form, "alias") or "", "alias")
    number = whole_number(said(form, "version"), "version") or 0
    if not 1 <= number <= LARGEST_VERSION:
        raise _wrong("version", "This is no number of a version.")
    with registry.changing(), database.writing() as session:
        registered = rows.locked(session, access.project, name)
        aliases.move(session, registered, alias, number, Author(key_id=access.key_id))
    return _back(model_id, "#registry")


@router.post("/{model_id}/delete")
def remove_model(
    model_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep, trained_models: TrainedModelsDep
) -> Response:
    """Delete it."""
    with database.writing() as session:
        delete_model(session, access.project, model_id)
    trained_models.forget(access.project, model_id)
    return RedirectResponse("/models", HTTPStatus.SEE_OTHER)


def _back(model_id: str, part: str = "") -> Response:
    return RedirectResponse(f"/models/{model_id}{part}", HTTPStatus.SEE_OTHER)


def _checked(adapter: TypeAdapter[Checked], value: Any, field: str | None) -> Checked:  # noqa: ANN401
    """What a form says, if it may be said. Raises InvalidRequest, with the field's name if none is given."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        message = found["msg"].removeprefix("Value error, ")
        place = field or (str(found["loc"][0]) if found["loc"] else "name")
        raise _wrong(place, f"{place}: {message}") from error


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest("invalid_request", message, (FieldError(field, message),))
