"""The jobs' repository: what is read of them. What changes their status is in `domain.jobs.transitions`."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from backprop_client.wire.jobs import Status
from domain.access.projects import Project
from domain.captions import EVERYTHING, Wanted
from infra.errors import NotFound
from infra.paging import Page, page
from infra.tables import Job


def get(session: Session, project: Project, job_id: str) -> Job:
    """The project's job of that id.

    Raises:
        NotFound: there is none (code ``job_not_found``).
    """
    return _found(project, job_id, session.get(Job, job_id))


def held_out_every(job: Job) -> int:
    """At the multiples of which iteration the job measures its held-out rows, if it has any."""
    every: int | None = job.spec["training"].get("held_out_every")  # absent in jobs that are older than the field
    return every or 1


def list_page(
    session: Session,
    project: Project,
    after: str | None,
    limit: int,
    status: Status | None = None,
    dataset_id: str | None = None,
    wanted: Wanted = EVERYTHING,
) -> Page[Job]:
    """Those of the project's jobs that are wanted, newest first; only those of one status or dataset where given."""
    conditions: list[ColumnElement[bool]] = [Job.removed_at.is_(None), *wanted.conditions(Job, project)]
    if status is not None:
        conditions.append(Job.status == status)
    if dataset_id is not None:
        conditions.append(Job.dataset_id == dataset_id)
    return page(session, Job, project, *conditions, after=after, limit=limit)


def datasets_of(job: Job) -> list[str]:
    """The datasets that the job reads: its own, and the one whose rows it holds out, if that is another one."""
    other = job.spec.get("held_out_table")
    return [job.dataset_id] if other is None else [job.dataset_id, other["dataset_id"]]


def locked(session: Session, project: Project, job_id: str) -> Job:
    """The project's job of that id; nobody else changes it until the transaction ends."""
    return _found(project, job_id, session.get(Job, job_id, with_for_update=True, populate_existing=True))


def _found(project: Project, job_id: str, job: Job | None) -> Job:
    if job is None or job.project != project or job.removed_at is not None:
        raise NotFound("job_not_found", f"There is no job {job_id}.")
    return job
