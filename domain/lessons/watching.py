"""What a network said about some rows of its dataset as it was at one of its snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Batch, batch_rows
from backprop.coding.labels import LabelTable
from backprop.model import TrainedModel
from backprop.network import predict
from backprop_client.wire.columns import Labels
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import read_batches
from domain.jobs import rows as jobs
from domain.jobs import snapshots
from domain.jobs.columns import QUANTITIES
from domain.jobs.new_batches import in_terms_of
from domain.jobs.snapshots import Moment
from domain.jobs.translation import network_of
from domain.jobs.weighting import used_columns
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, NotFound

Array = NDArray[Any]
Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

ROWS = 200
"""Rows of the dataset that are shown, the first ones."""

RECONSTRUCTED = 6
"""Rows whose reconstruction is shown."""

MOST_LABELS = 20
"""Classes. A table of more cannot be read."""


class Regions(NamedTuple):
    """A class for each place of a plane, where a network has two numbers as its inputs.

    Attributes:
        columns: the names of the two.
        x: rows of the data, (m, 2).
        kinds: the class that each is of, as its place in `classes`, (m,).
        predicted: what the network says of the places asked for, likewise.
        classes: all.
        right: how many of the rows the network has right.
    """

    columns: tuple[str, str]
    x: Floats
    kinds: Codes
    predicted: Codes
    classes: Labels
    right: int


class Reconstructions(NamedTuple):
    """Coded inputs, and what the network makes of them.

    Attributes:
        X: (m, inputs).
        outputs: likewise.
    """

    X: Array
    outputs: Array


class Classes(NamedTuple):
    """How many rows of each class the network takes for which.

    Attributes:
        classes: all, K.
        counts: (K, K), a row for each class in the data, a column for each answer.
    """

    classes: Labels
    counts: NDArray[np.int64]


class Numbers(NamedTuple):
    """A number in the data and by the network.

    Attributes:
        column: the target's name.
        actual: (m,).
        predicted: (m,).
    """

    column: str
    actual: Floats
    predicted: Floats


View = Regions | Reconstructions | Classes | Numbers


class Watched(NamedTuple):
    """A job at one of its snapshots.

    Attributes:
        moments: all snapshots, ascending.
        view: what the network said at the one that was asked for; None if there are none, or nothing can be shown.
        step: which one that is, by its place in `moments`.
        status: of the job.
    """

    moments: Sequence[Moment]
    view: View | None
    step: int
    status: str


def watch(
    project: Project,
    job_id: str,
    step: int | None,
    places: Callable[[Floats], Floats],
    database: Database,
    artifacts: ArtifactStore,
) -> Watched:
    """What a job's network said at one of its snapshots.

    Args:
        project: whose job.
        job_id: which.
        step: which snapshot, from 0; None, and any beyond the last, for the last.
        places: the places of a plane, (n, 2), that are to be told apart, given the points in it, (m, 2).
        database: where the snapshots are.
        artifacts: where the dataset's content is.

    Raises:
        NotFound: the project has no such job.
        Conflict: its dataset has been deleted (code ``dataset_deleted``).
    """
    with database.reading() as session:
        row = jobs.get(session, project, job_id)
        moments = snapshots.moments(session, job_id)
        if not moments:
            return Watched((), None, 0, row.status)
        chosen = len(moments) - 1 if step is None else min(step, len(moments) - 1)
        job = ResolvedJob.model_validate(row.spec)
        model = snapshots.read(session, job_id, network_of(job), moments[chosen].iteration)
        try:
            artifact = datasets.get(session, project, job.dataset_id).artifact
        except NotFound as error:
            raise _deleted(job.dataset_id) from error
    try:
        batch = _first_rows(job, artifacts, artifact)
    except FileNotFoundError as error:  # deleted in the meantime
        raise _deleted(job.dataset_id) from error
    return Watched(moments, None if batch is None else _view(job, model, batch, places), chosen, row.status)


def _first_rows(job: ResolvedJob, artifacts: ArtifactStore, artifact: str) -> Batch | None:
    """The first rows that have every value which the job needs; None if there are none among the very first."""
    batches = read_batches(artifacts, artifact, used_columns(job), ROWS, complete=job.required)
    first = next((batch for batch in batches if batch_rows(batch)), None)
    return None if first is None else in_terms_of(job, first, job.reread)


def _view(job: ResolvedJob, model: TrainedModel, batch: Batch, places: Callable[[Floats], Floats]) -> View | None:
    if job.task == "reconstruction":
        X = model.coding.inputs.encode(batch)[:RECONSTRUCTED]
        return Reconstructions(X, predict(model.parameters, X))
    name = job.targets[0].name
    said = _said(model, batch)[name]
    if job.task == "regression":
        return Numbers(name, np.asarray(batch[name], np.float64), np.asarray(said, np.float64))
    classes = job.targets[0].classes or ()
    table = LabelTable(classes)
    kinds, predicted = table.codes(batch[name]), table.codes(said)
    if len(job.inputs) == 2 and all(column.type in QUANTITIES for column in job.inputs):
        return _regions(job, model, batch, kinds, int((kinds == predicted).sum()), places)
    if len(classes) > MOST_LABELS:
        return None
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (kinds, predicted), 1)
    return Classes(classes, counts)


def _regions(
    job: ResolvedJob,
    model: TrainedModel,
    batch: Batch,
    kinds: Codes,
    right: int,
    places: Callable[[Floats], Floats],
) -> Regions | None:
    first, second = (column.name for column in job.inputs)
    x = np.column_stack([np.asarray(batch[first], np.float64), np.asarray(batch[second], np.float64)])
    known = np.isfinite(x).all(axis=1)
    if not known.any():
        return None
    there = places(x[known])
    said = _said(model, {first: there[:, 0], second: there[:, 1]})[job.targets[0].name]
    classes = job.targets[0].classes or ()
    return Regions((first, second), x[known], kinds[known], LabelTable(classes).codes(said), classes, right)


def _said(model: TrainedModel, batch: Batch) -> dict[str, Array]:
    """The decoded answers for all rows of a batch."""
    return model.coding.targets.decode(predict(model.parameters, model.coding.inputs.encode(batch)))


def _deleted(dataset_id: str) -> Conflict:
    return Conflict("dataset_deleted", f"The dataset {dataset_id} has been deleted, and there is nothing to show.")
