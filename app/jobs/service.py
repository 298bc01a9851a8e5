"""What happens when a job is asked for: checked, recorded, committed, and only then delivered to the workers."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from app.jobs.validation import plan
from infra import datasets, jobs, networks
from infra.columns import Column
from infra.database import Database
from infra.errors import Unavailable
from infra.ids import new_id
from infra.queue import JobQueue
from infra.settings import Settings
from infra.specs import JobSpec, NetworkSpec
from infra.tables import Job

_log = structlog.get_logger(__name__)


def submit(spec: JobSpec, database: Database, queue: JobQueue, settings: Settings) -> Job:
    """Check the job against its dataset, record it as queued and deliver it.

    The row is committed before its id goes to Redis: a worker that takes the id finds the row, and when Redis is
    away the row waits.

    Raises:
        NotFound: no such dataset or network.
        InvalidRequest: something about the job cannot work; nothing is recorded.
        TooLarge: it would exceed a limit of this server; nothing is recorded.
    """
    with database.writing() as session:
        dataset = datasets.get_for_a_job(session, spec.dataset_id)
        columns = tuple(Column.model_validate(column) for column in dataset.columns)
        resolved = plan(spec, _network(session, spec), columns, dataset.rows, settings)
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
    try:
        queue.enqueue(job.id)
    except Unavailable:
        _log.warning("Redis is away; the job waits in the database", job=job.id)
    return job


def _network(session: Session, spec: JobSpec) -> NetworkSpec:
    if spec.network is not None:
        return spec.network
    assert spec.network_id is not None  # noqa: S101  # JobSpec has exactly one of the two
    return NetworkSpec.model_validate(networks.get(session, spec.network_id).spec)
