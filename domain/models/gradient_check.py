"""Checking the gradient at a stored model's weights, on the first rows of the dataset it was trained on."""

from __future__ import annotations

from backprop.coding.coding import Coding
from backprop.coding.columns import batch_rows
from backprop.model import TrainedModel
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.specs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import read_batches
from domain.jobs import gradient_checks
from domain.jobs import rows as jobs
from domain.jobs.gradient_checks import Array
from domain.jobs.new_batches import in_terms_of
from domain.jobs.translation import training_of
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
        job = ResolvedJob.model_validate(jobs.get(session, project, model.job_id).spec)
        try:
            artifact = datasets.get(session, project, model.dataset_id).artifact
        except NotFound as error:
            raise _deleted(model.dataset_id) from error
    try:
        X, Y = _first_rows(job, trained.coding, artifacts, artifact)
    except FileNotFoundError as error:  # deleted in the meantime
        raise _deleted(model.dataset_id) from error
    try:
        return gradient_checks.check(trained.parameters, X, Y, training_of(job.training).objective(), seed)
    except FloatingPointError as error:
        raise InvalidRequest("gradient_not_finite", f"The gradient cannot be checked: {error}.") from error


def _first_rows(job: ResolvedJob, coding: Coding, artifacts: ArtifactStore, artifact: str) -> tuple[Array, Array]:
    columns = [column.name for column in job.inputs] + [column.name for column in job.targets]
    rows = max(1, min(MOST_ROWS, MOST_BYTES // (8 * (job.sizes[0] + job.sizes[-1]))))
    batches = read_batches(artifacts, artifact, columns, rows, complete=job.required)
    batch = in_terms_of(job, next(batch for batch in batches if batch_rows(batch)), job.reread)
    return coding.inputs.encode(batch), coding.targets.encode(batch)


def _deleted(dataset_id: str) -> Conflict:
    return Conflict(
        "dataset_deleted", f"The model's dataset {dataset_id} has been deleted, and without examples there is no J."
    )
