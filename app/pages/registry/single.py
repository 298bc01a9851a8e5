"""`/registry/{name}`: versions with the metrics of their models side by side, aliases, and who changed what when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.registry.comparison import Compared, compared
from app.pages.rendering import page_response
from app.v1.answers import registered_model_out, registry_event_out
from app.v1.parameters import RegisteredNamePath
from backprop_client.wire.registry import LARGEST_VERSION, RegisteredModelOut, RegistryEventOut
from domain.models import rows as models
from domain.registry import aliases, history, rows, versions
from infra.tables import Model, ModelVersion

router = APIRouter(prefix="/registry")

VERSIONS_A_PAGE = 8
"""Versions. More do not fit side by side."""

EVENTS_A_PAGE = 20


@dataclass(frozen=True)
class ShownVersion:
    """A version and its model.

    Attributes:
        number: its.
        description: for people; None if there is none.
        tags: its.
        aliases: those that point to it.
        created_at: when it was made.
        model_id: of its model.
        model_name: what people call that; None if nothing.
        task: what the model does.
        sizes: units of every layer.
        iteration: updates that its weights have had.
        cost: J(W,b) of these.
    """

    number: int
    description: str | None
    tags: Sequence[str]
    aliases: Sequence[str]
    created_at: datetime
    model_id: str
    model_name: str | None
    task: str
    sizes: Sequence[int]
    iteration: int
    cost: float


@dataclass(frozen=True)
class RegisteredModelPage:
    """One registered model.

    Attributes:
        registered: what is known of it, with its aliases.
        versions: those of this page, newest first.
        older_versions: the page with those before; None if there are none.
        metrics: those of the models, side by side in the order of the versions.
        events: what was changed, newest first.
        older_events: the page with those before; None if there are none.
    """

    template: ClassVar[str] = "registry/single.html"
    registered: RegisteredModelOut
    versions: Sequence[ShownVersion]
    older_versions: str | None
    metrics: Sequence[Compared]
    events: Sequence[RegistryEventOut]
    older_events: str | None

    @property
    def title(self) -> str:
        """The name."""
        return self.registered.name


BelowVersion = Annotated[int | None, Query(ge=1, le=LARGEST_VERSION)]
BeforeEvent = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/{name}")
def show_name(
    request: Request,
    name: RegisteredNamePath,
    access: CanRead,
    database: DatabaseDep,
    below: BelowVersion = None,
    before: BeforeEvent = None,
) -> Response:
    """One registered model."""
    with database.reading() as session:
        registered = rows.get(session, access.project, name)
        pointing = aliases.list_of(session, [registered.id])[registered.id]
        found = versions.list_page(session, registered, below, VERSIONS_A_PAGE)
        of_versions = models.several(session, access.project, {each.model_id for each in found.rows})
        events = history.latest_events(session, access.project, name, before, EVENTS_A_PAGE)
    out = registered_model_out(registered, pointing)
    page = RegisteredModelPage(
        registered=out,
        versions=[_shown(each, of_versions[each.model_id], out) for each in found.rows],
        older_versions=f"/registry/{name}?below={found.rows[-1].number}" if found.has_more else None,
        metrics=compared([of_versions[each.model_id] for each in found.rows]),
        events=[registry_event_out(each) for each in events.rows],
        older_events=f"/registry/{name}?before={events.rows[-1].sequence}#history" if events.has_more else None,
    )
    return page_response(request, page)


def _shown(version: ModelVersion, model: Model, registered: RegisteredModelOut) -> ShownVersion:
    return ShownVersion(
        number=version.number,
        description=version.description,
        tags=version.tags,
        aliases=[each.alias for each in registered.aliases if each.version == version.number],
        created_at=version.created_at,
        model_id=model.id,
        model_name=model.name,
        task=model.task,
        sizes=model.network.get("sizes", ()),
        iteration=model.iteration,
        cost=model.cost,
    )
