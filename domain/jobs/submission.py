"""What happens when a job is asked for, or is to go on: it is checked and recorded; and, once committed, delivered."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import ReadAs
from backprop_client.wire.resolved_jobs import CellRules, ResolvedJob
from backprop_client.wire.specs import HeldOutDataset, JobSpec, NetworkSpec
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.jobs import control, transitions
from domain.jobs import rows as jobs
from domain.jobs.holdouts import Table
from domain.jobs.limits import check_iterations
from domain.jobs.planning import plan
from domain.jobs.starting_model import inherit
from domain.life import refuse_too_many
from domain.models import rows as models
from domain.networks import rows as networks
from infra.database import clock
from infra.errors import Conflict, NotFound, Unavailable
from infra.ids import new_id
from infra.queue import JobQueue
from infra.settings import Settings
from infra.tables import Dataset, Job

_log = structlog.get_logger(__name__)


def resolve(session: Session, project: Project, spec: JobSpec, settings: Settings) -> ResolvedJob:
    """Check the job against its dataset and fill in what it leaves open.

    Raises:
        NotFound: the project has no such dataset, network or model.
        InvalidRequest: something about the job cannot work.
        TooLarge: it would exceed a limit of this server.
    """
    dataset = datasets.get_for_a_job(session, project, spec.dataset_id)
    columns = tuple(Column.model_validate(column) for column in dataset.columns)
    network = _network(session, project, spec)
    cells = _cell_rules(dataset)
    reread: tuple[str, ...] = ()
    of_model = None
    if spec.from_model_id is not None:
        model = models.get_to_keep(session, project, spec.from_model_id)
        trained_by = ResolvedJob.model_validate(models.job_of(session, model).spec)
        spec, network, columns, reread = inherit(spec, network, columns, trained_by)
        cells, of_model = trained_by.cells, trained_by.inputs
    held_out = _table_held_out(session, project, spec)
    planned = plan(spec, network, columns, dataset.rows, settings, of_model, held_out)
    return planned.model_copy(update={"cells": cells, "reread": reread})


def record(session: Session, project: Project, spec: JobSpec, settings: Settings) -> Job:
    """Check the job against its dataset and record it as queued.

    Raises:
        NotFound, InvalidRequest, TooLarge: as `resolve` does.
        TooMany: too many of the project's jobs are queued.
    """
    resolved = resolve(session, project, spec, settings)
    refuse_too_many(session, project, settings.max_queued_jobs)
    now = clock(session)
    job = Job(
        id=new_id("job"),
        project=project,
        name=spec.name,
        tags=list(spec.tags),
        note=spec.note,
        dataset_id=spec.dataset_id,
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
    transitions.add(session, job)
    return job


def resume(session: Session, project: Project, job_id: str, iterations: int | None, settings: Settings) -> Job:
    """Queue a job that has ended, to go on from its checkpoint.

    Raises:
        NotFound: the project has no such job.
        Conflict: it has not ended, cannot go on, or what it needs has been deleted: its dataset (code
            ``dataset_deleted``), or the model that it started from (``model_deleted``).
        InvalidRequest: it has done more iterations than these already.
        TooLarge: these are more iterations than a job may have.
        TooMany: too many of the project's jobs are queued.
    """
    job = jobs.get(session, project, job_id)
    if iterations is not None:
        check_iterations(iterations, "/iterations", settings)
    for dataset_id in jobs.datasets_of(job):
        try:
            datasets.get_for_a_job(session, project, dataset_id)
        except NotFound as error:
            raise Conflict(
                "dataset_deleted", f"The job's dataset {dataset_id} has been deleted, and training needs it."
            ) from error
    _hold_starting_model(session, project, job)
    refuse_too_many(session, project, settings.max_queued_jobs)
    return control.resume(session, project, job_id, iterations)


def deliver(job_id: str, queue: JobQueue) -> None:
    """Hand the job to the workers. Its row must be committed: a worker that takes the id finds it.

    When Redis is away, the row waits.
    """
    try:
        queue.enqueue(job_id)
    except Unavailable:
        _log.warning("Redis is away; the job waits in the database", job=job_id)


def _hold_starting_model(session: Session, project: Project, job: Job) -> None:
    model_id = job.spec.get("from_model_id")
    try:
        if model_id is not None:
            models.get_to_keep(session, project, model_id)
    except NotFound as error:
        raise Conflict(
            "model_deleted", f"The model {model_id}, which the job started from, has been deleted."
        ) from error


def _network(session: Session, project: Project, spec: JobSpec) -> NetworkSpec | None:
    if spec.network_id is None:
        return spec.network
    return NetworkSpec.model_validate(networks.get(session, project, spec.network_id).spec)


def _table_held_out(session: Session, project: Project, spec: JobSpec) -> Table | None:
    """The dataset whose rows are held out, if the job names one."""
    if not isinstance(spec.holdout_by, HeldOutDataset):
        return None
    dataset = datasets.get_for_a_job(session, project, spec.holdout_by.dataset_id)
    return Table(tuple(Column.model_validate(column) for column in dataset.columns), dataset.rows)


def _cell_rules(dataset: Dataset) -> CellRules | None:
    """How the cells of the dataset's file were read; None if it had no cells of text."""
    if dataset.read_as is None:
        return None
    read_as = ReadAs.model_validate(dataset.read_as)
    if read_as.format != "csv":
        return None
    return CellRules(decimal=read_as.decimal or ".", missing_values=read_as.missing_values)
