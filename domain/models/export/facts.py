"""What every exported file tells of its model: which one it is, and what it was trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy.orm import Session

from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from infra.errors import NotFound
from infra.tables import Dataset, Job, Model


@dataclass(frozen=True)
class Origin:
    """A stored model and what it came from.

    Attributes:
        model: its row.
        row: that of the job that trained it.
        job: what the job was.
        dataset: the row of the dataset that it was trained on; None if that has been deleted.
    """

    model: Model
    row: Job
    job: ResolvedJob
    dataset: Dataset | None

    @property
    def classes(self) -> tuple[bool | int | str, ...]:
        """Those that the model tells apart; none if it is no classifier."""
        return next((target.classes for target in self.job.targets if target.classes is not None), ())


def origin_of(session: Session, project: Project, model: Model) -> Origin:
    """Where the project's model comes from."""
    row = session.get_one(Job, model.job_id)
    try:
        dataset = datasets.get(session, project, model.dataset_id)
    except NotFound:
        dataset = None
    return Origin(model, row, ResolvedJob.model_validate(row.spec), dataset)


def facts_of(origin: Origin) -> dict[str, str]:
    """Texts by name, as the formats have room for them. A list is written as JSON.

    `dataset_name` and `dataset_sha256` are absent if the dataset has been deleted, `classes` if there are none.
    """
    model, job = origin.model, origin.job
    facts = {
        "model_id": model.id,
        "job_id": model.job_id,
        "dataset_id": model.dataset_id,
        "task": model.task,
        "inputs": json.dumps([column.name for column in job.inputs]),
        "targets": json.dumps([column.name for column in job.targets]),
        "seed": str(job.training.seed),
        "iteration": str(model.iteration),
        "created_at": model.created_at.isoformat(),
        "backprop_version": version("backprop"),
    }
    if origin.dataset is not None:
        facts |= {"dataset_name": origin.dataset.name, "dataset_sha256": origin.dataset.sha256}
    if origin.classes:
        facts["classes"] = json.dumps(list(origin.classes))
    return facts
