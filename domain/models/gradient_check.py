"""Checking the gradient at a stored model's weights, on the first rows of the dataset it was trained on."""

from __future__ import annotations

import numpy as np

from backprop.coding.coding import Coding
from backprop.coding.columns import Batch, batch_rows
from backprop.coding.labels import LabelTable
from backprop.model import TrainedModel
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.jobs import RowCounts
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import read_batches
from domain.jobs import gradient_checks
from domain.jobs.gradient_checks import Array
from domain.jobs.new_batches import in_terms_of
from domain.jobs.translation import training_of
from domain.jobs.weighting import rows_weights, used_columns
from domain.models import rows as models
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, InvalidRequest, NotFound

MOST_ROWS = 10_000
MOST_BYTES = 64 * 2**20
"""Bytes. So much of the dataset is read, for the sample to be drawn from. Each coded value counts as 8."""


def check_model(
    project: Project, model_id: str, trained: TrainedModel, database: Database, artifacts: ArtifactStore, seed: int
) -> GradientCheckResult:
    """Check ∇J at the model's weights, J being that of its job.

    The examples are drawn from the first rows of the dataset, held out or not: any serve to check the arithmetic.

    Raises:
        NotFound: the project has no such model.
        Conflict: its dataset has been deleted (code ``dataset_deleted``).
        InvalidRequest: J is not a finite number there (code ``gradient_not_finite``).
    """
    with database.reading() as session:
        model = models.get(session, project, model_id)
        row = models.job_of(session, model)
        job = ResolvedJob.model_validate(row.spec)
        counts = None if row.row_counts is None else RowCounts.model_validate(row.row_counts)
        try:
            artifact = datasets.get(session, project, model.dataset_id).artifact
        except NotFound as error:
            raise _deleted(model.dataset_id) from error
    try:
        X, Y, weights = _first_rows(job, trained.coding, artifacts, artifact, counts)
    except FileNotFoundError as error:  # deleted in the meantime
        raise _deleted(model.dataset_id) from error
    try:
        return gradient_checks.check(trained.parameters, X, Y, training_of(job.training).objective(), seed, weights)
    except FloatingPointError as error:
        raise InvalidRequest("gradient_not_finite", f"The gradient cannot be checked: {error}.") from error


def _first_rows(
    job: ResolvedJob, coding: Coding, artifacts: ArtifactStore, artifact: str, counts: RowCounts | None
) -> tuple[Array, Array, Array | None]:
    """The examples and their weights, if they have some."""
    columns = used_columns(job)
    rows = max(1, min(MOST_ROWS, MOST_BYTES // (8 * (job.sizes[0] + job.sizes[-1]))))
    batches = read_batches(artifacts, artifact, columns, rows, complete=job.required)
    batch = in_terms_of(job, next(batch for batch in batches if batch_rows(batch)), job.reread)
    return coding.inputs.encode(batch), coding.targets.encode(batch), _weights(job, batch, counts)


def _weights(job: ResolvedJob, batch: Batch, counts: RowCounts | None) -> Array | None:
    """What the rows weigh in J. If they weigh nothing at all, they count alike: any serve to check the arithmetic."""
    weights = rows_weights(job, batch)
    of_classes = counts.class_weight if job.class_weight == "balanced" and counts is not None else job.class_weight
    if of_classes is not None and of_classes != "balanced":
        table = LabelTable(job.targets[0].classes or ())
        by_class = np.array([each.weight for each in of_classes])[table.codes(batch[job.targets[0].name])]
        weights = by_class if weights is None else by_class * weights
    return weights if weights is not None and weights.any() else None


def _deleted(dataset_id: str) -> Conflict:
    return Conflict(
        "dataset_deleted", f"The model's dataset {dataset_id} has been deleted, and without examples there is no J."
    )
