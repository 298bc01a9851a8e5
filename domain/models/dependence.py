"""How a stored model's answers depend on one column, over a sample of the dataset that it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import batch_rows
from backprop.coding.targets import ClassCoding, Reconstruction
from backprop.dependence import grid, mean_answers
from backprop.model import TrainedModel
from backprop_client.wire.models import ClassScore, DependenceOut, DependencePoint
from backprop_client.wire.resolved_jobs import InputColumn
from domain.access.projects import Project
from domain.datasets.moments import form_of, iso
from domain.datasets.names import composed
from domain.models import rows as models
from domain.models.sample import NoRows, Source, sample, source_of
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, FieldError, InvalidRequest

Array = NDArray[Any]

MOST_ROWS = 1_000
"""Rows. The means are over no more."""

MOST_VALUES = 2**23
"""Values. The rows have no more in any layer."""

MOST_WORK = 2 * 10**10
"""Multiplications of all predictions. They take some seconds on one core."""


def dependence(
    project: Project,
    model_id: str,
    trained: TrainedModel,
    database: Database,
    artifacts: ArtifactStore,
    name: str,
    points: int,
) -> DependenceOut:
    """The mean answer for each of some values of one input column, the others being those of a sample of rows.

    Args:
        project: whose model.
        model_id: the model's id.
        trained: the model.
        database: where its job is.
        artifacts: where its dataset is.
        name: of the column.
        points: values of a number or moment at most.

    Raises:
        NotFound: the project has no such model.
        Conflict: its dataset has been deleted (code ``dataset_deleted``).
        InvalidRequest: the column is no input (code ``not_an_input``); the model reproduces its inputs
            (``dependence_of_reconstruction``); the network overflows (``prediction_not_finite``).
    """
    coded = next((each for each in trained.coding.inputs.coded_columns if each.name == composed(name)), None)
    if coded is None:
        problem = f"{name!r} is no input of this model."
        raise InvalidRequest("not_an_input", problem, (FieldError("column", problem),))
    if isinstance(trained.coding.targets, Reconstruction):
        raise InvalidRequest(
            "dependence_of_reconstruction", "This model reproduces its inputs: it has no target that depends on them."
        )
    with database.reading() as session:
        model = models.get(session, project, model_id)
        try:
            source = source_of(session, project, model)
        except NoRows as error:
            raise _deleted(model.dataset_id) from error
    try:
        batch = sample(source, _sample_size(trained, points), artifacts)
    except NoRows as error:
        raise _deleted(source.job.dataset_id) from error
    values = grid(coded, batch[coded.name], points)
    means = mean_answers(trained, batch, coded.name, values)
    if not np.isfinite(means).all():
        raise InvalidRequest(
            "prediction_not_finite", "The network overflows on rows of its dataset: its answers are no finite numbers."
        )
    shown = _shown(source, coded.name, values)
    data = [_point(trained, value, row) for value, row in zip(shown, means.tolist(), strict=True)]
    return DependenceOut(column=coded.name, rows=batch_rows(batch), data=data)


def _sample_size(trained: TrainedModel, points: int) -> int:
    network = trained.parameters.network
    most = min(MOST_VALUES // max(network.sizes), MOST_WORK // (points * network.parameter_count))
    return max(1, min(MOST_ROWS, most))


def _shown(source: Source, name: str, values: Array) -> list[bool | int | float | str | None]:
    """The values as they are in the dataset: moments in ISO 8601, integers without decimals, None where missing."""
    column = next(each for each in source.job.inputs if each.name == name)
    return [None if value is None or value != value else _value(source, column, value) for value in values.tolist()]


def _value(source: Source, column: InputColumn, value: bool | float | str) -> bool | int | float | str:
    if isinstance(value, bool | str):
        return value
    if column.type == "datetime":
        of_dataset = next(each for each in source.columns if each.name == column.name)
        return iso(round(value * 1e6), form_of(of_dataset))
    return int(value) if column.type == "integer" else value


def _point(trained: TrainedModel, value: bool | float | str | None, answer: list[float]) -> DependencePoint:
    targets = trained.coding.targets
    if isinstance(targets, ClassCoding):
        votes = zip(targets.classes, answer, strict=True)
        scores = [ClassScore(label=label, score=score) for label, score in votes]
        return DependencePoint(value=value, scores=scores, prediction=None)
    return DependencePoint(value=value, scores=None, prediction=dict(zip(targets.columns, answer, strict=True)))


def _deleted(dataset_id: str) -> Conflict:
    return Conflict(
        "dataset_deleted",
        f"The model's dataset {dataset_id} has been deleted, and a dependence is a mean over rows of it.",
    )
