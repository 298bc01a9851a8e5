"""`/v1/jobs`."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from app.access.dependencies import CanAdminister, CanRead, CanTrain
from app.access.idempotency import OnceDep, answered
from app.dependencies import DatabaseDep, QueueDep, SettingsDep
from app.edge.heavy_work import HeavyReadsDep
from app.errors import responses
from app.v1.answers import event_out, job_out, job_plan
from app.v1.filters import WantedDep
from app.v1.parameters import After, AfterEvent, EventLimit, IdPath, Limit
from backprop_client.wire.captions import CaptionPatch
from backprop_client.wire.jobs import CostPage, EventPage, JobOut, JobPage, JobPlan, ResumeRequest, Status
from backprop_client.wire.specs import JobSpec
from domain import captions
from domain.access.idempotency import Answer
from domain.access.projects import Project
from domain.jobs import control, costs, events, removal
from domain.jobs import rows as jobs
from domain.jobs.estimates import estimated_seconds
from domain.jobs.submission import deliver, record, resolve, resume
from infra.database import Database
from infra.errors import Conflict, NotFound, TooLarge
from infra.tables import Job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

POLL_SECONDS = 1
"""Seconds. `Retry-After` tells this to a client that has just submitted a job."""

AfterIteration = Annotated[int, Query(ge=-1, le=2**62, description="Rows past this iteration; −1 for all.")]
BeforeIteration = Annotated[int | None, Query(ge=0, le=2**62, description="Rows below this iteration only.")]
CostLimit = Annotated[int, Query(ge=1, le=10_000, description="How many rows at most.")]
DryRun = Annotated[
    bool, Query(description="Only tell what the job would be and take, or what is wrong with it. Nothing is stored.")
]
WithModels = Annotated[bool, Query(description="Delete the models that it has trained too.")]
Points = Annotated[
    int | None,
    Query(
        ge=4,
        le=10_000,
        description="Thin the curve between `after` and `before` to at most this many rows; its extremes are kept.",
    ),
]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=JobOut,
    responses={
        **responses(NotFound, TooLarge, Conflict),
        200: {"model": JobPlan, "description": "The plan, where only that was asked for (`dry_run`)."},
    },
    operation_id="jobs_create",
)
def create_job(
    body: JobSpec,
    access: CanTrain,
    database: DatabaseDep,
    queue: QueueDep,
    settings: SettingsDep,
    once: OnceDep,
    dry_run: DryRun = False,
) -> Response:
    """Queue a training job. Whatever is wrong with it is said now; nothing invalid is ever queued."""
    if dry_run:
        with database.reading() as session:
            resolved = resolve(session, access.project, body, settings)
            plan = job_plan(resolved, estimated_seconds(session, resolved))
        return Response(plan.model_dump_json(), media_type="application/json")
    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            job = record(session, access.project, body, settings)
            answer = turn.keep(session, _accepted(job))
        deliver(job.id, queue)
    return answered(answer)


@router.get("", responses=responses(), operation_id="jobs_list")
def list_jobs(
    access: CanRead,
    database: DatabaseDep,
    wanted: WantedDep,
    after: After = None,
    limit: Limit = 20,
    status: Annotated[Status | None, Query(description="Only jobs of this status.")] = None,
) -> JobPage:
    """Jobs, newest first."""
    with database.reading() as session:
        page = jobs.list_page(session, access.project, after, limit, status, wanted=wanted)
    return JobPage(data=[job_out(job) for job in page.rows], has_more=page.has_more)


@router.get(
    "/{job_id}",
    responses={**responses(NotFound), 304: {"description": "Nothing has changed since the ETag given."}},
    response_model=JobOut,
    operation_id="jobs_get",
)
def get_job(
    job_id: IdPath, access: CanRead, database: DatabaseDep, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """One job. Poll it with `If-None-Match` and the last ETag: an unchanged job answers 304, with no body."""
    with database.reading() as session:
        job = jobs.get(session, access.project, job_id)
    body = job_out(job).model_dump_json().encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if if_none_match is not None and (etag in if_none_match or if_none_match.strip() == "*"):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
    return Response(body, media_type="application/json", headers={"ETag": etag})


@router.patch("/{job_id}", responses=responses(NotFound), operation_id="jobs_update")
def change_job(job_id: IdPath, body: CaptionPatch, access: CanTrain, database: DatabaseDep) -> JobOut:
    """Change a job's name, tags or note: what the body names, and nothing else; null clears.

    A model that it has trained already keeps its own.
    """
    with database.writing() as session:
        job = jobs.locked(session, access.project, job_id)
        captions.change(session, job, body)
        return job_out(job)


@router.delete(
    "/{job_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, Conflict),
    operation_id="jobs_delete",
)
def remove_job(job_id: IdPath, access: CanAdminister, database: DatabaseDep, with_models: WithModels = False) -> None:
    """Delete a job with its costs, its events and its checkpoint; refused before it has ended.

    Its models stay unless `with_models` says otherwise, and are refused then as they are at their own address.
    """
    with database.writing() as session:
        removal.delete_job(session, access.project, job_id, with_models=with_models)


@router.post("/{job_id}/cancel", responses=responses(NotFound, Conflict), operation_id="jobs_cancel")
def cancel_job(job_id: IdPath, access: CanTrain, database: DatabaseDep) -> JobOut:
    """Cancel a queued job at once, a running one at its next flush. What it has learnt stays as a checkpoint."""
    with database.writing() as session:
        return job_out(control.request_cancel(session, access.project, job_id))


@router.post(
    "/{job_id}/resume",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=JobOut,
    responses=responses(NotFound, TooLarge, Conflict),
    operation_id="jobs_resume",
)
def resume_job(
    job_id: IdPath,
    access: CanTrain,
    database: DatabaseDep,
    queue: QueueDep,
    settings: SettingsDep,
    once: OnceDep,
    body: ResumeRequest | None = None,
) -> Response:
    """Have a job that has failed, was cancelled or has succeeded go on from where it was, with the same bits.

    It is the same job: more costs follow those it has, and in the end it has one more model.
    """
    iterations = None if body is None else body.iterations
    with once.turn(str(iterations)) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            job = resume(session, access.project, job_id, iterations, settings)
            answer = turn.keep(session, _accepted(job))
        deliver(job.id, queue)
    return answered(answer)


@router.get("/{job_id}/history", responses=responses(NotFound), operation_id="jobs_history")
def get_history(
    job_id: IdPath, access: CanRead, database: DatabaseDep, after: AfterEvent = 0, limit: EventLimit = 100
) -> EventPage:
    """Every step of the job's life, the oldest first: when, from which status to which, in which attempt, and why.

    Of what a job did before there were events, it tells only that the job came.
    """
    with database.reading() as session:
        jobs.get(session, access.project, job_id)
        page = events.list_events(session, job_id, after, limit)
    return EventPage(data=[event_out(event) for event in page.rows], has_more=page.has_more)


@router.get("/{job_id}/costs", response_model=CostPage, responses=responses(NotFound), operation_id="jobs_costs")
async def get_costs(
    job_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    after: AfterIteration = -1,
    before: BeforeIteration = None,
    limit: CostLimit = 1000,
    points: Points = None,
) -> Response:
    """J(W,b) of every iteration recorded so far, in order. To follow a job, ask again after the last one seen."""
    return await heavy.run(_costs, heavy.database, access.project, job_id, after, before, limit, points)


def _costs(
    database: Database, project: Project, job_id: str, after: int, before: int | None, limit: int, points: int | None
) -> Response:
    with database.reading() as session:
        job = jobs.get(session, project, job_id)
        if points is not None:
            every = jobs.held_out_every(job)
            thinned = job.thinned_before or 0
            rows, has_more = costs.thin_rows(session, job_id, after, points, before, every, thinned), False
        else:
            rows, has_more = costs.list_rows(session, job_id, after, limit, before)
    # Not row by row through Pydantic: that would keep the interpreter from everybody else for a tenth of a second.
    page = {"data": [row._asdict() for row in rows], "has_more": has_more}
    return Response(json.dumps(page, separators=(",", ":")), media_type="application/json")


def _accepted(job: Job) -> Answer:
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": str(POLL_SECONDS)}
    return Answer(status.HTTP_202_ACCEPTED, job_out(job).model_dump_json().encode(), headers)
