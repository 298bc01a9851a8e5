"""`/datasets`: the project's tables, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.filters import AfterId, SearchedTag, SearchedText
from app.pages.rendering import page_response
from domain.captions import Wanted
from domain.datasets import rows as datasets
from infra.tables import Dataset

router = APIRouter(prefix="/datasets")

DATASETS_A_PAGE = 25


@dataclass(frozen=True)
class ListedDataset:
    """A dataset as it is in the list.

    Attributes:
        id: its.
        name: what people call it.
        tags: its.
        rows: how many it has.
        columns: how many it has.
        format: what the file was.
        bytes: how long that was.
        remarks: how many things about it a person should look at.
        created_at: when it was uploaded.
    """

    id: str
    name: str
    tags: Sequence[str]
    rows: int
    columns: int
    format: str
    bytes: int
    remarks: int
    created_at: datetime


@dataclass(frozen=True)
class DatasetsPage:
    """The list.

    Attributes:
        datasets: those of this page.
        q: only those with this text in what is said of them; None for all.
        tag: only those that have it; None for all.
        next_page: where older ones are; None if there are none.
    """

    template: ClassVar[str] = "datasets/list.html"
    title: ClassVar[str] = "Datasets"
    datasets: Sequence[ListedDataset]
    q: str | None
    tag: str | None
    next_page: str | None


@router.get("")
def list_datasets(
    request: Request,
    access: CanRead,
    database: DatabaseDep,
    q: SearchedText = None,
    tag: SearchedTag = None,
    after: AfterId = None,
) -> Response:
    """The list, or that part of it which is asked for."""
    wanted = Wanted(() if tag is None else (tag,), None, q)
    with database.reading() as session:
        page = datasets.list_page(session, access.project, after, DATASETS_A_PAGE, wanted)
        widths = datasets.column_counts(session, access.project, {each.id for each in page.rows})
    asked = {"q": q or "", "tag": tag or ""}
    older = f"/datasets?{urlencode({**asked, 'after': page.rows[-1].id})}" if page.has_more else None
    return page_response(request, DatasetsPage([_listed(each, widths[each.id]) for each in page.rows], q, tag, older))


def _listed(dataset: Dataset, columns: int) -> ListedDataset:
    return ListedDataset(
        id=dataset.id,
        name=dataset.name,
        tags=dataset.tags,
        rows=dataset.rows,
        columns=columns,
        format=dataset.format,
        bytes=dataset.bytes,
        remarks=len(dataset.remarks),
        created_at=dataset.created_at,
    )
