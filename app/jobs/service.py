"""What happens when a job is asked for, or is to go on: checked, recorded, committed, and only then delivered."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from app.jobs.starting_model import inherit
from app.jobs.validation import plan
from infra import datasets, jobs, models, networks
from infra.columns import Column
from infra.database import Database
from infra.errors import Conflict, NotFound, Unavailable
from infra.ids import new_id
from infra.queue import JobQueue
from infra.settings import Settings
from infra.specs import JobSpec, NetworkSpec, ResolvedJob
from infra.tables import Job

_log = structlog.get_logger(__name__)


def submit(spec: JobSpec, database: Database, queue: JobQueue, settings: Settings) -> Job:
    """Check the job against its dataset, record it as queued and deliver it.

    The row is committed before its id goes to Redis: a worker that takes the id finds the row, and when Redis is
    away the row waits.

    Raises:
        NotFound: no such dataset, network or model.
        InvalidRequest: something about the job cannot work; nothing is recorded.
        TooLarge: it would exceed a limit of this server; nothing is recorded.
    """
    with database.writing() as session:
        dataset = datasets.get_for_a_job(session, spec.dataset_id)
        columns = tuple(Column.model_validate(column) for column in dataset.columns)
        network = _network(session, spec)
        if spec.from_model_id is not None:
            trained_by = jobs.get(session, models.get(session, spec.from_model_id).job_id)
            spec, network, columns = inherit(spec, network, columns, ResolvedJob.model_validate(trained_by.spec))
        assert network is not None  # noqa: S101  # JobSpec has one where it has no from_model_id
        resolved = plan(spec, network, columns, dataset.rows, settings)
        now = datetime.now(UTC)
        job = Job(
            id=new_id("job"),
            dataset_id=dataset.id,
            network_id=spec.network_id,
            spec=resolved.model_dump(mode="json"),
            status="queued",
            iterations=resolved.training.iterations,
            attempt=0,
            crashes=0,
            cancel_requested=False,
            created_at=now,
            updated_at=now,
        )
        jobs.add(session, job)
    _deliver(job, queue)
    return job


def resume(job_id: str, iterations: int | None, database: Database, queue: JobQueue) -> Job:
    """Queue a job that has ended, to go on from its checkpoint, and deliver it.

    Raises:
        NotFound: no such job.
        Conflict: it has not ended, cannot go on, or its dataset has been deleted (code ``dataset_deleted``).
        InvalidRequest: it has done more iterations than these already.
    """
    with database.writing() as session:
        dataset_id = jobs.get(session, job_id).dataset_id
        try:
            datasets.get_for_a_job(session, dataset_id)
        except NotFound as error:
            raise Conflict(
                "dataset_deleted", f"The job's dataset {dataset_id} has been deleted, and training needs it."
            ) from error
        job = jobs.resume(session, job_id, iterations)
    _deliver(job, queue)
    return job


def _deliver(job: Job, queue: JobQueue) -> None:
    try:
        queue.enqueue(job.id)
    except Unavailable:
        _log.warning("Redis is away; the job waits in the database", job=job.id)


def _network(session: Session, spec: JobSpec) -> NetworkSpec | None:
    if spec.network_id is None:
        return spec.network
    return NetworkSpec.model_validate(networks.get(session, spec.network_id).spec)
