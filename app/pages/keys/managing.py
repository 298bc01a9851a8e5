"""`/keys`: who may ask the API about the project, and for what. Keys are made and revoked here, too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from app.access.admission import Access
from app.access.dependencies import CanAdminister
from app.dependencies import DatabaseDep
from app.pages.checking import wrong
from app.pages.forms import FormDep, all_said, said
from app.pages.rendering import page_response
from app.pages.secrets import shown_once
from app.v1.parameters import IdPath
from domain.access import keys
from domain.access.keys import SCOPES, USUAL_SCOPES, Scope
from infra.tables import Key

router = APIRouter(prefix="/keys")

MEANINGS: dict[Scope, str] = {
    "read": "see everything in the project",
    "train": "upload tables, train networks, and say something of what is there",
    "predict": "ask models for predictions",
    "admin": "all of these, delete things, and manage webhooks and keys",
}

MOST_DAYS = 36_500
"""Days. A key that lasts longer is one that never expires."""


@dataclass(frozen=True)
class ListedKey:
    """A key as it is in the list, without its secret, which nobody has.

    Attributes:
        id: its, which the key's text begins with.
        scopes: what it allows.
        created_at: when it was made.
        expires_at: from when on it is refused; None: never.
        revoked_at: since when it is refused; None: it is not.
        is_over: whether it is refused by now.
        is_own: whether it is the one that the reader has signed in with.
        is_last_admin: whether no other one that is let in may manage keys.
    """

    id: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    is_over: bool
    is_own: bool
    is_last_admin: bool


@dataclass(frozen=True)
class KeysPage:
    """The list, and a form that makes one.

    Attributes:
        project: whose keys these are.
        keys: all of them, newest first.
        scopes: that a key can have, each with what it means.
        usual_scopes: those that are chosen in the form before anybody chooses.
        is_keyless: whether the server lets people in without a key until now.
        most_days: how many days at most a key is made for that expires.
    """

    template: ClassVar[str] = "keys/list.html"
    title: ClassVar[str] = "Keys"
    project: str
    keys: Sequence[ListedKey]
    scopes: Sequence[tuple[str, str]]
    usual_scopes: Sequence[str]
    is_keyless: bool
    most_days: int


@dataclass(frozen=True)
class NewKeyPage:
    """A key that has just been made: the only time that its text is shown.

    Attributes:
        text: what a client sends.
        scopes: what it allows.
        expires_at: from when on it is refused; None: never.
        ends_keyless: whether the server let people in without a key before.
    """

    template: ClassVar[str] = "keys/made.html"
    title: ClassVar[str] = "A new key"
    text: str
    scopes: Sequence[str]
    expires_at: datetime | None
    ends_keyless: bool


@router.get("")
def list_keys(request: Request, access: CanAdminister, database: DatabaseDep) -> Response:
    """The project's keys, those that are refused included."""
    with database.reading() as session:
        found = [*reversed(keys.list_all(session, access.project))]
    admins = [key.id for key in found if not keys.is_over(key) and "admin" in key.scopes]
    is_keyless = access.key_id is None
    return page_response(
        request,
        KeysPage(
            project=access.project,
            keys=[_listed(key, access, admins) for key in found],
            scopes=list(MEANINGS.items()),
            usual_scopes=SCOPES if is_keyless else USUAL_SCOPES,
            is_keyless=is_keyless,
            most_days=MOST_DAYS,
        ),
    )


@router.post("")
def create_key(request: Request, form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Make a key, and answer with its text, this once."""
    scopes, expires_at = _scopes(form), _expires_at(form)
    with database.writing() as session:
        made = keys.create(session, access.project, scopes, expires_at)
        page = NewKeyPage(made.text, made.row.scopes, expires_at, ends_keyless=access.key_id is None)
    return shown_once(request, page)


@router.post("/{key_id}/revoke")
def revoke_key(key_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Refuse the key from now on, within a second."""
    with database.writing() as session:
        keys.revoke_of_project(session, access.project, key_id)
    return RedirectResponse("/sign-in" if key_id == access.key_id else "/keys", HTTPStatus.SEE_OTHER)


def _listed(key: Key, access: Access, admins: Sequence[str]) -> ListedKey:
    return ListedKey(
        id=key.id,
        scopes=key.scopes,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        is_over=keys.is_over(key),
        is_own=key.id == access.key_id,
        is_last_admin=admins == [key.id],
    )


def _scopes(form: FormData) -> list[Scope]:
    named = set(all_said(form, "scope"))
    if not named:
        raise wrong("scope", "The key would allow nothing: choose what it is for.")
    unknown = named - set(SCOPES)
    if unknown:
        raise wrong("scope", f"There is no scope {min(unknown)!r}; there are {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in named]


def _expires_at(form: FormData) -> datetime | None:
    """When the key expires; None if the field that says after how many days is empty."""
    text = said(form, "expires_in_days")
    if text is None:
        return None
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 < days <= MOST_DAYS:
        raise wrong("expires_in_days", f"This must be a number of days above 0, and {MOST_DAYS} at most.")
    return datetime.now(UTC) + timedelta(days=days)
