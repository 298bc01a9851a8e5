"""Datasets, jobs and models that are only rows, for what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from domain.access.projects import DEFAULT_PROJECT
from domain.datasets import rows as datasets
from domain.jobs import transitions
from domain.models import rows as models
from infra.ids import new_id
from infra.tables import Dataset, Job, Model


def add_dataset(
    session: Session,
    name: str = "table.csv",
    tags: Sequence[str] = (),
    note: str | None = None,
    project: str = DEFAULT_PROJECT,
) -> Dataset:
    """A dataset without content."""
    dataset = Dataset(
        id=new_id("ds"),
        project=project,
        name=name,
        tags=list(tags),
        note=note,
        format="csv",
        filename="table.csv",
        bytes=1,
        sha256="0",
        rows=1,
        columns=[],
        artifact="none",
        created_at=datetime.now(UTC),
    )
    datasets.add(session, dataset)
    return dataset


def add_job(
    session: Session,
    dataset_id: str,
    name: str | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    project: str = DEFAULT_PROJECT,
    from_model_id: str | None = None,
) -> Job:
    """A job that waits."""
    now = datetime.now(UTC)
    job = Job(
        id=new_id("job"),
        project=project,
        name=name,
        tags=list(tags),
        note=note,
        dataset_id=dataset_id,
        spec={"training": {"iterations": 10}, "from_model_id": from_model_id},
        status="queued",
        iterations=10,
        attempt=0,
        crashes=0,
        cancel_requested=False,
        created_at=now,
        updated_at=now,
    )
    transitions.add(session, job)
    return job


def add_model(session: Session, job: Job) -> Model:
    """A model of the job, without content."""
    model = Model(
        id=new_id("mdl"),
        project=job.project,
        job_id=job.id,
        dataset_id=job.dataset_id,
        task="regression",
        network={"sizes": [1, 1], "layers": []},
        preprocessing={},
        metrics={"training": {"rows": 1}, "held_out": None},
        iteration=0,
        cost=0.0,
        weights=b"",
        created_at=datetime.now(UTC),
    )
    models.add(session, model)
    return model
