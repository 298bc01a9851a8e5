"""`/jobs/{id}`: one job, its curve, how it was chosen, what has become of it, and what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.jobs.curves import Curve, ViewDep, curve_of
from app.pages.jobs.plan import plan_of
from app.pages.rendering import page_response
from app.v1.answers import event_out, job_out
from app.v1.parameters import IdPath
from backprop_client.wire.jobs import EventOut, JobOut
from backprop_client.wire.resolved_jobs import Selection
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.jobs import checkpoints, costs, events
from domain.jobs import rows as jobs
from infra.tables import Job

router = APIRouter(prefix="/jobs")

MOST_EVENTS = 200
"""Steps of a job's life. A page of one that has had more shows the first of them."""


@dataclass(frozen=True)
class TriedNetwork:
    """A candidate of the selection.

    Attributes:
        network: its layers in words.
        weight_decay: λ.
        deviances: of each fold it has been through; None where it was no finite number.
        mean: of them; None where one was no number, or none is there.
        is_chosen: whether it was taken.
    """

    network: str
    weight_decay: float
    deviances: Sequence[float | None]
    mean: float | None
    is_chosen: bool


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        job: all that is known of it.
        held_out_cost: the newest that was measured; None if none was.
    """

    job: JobOut
    held_out_cost: float | None


@dataclass(frozen=True)
class JobPage:
    """All about one job.

    Attributes:
        job: it.
        progress: how far it is.
        curve: its cost curve.
        dataset_name: what people call its dataset; None if that is deleted.
        tried: the candidates of its selection.
        events: the steps of its life.
        checkpoint: the iteration at which it could go on; None if it would begin anew.
        plan: what was asked for, as JSON.
    """

    template: ClassVar[str] = "jobs/one.html"
    job: JobOut
    progress: Progress
    curve: Curve
    dataset_name: str | None
    tried: Sequence[TriedNetwork]
    events: Sequence[EventOut]
    checkpoint: int | None
    plan: str

    @property
    def title(self) -> str:
        """Its name, or its id."""
        return self.job.name or self.job.id

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.job.status in ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class ProgressPart:
    """The figures of a job alone, for a script that puts them in their place."""

    template: ClassVar[str] = "jobs/progress.html"
    title: ClassVar[str] = "Progress"
    progress: Progress


@router.get("/{job_id}")
def show_job(request: Request, job_id: IdPath, access: CanRead, database: DatabaseDep, view: ViewDep) -> Response:
    """The job as it is now."""
    with database.reading() as session:
        job = jobs.get(session, access.project, job_id)
        told = job_out(job)
        page = JobPage(
            job=told,
            progress=_progress(session, job, told),
            curve=curve_of(session, access.project, job, view),
            dataset_name=_dataset_name(session, access.project, job),
            tried=tried_networks(told.selection),
            events=[event_out(event) for event in events.list_events(session, job_id, 0, MOST_EVENTS).rows],
            checkpoint=checkpoints.iteration_of(session, job_id),
            plan=plan_of(told),
        )
    return page_response(request, page)


@router.get("/{job_id}/progress")
def show_progress(request: Request, job_id: IdPath, access: CanRead, database: DatabaseDep) -> Response:
    """The job's figures as they are now."""
    with database.reading() as session:
        job = jobs.get(session, access.project, job_id)
        return page_response(request, ProgressPart(_progress(session, job, job_out(job))))


def tried_networks(selection: Selection | None) -> list[TriedNetwork]:
    """The candidates of a selection, in words."""
    if selection is None:
        return []
    return [
        TriedNetwork(
            network=_in_words([layer.units for layer in candidate.layers[:-1]]),
            weight_decay=candidate.weight_decay,
            deviances=candidate.deviances,
            mean=_mean(candidate.deviances),
            is_chosen=place == selection.chosen,
        )
        for place, candidate in enumerate(selection.candidates)
    ]


def _in_words(hidden: Sequence[int | None]) -> str:
    return " and ".join(f"{units} units" for units in hidden) or "no hidden layer"


def _mean(deviances: Sequence[float | None]) -> float | None:
    known = [deviance for deviance in deviances if deviance is not None]
    return sum(known) / len(known) if known and len(known) == len(deviances) else None


def _progress(session: Session, job: Job, told: JobOut) -> Progress:
    measured = None
    if job.iteration is not None:
        every = jobs.held_out_every(job)
        rows = costs.rows_at(session, job.id, [job.iteration // every * every, job.iteration])
        measured = next((row.held_out_cost for row in reversed(rows) if row.held_out_cost is not None), None)
    return Progress(told, measured)


def _dataset_name(session: Session, project: Project, job: Job) -> str | None:
    return datasets.names(session, project, {job.dataset_id}).get(job.dataset_id)
