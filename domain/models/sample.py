"""A sample of the rows that a stored model was trained on, with its input columns as the model takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backprop.coding.columns import batch_rows
from backprop_client.wire.columns import Column
from backprop_client.wire.jobs import RowCounts
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import read_batches
from domain.jobs.new_batches import in_terms_of
from infra.artifacts import ArtifactStore
from infra.errors import NotFound
from infra.tables import Job, Model

Array = NDArray[Any]

MOST_READ = 20_000_000
"""Values. So much of the dataset is read at most, for the rows to be drawn from."""


class NoRows(Exception):
    """The dataset has been deleted."""


class Source(NamedTuple):
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


def source_of(session: Session, project: Project, model: Model) -> Source:
    """What the project's model was trained on.

    Raises:
        NoRows: the dataset is no longer there.
    """
    row = session.get_one(Job, model.job_id)
    job = ResolvedJob.model_validate(row.spec)
    counts = None if row.row_counts is None else RowCounts.model_validate(row.row_counts)
    try:
        dataset = datasets.get(session, project, model.dataset_id)
    except NotFound as error:
        raise NoRows from error
    columns = tuple(Column.model_validate(column) for column in dataset.columns)
    return Source(job, _rows_used(job, counts), dataset.artifact, columns)


def _rows_used(job: ResolvedJob, counts: RowCounts | None) -> int:
    """Rows of the dataset that have every value the job needs. Before rows were counted, all had."""
    if counts is None:
        return job.rows
    return counts.training + (counts.held_out if counts.held_out_dataset is None else 0)


def sample(source: Source, size: int, artifacts: ArtifactStore) -> dict[str, Array]:
    """The input columns of some of the dataset's rows, held out or not, in the order of the file.

    They are ``numpy.sort(numpy.random.default_rng([seed]).choice(n, size, replace=False, shuffle=False))`` of the first
    n rows that have every value the job needs.

    Raises:
        NoRows: the dataset has been deleted in the meantime.
    """
    return drawn(source, size, artifacts, [column.name for column in source.job.inputs]).columns


class Drawn(NamedTuple):
    """Rows that have been drawn.

    Attributes:
        places: of each among the rows that have every value the job needs, in the order of the file, from 0.
        columns: those asked for, as the model takes them.
    """

    places: NDArray[np.intp]
    columns: dict[str, Array]


def drawn(source: Source, size: int, artifacts: ArtifactStore, columns: Sequence[str]) -> Drawn:
    """Columns of the rows that `sample` gives if these are no more than the inputs; others are drawn alike.

    Raises:
        NoRows: the dataset has been deleted in the meantime.
    """
    job = source.job
    names = list(dict.fromkeys([*columns, *job.required]))
    first = min(source.rows, max(size, MOST_READ // len(names)))
    chosen = np.arange(first)
    if size < first:
        chosen = np.sort(np.random.default_rng([job.training.seed]).choice(first, size, replace=False, shuffle=False))
    try:
        parts = list(_chosen(read_batches(artifacts, source.artifact, names, complete=job.required), chosen))
    except FileNotFoundError as error:
        raise NoRows from error
    batch = {name: np.concatenate([part[name] for part in parts]) for name in columns}
    return Drawn(chosen, in_terms_of(job, batch, job.reread))


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
