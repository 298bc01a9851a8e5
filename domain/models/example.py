"""One row of a model's dataset on its way through the network and back, with all that is computed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.targets import TargetCoding
from backprop.model import TrainedModel
from backprop.tracing import Trace, trace
from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import Scalar
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import StoredRow, read_row
from domain.jobs.new_batches import in_terms_of
from domain.jobs.translation import training_of
from domain.jobs.weighting import used_columns
from domain.models import rows as models
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, NotFound


class NoExample(Exception):
    """The row is none that the network can be shown. The message says why, in a sentence for people."""


class Value(NamedTuple):
    """What a row has in a column.

    Attributes:
        column: its name.
        value: None where it is missing.
    """

    column: str
    value: Scalar


class Example(NamedTuple):
    """A row that has gone through the network and back.

    Attributes:
        inputs: its values in the columns that the network sees.
        targets: its values in those that it is to predict; none for a reconstruction.
        answers: what the network predicts there; none for a reconstruction.
        input_units: what each unit of the input layer stands for, (s_1,).
        output_units: what each unit of the output layer stands for, (s_nl,).
        trace: everything that is computed.
        model: whose W and b they are.
        job: that has trained it.
    """

    inputs: Sequence[Value]
    targets: Sequence[Value]
    answers: Sequence[Value]
    input_units: Sequence[str]
    output_units: Sequence[str]
    trace: Trace
    model: TrainedModel
    job: ResolvedJob


def rows_of(project: Project, model_id: str, database: Database) -> int:
    """How many rows the dataset has that a model was trained on.

    Raises:
        NotFound: the project has no such model.
        Conflict: its dataset has been deleted (code ``dataset_deleted``).
    """
    return _source(project, model_id, database).rows


def example_of(
    project: Project, model_id: str, trained: TrainedModel, database: Database, artifacts: ArtifactStore, row: int
) -> Example:
    """What one row of its dataset makes of a model, be the row held out or not.

    Args:
        project: whose model it is.
        model_id: its id.
        trained: the model itself.
        database: where its job and its dataset are recorded.
        artifacts: where the dataset's content is.
        row: its number, from 1.

    Raises:
        NotFound: the project has no such model.
        Conflict: its dataset has been deleted (code ``dataset_deleted``).
        NoExample: there is no such row, it lacks a value that it needs, or the network overflows on it.
    """
    source = _source(project, model_id, database)
    if not 1 <= row <= source.rows:
        raise NoExample(f"The dataset has rows 1 to {source.rows:,}, and no row {row:,}.")
    try:
        stored = read_row(artifacts, source.artifact, source.columns, row - 1)
    except FileNotFoundError as error:  # deleted in the meantime
        raise _deleted(source.dataset_id) from error
    _refuse_gaps(source, stored, row)
    x, y = _coded(source.job, trained, stored)
    traced = trace(trained.parameters, x, y, training_of(source.job.training).objective().cost)
    if not traced.is_finite:
        raise NoExample(f"The network overflows on row {row:,}: its numbers are beyond double precision.")
    return _told(source, trained, stored, traced)


class _Source(NamedTuple):
    job: ResolvedJob
    dataset_id: str
    rows: int
    artifact: str
    columns: tuple[Column, ...]


def _source(project: Project, model_id: str, database: Database) -> _Source:
    """The job and the dataset of a model, and of the dataset's columns those that make an example."""
    with database.reading() as session:
        model = models.get(session, project, model_id)
        job = ResolvedJob.model_validate(models.job_of(session, model).spec)
        try:
            dataset = datasets.get(session, project, model.dataset_id)
        except NotFound as error:
            raise _deleted(model.dataset_id) from error
        known = {column["name"]: column for column in dataset.columns}
        columns = tuple(Column.model_validate(known[name]) for name in used_columns(job))
        return _Source(job, dataset.id, dataset.rows, dataset.artifact, columns)


def _refuse_gaps(source: _Source, stored: StoredRow, row: int) -> None:
    targets = {column.name for column in source.job.targets}
    needed = targets.union(source.job.required)
    if source.job.missing != "impute":
        needed.update(column.name for column in source.job.inputs)
    for column, value in zip(source.columns, stored.shown, strict=True):
        if value is None and column.name in needed:
            raise NoExample(f"Row {row:,} has no value in column {column.name!r}, so it is no example.")


def _coded(
    job: ResolvedJob, trained: TrainedModel, stored: StoredRow
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The coded inputs x and the coded target y."""
    batch = in_terms_of(job, stored.values, job.reread)
    coding = trained.coding
    return coding.inputs.encode(batch)[0], coding.targets.encode(batch)[0]


def _told(source: _Source, trained: TrainedModel, stored: StoredRow, traced: Trace) -> Example:
    job, coding = source.job, trained.coding
    shown = dict(zip((column.name for column in source.columns), stored.shown, strict=True))
    decoded = coding.targets.decode(traced.a[-1][np.newaxis])
    input_units = coding.inputs.unit_names
    return Example(
        inputs=[Value(column.name, shown[column.name]) for column in job.inputs],
        targets=[Value(column.name, shown[column.name]) for column in job.targets],
        answers=[Value(column.name, decoded[column.name].tolist()[0]) for column in job.targets],
        input_units=input_units,
        output_units=_output_units(coding.targets, input_units),
        trace=traced,
        model=trained,
        job=job,
    )


def _output_units(targets: TargetCoding, input_units: Sequence[str]) -> Sequence[str]:
    """What each output unit stands for: a number, a class, or the input that it is to give back."""
    if not targets.columns:
        return input_units
    scores = targets.class_scores(np.zeros((1, targets.width)))
    if scores is None:
        return targets.columns
    classes = scores.classes[-1:] if targets.width == 1 else scores.classes  # one unit of two classes says the second
    return [f"{targets.columns[0]}={label}" for label in classes]


def _deleted(dataset_id: str) -> Conflict:
    return Conflict(
        "dataset_deleted", f"The dataset {dataset_id} has been deleted, and without it there are no examples."
    )
