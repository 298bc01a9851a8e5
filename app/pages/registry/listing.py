"""`/registry`: the names under which models follow each other, and a form that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.access.dependencies import CanRead, CanTrain
from app.dependencies import DatabaseDep
from app.pages.checking import checked, words
from app.pages.filters import AfterId
from app.pages.forms import FormDep, said
from app.pages.rendering import page_response
from backprop_client.wire.registry import RegisteredModelIn
from domain.registry import aliases, rows
from domain.registry.aliases import PointedAt
from domain.registry.history import Author
from infra.tables import RegisteredModel

router = APIRouter(prefix="/registry")

NAMES_A_PAGE = 25


@dataclass(frozen=True)
class ListedName:
    """A registered model as it is in the list.

    Attributes:
        name: its.
        description: for people; None if there is none.
        tags: its.
        last_version: the greatest number that a version has had; 0 before the first.
        aliases: each with the version that it points to, in the order of their names.
        updated_at: when what is said of it was last changed.
    """

    name: str
    description: str | None
    tags: Sequence[str]
    last_version: int
    aliases: Sequence[tuple[str, int]]
    updated_at: datetime


@dataclass(frozen=True)
class RegistryPage:
    """The list.

    Attributes:
        names: those of this page.
        next_page: where older ones are; None if there are none.
    """

    template: ClassVar[str] = "registry/list.html"
    title: ClassVar[str] = "Registry"
    names: Sequence[ListedName]
    next_page: str | None


@router.get("")
def list_names(request: Request, access: CanRead, database: DatabaseDep, after: AfterId = None) -> Response:
    """The registered models, newest first."""
    with database.reading() as session:
        page = rows.list_page(session, access.project, after, NAMES_A_PAGE)
        pointing = aliases.list_of(session, [each.id for each in page.rows])
    older = f"/registry?{urlencode({'after': page.rows[-1].id})}" if page.has_more else None
    return page_response(request, RegistryPage([_listed(each, pointing[each.id]) for each in page.rows], older))


@router.post("")
def create_name(form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Make a name under which models follow each other, and go to its page."""
    asked = checked(
        RegisteredModelIn,
        {
            "name": said(form, "name") or "",
            "description": said(form, "description"),
            "tags": tuple(words(said(form, "tags"))),
        },
    )
    with database.writing() as session:
        rows.create(session, access.project, asked.name, Author(access.key_id), asked.description, asked.tags)
    return RedirectResponse(f"/registry/{asked.name}", HTTPStatus.SEE_OTHER)


def _listed(registered: RegisteredModel, pointing: Sequence[PointedAt]) -> ListedName:
    return ListedName(
        name=registered.name,
        description=registered.description,
        tags=registered.tags,
        last_version=registered.last_version,
        aliases=[(each.alias.alias, each.version.number) for each in pointing],
        updated_at=registered.updated_at,
    )
