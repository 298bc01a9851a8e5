"""`/` and `/jobs`: the project's jobs, the newest first, each with its curve as small as a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy.orm import Session

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.filters import AfterId, NoneIfEmpty, SearchedTag, SearchedText
from app.pages.pictures.sparkline import POINTS, sparkline
from app.pages.rendering import page_response
from app.v1.answers import eta_seconds
from app.v1.parameters import ID_PATTERN, IdPath
from backprop_client.wire.jobs import Status
from domain.access.projects import Project
from domain.captions import Wanted
from domain.datasets import rows as datasets
from domain.jobs import costs
from domain.jobs import rows as jobs
from infra.tables import Job

router = APIRouter()

JOBS_A_PAGE = 25

STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Listed:
    """A job as it is in the list.

    Attributes:
        id: its.
        name: what people call it; None if nothing.
        tags: its.
        status: where it is in its life.
        cancel_requested: whether it is about to be cancelled.
        iteration: how far it is; None before the first.
        iterations: how far it is to go.
        cost: J there.
        eta_seconds: how long that takes; None unless it is running.
        created_at: when it was asked for.
        dataset_id: what it trains on.
        dataset_name: what people call that; None if it is deleted.
        targets: what it is to predict.
        model_id: what it has trained, once it has.
        curve: J from its start, as a picture.
    """

    id: str
    name: str | None
    tags: Sequence[str]
    status: Status
    cancel_requested: bool
    iteration: int | None
    iterations: int
    cost: float | None
    eta_seconds: float | None
    created_at: datetime
    dataset_id: str
    dataset_name: str | None
    targets: Sequence[str]
    model_id: str | None
    curve: Markup


@dataclass(frozen=True)
class Filters:
    """Which jobs are wanted.

    Attributes:
        status: only those of this one.
        tag: only those that have it.
        dataset: only those that train on it, by its id.
        q: only those with this text in what is said of them.
    """

    status: Status | None
    tag: str | None
    dataset: str | None
    q: str | None

    @property
    def query(self) -> dict[str, str]:
        """As the parameters of an address."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class JobsPage:
    """The list.

    Attributes:
        jobs: those of this page.
        filters: by which they were chosen.
        statuses: that can be asked for.
        next_page: where older ones are; None if there are none.
        is_first: whether the newest job of all could be here: then new ones come by themselves.
    """

    template: ClassVar[str] = "jobs/list.html"
    title: ClassVar[str] = "Jobs"
    jobs: Sequence[Listed]
    filters: Filters
    statuses: Sequence[str]
    next_page: str | None
    is_first: bool


@dataclass(frozen=True)
class JobRow:
    """One row of the list, for a script that puts it in its place."""

    template: ClassVar[str] = "jobs/row.html"
    title: ClassVar[str] = "A job"
    job: Listed


@router.get("/")
@router.get("/jobs")
def list_jobs(
    request: Request,
    access: CanRead,
    database: DatabaseDep,
    status: Annotated[Status | None, NoneIfEmpty, Query()] = None,
    tag: SearchedTag = None,
    dataset: Annotated[Annotated[str, Field(pattern=ID_PATTERN)] | None, NoneIfEmpty, Query()] = None,
    q: SearchedText = None,
    after: AfterId = None,
) -> Response:
    """The list, or that part of it which is asked for."""
    filters = Filters(status, tag, dataset, q)
    wanted = Wanted(() if filters.tag is None else (filters.tag,), None, filters.q)
    with database.reading() as session:
        page = jobs.list_page(session, access.project, after, JOBS_A_PAGE, status, filters.dataset, wanted)
        names = datasets.names(session, access.project, {job.dataset_id for job in page.rows})
        listed = [_listed(session, job, names) for job in page.rows]
    older = f"/?{urlencode({**filters.query, 'after': listed[-1].id})}" if page.has_more else None
    return page_response(request, JobsPage(listed, filters, STATUSES, older, after is None))


@router.get("/jobs/{job_id}/row")
def job_row(request: Request, job_id: IdPath, access: CanRead, database: DatabaseDep) -> Response:
    """One row of the list as it is now."""
    with database.reading() as session:
        return page_response(request, JobRow(listed_job(session, access.project, job_id)))


def listed_job(session: Session, project: Project, job_id: str) -> Listed:
    """A job as it is in the list. Raises NotFound: there is none (code ``job_not_found``)."""
    job = jobs.get(session, project, job_id)
    return _listed(session, job, datasets.names(session, project, {job.dataset_id}))


def _listed(session: Session, job: Job, dataset_names: dict[str, str]) -> Listed:
    rows = costs.thin_rows(session, job.id, -1, POINTS, thinned_before=job.thinned_before or 0)
    return Listed(
        id=job.id,
        name=job.name,
        tags=job.tags,
        status=job.status,  # type: ignore[arg-type]  # the database holds no other
        cancel_requested=job.cancel_requested,
        iteration=job.iteration,
        iterations=job.iterations,
        cost=job.cost,
        eta_seconds=eta_seconds(job),
        created_at=job.created_at,
        dataset_id=job.dataset_id,
        dataset_name=dataset_names.get(job.dataset_id),
        targets=[target["name"] for target in job.spec["targets"]],
        model_id=job.model_id,
        curve=sparkline([row.iteration for row in rows], [row.cost for row in rows]),
    )
