"""`/models`: the project's models, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.models.metrics import Worth, worth
from app.pages.rendering import page_response
from app.v1.parameters import After
from domain.captions import Wanted
from domain.datasets import rows as datasets
from domain.models import rows as models
from infra.tables import Model

router = APIRouter(prefix="/models")

MODELS_A_PAGE = 25


@dataclass(frozen=True)
class ListedModel:
    """A model as it is in the list.

    Attributes:
        id: its.
        name: what people call it; None if nothing.
        tags: its.
        task: what it does.
        targets: what it predicts; none of a reconstruction.
        sizes: units of every layer, the coded inputs first.
        worth: how good it is, beside the trivial model.
        job_id: that trained it.
        dataset_id: that it was trained on.
        dataset_name: what people call that; None if it is deleted.
        created_at: when it was trained.
    """

    id: str
    name: str | None
    tags: Sequence[str]
    task: str
    targets: Sequence[str]
    sizes: Sequence[int]
    worth: Worth
    job_id: str
    dataset_id: str
    dataset_name: str | None
    created_at: datetime


@dataclass(frozen=True)
class ModelsPage:
    """The list.

    Attributes:
        models: those of this page.
        q: only models with this text in what is said of them are here; None for all.
        tag: only those that have it; None for all.
        next_page: where older ones are; None if there are none.
    """

    template: ClassVar[str] = "models/list.html"
    title: ClassVar[str] = "Models"
    models: Sequence[ListedModel]
    q: str | None
    tag: str | None
    next_page: str | None


@router.get("")
def list_models(
    request: Request,
    access: CanRead,
    database: DatabaseDep,
    q: str | None = None,
    tag: str | None = None,
    after: After = None,
) -> Response:
    """The list, or that part of it which is asked for."""
    q, tag = q or None, tag or None
    wanted = Wanted(() if tag is None else (tag,), None, q)
    with database.reading() as session:
        page = models.list_page(session, access.project, after, MODELS_A_PAGE, wanted)
        names = datasets.names(session, access.project, {model.dataset_id for model in page.rows})
        targets = models.targets(session, page.rows)
        listed = [_listed(model, targets[model.id], names.get(model.dataset_id)) for model in page.rows]
    asked = {name: value for name, value in (("q", q), ("tag", tag)) if value is not None}
    older = f"/models?{urlencode({**asked, 'after': listed[-1].id})}" if page.has_more else None
    return page_response(request, ModelsPage(listed, q, tag, older))


def _listed(model: Model, targets: Sequence[str], dataset_name: str | None) -> ListedModel:
    return ListedModel(
        id=model.id,
        name=model.name,
        tags=model.tags,
        task=model.task,
        targets=targets,
        sizes=model.network["sizes"],
        worth=worth(model.listed_metrics),
        job_id=model.job_id,
        dataset_id=model.dataset_id,
        dataset_name=dataset_name,
        created_at=model.created_at,
    )
