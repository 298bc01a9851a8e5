"""What happens when a job is asked for: it is checked and recorded; and, once that is committed, delivered."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from app.jobs.validation import plan
from infra import datasets, jobs, networks
from infra.columns import Column
from infra.errors import Unavailable
from infra.ids import new_id
from infra.projects import Project
from infra.queue import JobQueue
from infra.settings import Settings
from infra.specs import JobSpec, NetworkSpec
from infra.tables import Job

_log = structlog.get_logger(__name__)


def record(session: Session, project: Project, spec: JobSpec, settings: Settings) -> Job:
    """Check the job against its dataset and record it as queued.

    Raises:
        NotFound: the project has no such dataset or network.
        InvalidRequest: something about the job cannot work.
        TooLarge: it would exceed a limit of this server.
        TooMany: too many of the project's jobs are queued.
    """
    dataset = datasets.get_for_a_job(session, project, spec.dataset_id)
    columns = tuple(Column.model_validate(column) for column in dataset.columns)
    resolved = plan(spec, _network(session, project, spec), columns, dataset.rows, settings)
    jobs.refuse_too_many(session, project, settings.max_queued_jobs)
    now = datetime.now(UTC)
    job = Job(
        id=new_id("job"),
        project=project,
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
    return job


def deliver(job_id: str, queue: JobQueue) -> None:
    """Hand the job to the workers. Its row must be committed: a worker that takes the id finds it.

    When Redis is away, the row waits.
    """
    try:
        queue.enqueue(job_id)
    except Unavailable:
        _log.warning("Redis is away; the job waits in the database", job=job_id)


def _network(session: Session, project: Project, spec: JobSpec) -> NetworkSpec:
    if spec.network is not None:
        return spec.network
    assert spec.network_id is not None  # noqa: S101  # JobSpec has exactly one of the two
    return NetworkSpec.model_validate(networks.get(session, project, spec.network_id).spec)
