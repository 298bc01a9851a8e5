"""How a stored model's answers depend on one column, over a sample of the dataset that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import batch_rows
from backprop.coding.targets import ClassCoding, Reconstruction
from backprop.dependence import grid, mean_answers
from backprop.model import TrainedModel
from backprop_client.wire.columns import Column
from backprop_client.wire.jobs import RowCounts
from backprop_client.wire.models import ClassScore, DependenceOut, DependencePoint
from backprop_client.wire.resolved_jobs import InputColumn, ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import read_batches
from domain.datasets.moments import form_of, iso
from domain.datasets.names import composed
from domain.jobs.new_batches import in_terms_of
from domain.models import rows as models
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, FieldError, InvalidRequest, NotFound

Array = NDArray[Any]

MOST_ROWS = 1_000
"""Rows. The means are over no more."""

MOST_READ = 20_000_000
"""Values. So much of the dataset is read at most, for the rows to be drawn from."""

MOST_VALUES = 2**23
"""Values. The rows have no more in any layer."""

MOST_WORK = 2 * 10**10
"""Multiplications of all predictions. They take some seconds on one core."""


class _Source(NamedTuple):
    """What a model was trained on.

    Attributes:
        job: that trained it.
        rows: of the dataset, that have every value the job needs.
        artifact: the key of the dataset's file.
        columns: of the dataset.
    """

    job: ResolvedJob
    rows: int
    artifact: str
    columns: tuple[Column, ...]


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
    source = _source(project, model_id, database)
    try:
        batch = _sample(source, _sample_size(trained, points), artifacts)
    except FileNotFoundError as error:  # deleted in the meantime
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


def _source(project: Project, model_id: str, database: Database) -> _Source:
    with database.reading() as session:
        model = models.get(session, project, model_id)
        row = models.job_of(session, model)
        job = ResolvedJob.model_validate(row.spec)
        counts = None if row.row_counts is None else RowCounts.model_validate(row.row_counts)
        try:
            dataset = datasets.get(session, project, model.dataset_id)
        except NotFound as error:
            raise _deleted(model.dataset_id) from error
        columns = tuple(Column.model_validate(column) for column in dataset.columns)
        return _Source(job, _rows_used(job, counts), dataset.artifact, columns)


def _rows_used(job: ResolvedJob, counts: RowCounts | None) -> int:
    """Rows of the dataset that have every value the job needs. Before rows were counted, all had."""
    if counts is None:
        return job.rows
    return counts.training + (counts.held_out if counts.held_out_dataset is None else 0)


def _sample_size(trained: TrainedModel, points: int) -> int:
    network = trained.parameters.network
    most = min(MOST_VALUES // max(network.sizes), MOST_WORK // (points * network.parameter_count))
    return max(1, min(MOST_ROWS, most))


def _sample(source: _Source, size: int, artifacts: ArtifactStore) -> dict[str, Array]:
    """The input columns of some of the dataset's rows, held out or not, in the order of the file.

    They are ``numpy.sort(numpy.random.default_rng([seed]).choice(n, size, replace=False, shuffle=False))`` of the first
    n rows that have every value the job needs.
    """
    job = source.job
    names = list(dict.fromkeys([*(column.name for column in job.inputs), *job.required]))
    first = min(source.rows, max(size, MOST_READ // len(names)))
    chosen = np.arange(first)
    if size < first:
        chosen = np.sort(np.random.default_rng([job.training.seed]).choice(first, size, replace=False, shuffle=False))
    parts = list(_chosen(read_batches(artifacts, source.artifact, names, complete=job.required), chosen))
    batch = {column.name: np.concatenate([part[column.name] for part in parts]) for column in job.inputs}
    return in_terms_of(job, batch, job.reread)


def _chosen(batches: Iterator[dict[str, Array]], chosen: NDArray[np.intp]) -> Iterator[dict[str, Array]]:
    """The chosen rows of each batch, until there are no more; they are counted over all batches and in order."""
    start = 0
    for batch in batches:
        stop = start + batch_rows(batch)
        here = chosen[np.searchsorted(chosen, start) : np.searchsorted(chosen, stop)] - start
        yield {name: values[here] for name, values in batch.items()}
        start = stop
        if start > chosen[-1]:
            return


def _shown(source: _Source, name: str, values: Array) -> list[bool | int | float | str | None]:
    """The values as they are in the dataset: moments in ISO 8601, integers without decimals, None where missing."""
    column = next(each for each in source.job.inputs if each.name == name)
    return [None if value is None or value != value else _value(source, column, value) for value in values.tolist()]


def _value(source: _Source, column: InputColumn, value: bool | float | str) -> bool | int | float | str:
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
