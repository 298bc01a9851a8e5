"""Which rows of a job's dataset are held out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.holdout import holdout_mask, stratified_mask
from backprop.coding.labels import LabelTable
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import HeldOutRows
from domain.datasets.files import read_batches
from domain.jobs.holdouts import moment
from domain.jobs.new_batches import in_terms_of
from infra.artifacts import ArtifactStore
from infra.errors import InvalidRequest

Array = NDArray[Any]
Mask = NDArray[np.bool_]


def held_out_mask(job: ResolvedJob, store: ArtifactStore, key: str, used: int) -> Mask:
    """Which of the rows that are used are held out, (m,) bool; none if those of another dataset are.

    Args:
        job: the job.
        store: where the dataset is.
        key: of the dataset's file.
        used: m, how many rows have every value that they need.

    Raises:
        InvalidRequest: too few rows for that (code ``too_few_rows``).
    """
    by, seed = job.holdout_by, job.training.seed
    classes = _classes_of_rows(job, store, key, used) if by == "stratified" else None
    try:
        if classes is not None:
            return stratified_mask(classes, len(job.targets[0].classes or ()), job.holdout, seed)
        if by == "random":
            return holdout_mask(used, job.holdout, seed)
    except ValueError as error:
        raise InvalidRequest(
            "too_few_rows", f"Of {used} rows that can be used none can be held out: {error}."
        ) from error
    if isinstance(by, HeldOutRows):
        return _rows_with_value(job, by, store, key, used)
    return np.zeros(used, np.bool_)


def _classes_of_rows(job: ResolvedJob, store: ArtifactStore, key: str, used: int) -> NDArray[np.uint16]:
    """The class of each row as its position, (m,); a target has at most a thousand."""
    (target,) = job.targets
    table = LabelTable(target.classes or ())
    codes = np.empty(used, np.uint16)
    start = 0
    for labels in _used_values(job, store, key, target.name):
        codes[start : start + len(labels)] = table.codes(labels)
        start += len(labels)
    return codes


def _rows_with_value(job: ResolvedJob, by: HeldOutRows, store: ArtifactStore, key: str, used: int) -> Mask:
    mask = np.zeros(used, np.bool_)
    start = 0
    for values in _used_values(job, store, key, by.column):
        mask[start : start + len(values)] = equal(values, by.value)
        start += len(values)
    held = int(np.count_nonzero(mask))
    if held in (0, used):
        raise InvalidRequest(
            "too_few_rows",
            f"Of {used} rows that can be used {'every one' if held else 'none'} has {by.column!r} = {by.value!r}: "
            f"no row is left to {'train on' if held else 'hold out'}.",
        )
    return mask


def equal(values: Array, value: bool | float | str) -> Mask:
    """Which values of a column are this one, (m,); a moment is given in ISO 8601."""
    if isinstance(value, str) and values.dtype != object:
        return np.asarray(values == moment(value), np.bool_)
    return np.asarray(values == value, np.bool_)


def _used_values(job: ResolvedJob, store: ArtifactStore, key: str, column: str) -> Iterator[Array]:
    """A column's values in the rows that are used, batch after batch."""
    needed = list(dict.fromkeys([column, *job.required]))
    for batch in read_batches(store, key, needed, complete=job.required):
        yield in_terms_of(job, batch, job.reread)[column]
