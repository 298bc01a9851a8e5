"""From a dataset's file to the matrices a network trains on, in memory that does not grow with the rows.

The file is read twice: once to learn the coding from the training rows, once to code the rows, which are appended
to ``.npy`` files in a scratch folder and mapped from there. A dataset of one batch is read once. Where a row must have
a value in columns with gaps, these are read first, to count the rows that have one. So is the column that says which
rows are held out.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from backprop.coding.coding import Coding
from backprop.coding.columns import Batch, batch_rows, rows_of_a_batch
from backprop.coding.learning import ClassesMissing, ConstantTarget, Learner
from backprop.coding.scaling import CannotBeScaled
from backprop_client.wire.jobs import OtherRowCounts, RowCounts
from backprop_client.wire.resolved_jobs import HeldOutTable, ResolvedJob
from domain.datasets.files import count_complete_rows, read_batches
from domain.jobs.new_batches import in_terms_of
from domain.jobs.translation import coding_plan_of, network_of
from domain.jobs.weighting import rows_weights, used_columns
from infra.artifacts import ArtifactStore
from infra.errors import InvalidRequest, TooLarge
from infra.full_disks import is_full_disk
from worker.holdout import held_out_mask
from worker.weighting import Floats, RowsToWeigh, Weights, recorded

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class TrainingData:
    """What a training run works on.

    Attributes:
        X: (m, inputs) coded training rows, in the order of the file; mapped from disk, read-only.
        Y: (m, outputs) their coded targets; the same object as X for reconstruction.
        X_held: (m', inputs) held-out rows; None if none are held out.
        Y_held: (m', outputs) their targets; the same object as X_held for reconstruction.
        coding: of the columns, learned from the training rows.
        rows: what became of the dataset's rows.
        weights: (m,) float64, what the training rows weigh as their column has it; None without one.
        weights_held: (m',) likewise of the held-out rows.
        cost_weights: (m,) float64, what the training rows weigh in J, which is times the weight of their class; None if
            all weigh alike.
        cost_weights_held: (m',) likewise of the held-out rows.
    """

    X: Array
    Y: Array
    X_held: Array | None
    Y_held: Array | None
    coding: Coding
    rows: RowCounts
    weights: Floats | None = None
    weights_held: Floats | None = None
    cost_weights: Floats | None = None
    cost_weights_held: Floats | None = None


def prepare(
    job: ResolvedJob,
    store: ArtifactStore,
    key: str,
    scratch: Path,
    coding: Coding | None = None,
    held_out_key: str | None = None,
) -> TrainingData:
    """Learn the coding of a job's columns from its training rows, unless it is given, and code all rows.

    Args:
        job: the job.
        store: where the dataset is.
        key: of the dataset's file.
        scratch: an existing folder for the matrices; they are needed for as long as the result is.
        coding: that of the model that the job starts from, if it does.
        held_out_key: of the file of the dataset whose rows are held out, if that is another one.

    Raises:
        InvalidRequest: the training rows are not enough to learn from: ``too_few_rows``,
            ``class_missing_in_training``, ``constant_target_in_training``, ``cannot_be_scaled``, ``unusable_weights``;
            or the model that the
            job starts from does not know a value: ``unknown_category``.
        TooLarge: the folder's disk has not the room (``scratch_full``).
    """
    columns = used_columns(job)
    rows_at_once = rows_of_a_batch(len(columns), network_of(job))
    used = _used_rows(job, store, key, job.rows, job.required)
    held = held_out_mask(job, store, key, used.rows)
    other = job.held_out_table
    of_other = None
    if other is not None and held_out_key is not None:
        of_other = _used_rows(job, store, held_out_key, other.rows, other.required)
    counts = _row_counts(used, int(np.count_nonzero(held)), of_other)
    _check_room(job, counts, scratch)

    def read(file: str, table: ResolvedJob | HeldOutTable) -> Iterator[dict[str, Array]]:
        batches = read_batches(store, file, columns, rows_at_once, complete=table.required)
        return (in_terms_of(job, batch, table.reread) for batch in batches)

    def held_out_elsewhere() -> Iterator[dict[str, Array]]:
        return iter(()) if other is None or held_out_key is None else read(held_out_key, other)

    if job.rows <= rows_at_once:
        only = list(read(key, job))
        return _prepare(job, lambda: iter(only), held_out_elsewhere, held, counts, scratch, coding)
    return _prepare(job, lambda: read(key, job), held_out_elsewhere, held, counts, scratch, coding)


class _Used(NamedTuple):
    """Rows of a dataset that have every value which they need, and those left out because one is missing."""

    rows: int
    target_missing: int
    input_missing: int


def _used_rows(job: ResolvedJob, store: ArtifactStore, key: str, rows: int, required: Sequence[str]) -> _Used:
    """What becomes of a dataset's rows. The columns without gaps need not be read for it."""
    of_targets = {column.name for column in job.targets} & set(required)
    with_targets = count_complete_rows(store, key, of_targets) if of_targets else rows
    used = with_targets if of_targets == set(required) else count_complete_rows(store, key, required)
    if not used:
        raise InvalidRequest("too_few_rows", "No row has a value in every column that needs one.")
    return _Used(used, rows - with_targets, with_targets - used)


def _row_counts(used: _Used, held: int, of_other: _Used | None) -> RowCounts:
    other = None
    if of_other is not None:
        other = OtherRowCounts(
            dataset=sum(of_other), target_missing=of_other.target_missing, input_missing=of_other.input_missing
        )
    return RowCounts(
        dataset=sum(used),
        target_missing=used.target_missing,
        input_missing=used.input_missing,
        training=used.rows - held,
        held_out=held if of_other is None else of_other.rows,
        held_out_dataset=other,
    )


def _prepare(
    job: ResolvedJob,
    batches: Callable[[], Iterator[dict[str, Array]]],
    held_out_elsewhere: Callable[[], Iterator[dict[str, Array]]],
    held: Mask,
    counts: RowCounts,
    scratch: Path,
    coding: Coding | None,
) -> TrainingData:
    if coding is None:
        coding = _learn(job, batches(), held)
    training_weights, held_out_weights = RowsToWeigh(job, counts.training), RowsToWeigh(job, counts.held_out)
    with _full_disk_told(), ExitStack() as files:
        training = files.enter_context(_Rows(scratch, "training", counts.training, job, coding, training_weights))
        held_out = files.enter_context(_Rows(scratch, "held_out", counts.held_out, job, coding, held_out_weights))
        for batch, held_here in _with_mask(batches(), held):
            if held_here.any():
                held_out.append(_select(batch, held_here))
                training.append(_select(batch, ~held_here))
            else:
                training.append(batch)
        for batch in held_out_elsewhere():
            held_out.append(batch)
    X, Y = training.mapped()
    X_held, Y_held = held_out.mapped() if counts.held_out else (None, None)
    of_classes = training_weights.weights_of_classes()
    weights = training_weights.weights(of_classes, "training")
    weights_held = held_out_weights.weights(of_classes, "held-out") if counts.held_out else Weights(None, None)
    return TrainingData(
        X,
        Y,
        X_held,
        Y_held,
        coding,
        counts.model_copy(update={"class_weight": recorded(job, of_classes)}),
        weights.of_rows,
        weights_held.of_rows,
        weights.in_cost,
        weights_held.in_cost,
    )


def _check_room(job: ResolvedJob, counts: RowCounts, scratch: Path) -> None:
    """Refuse before hours of writing what the disk cannot hold."""
    width = job.sizes[0] + (0 if job.task == "reconstruction" else job.sizes[-1])
    needed = (counts.training + counts.held_out) * width * np.dtype(job.training.dtype).itemsize
    free = shutil.disk_usage(scratch).free
    if needed > free:
        raise TooLarge(
            "scratch_full",
            f"The coded rows of this job take {needed / 2**30:.1f} GiB of scratch space on the worker, which has "
            f"{free / 2**30:.1f} GiB left. Use fewer columns or dtype float32.",
        )


@contextmanager
def _full_disk_told() -> Iterator[None]:
    """Tell that the disk became full.

    The room that was there at first may be gone later: other jobs write too, and there are quotas.
    """
    try:
        yield
    except OSError as error:
        if not is_full_disk(error):
            raise
        raise TooLarge(
            "scratch_full",
            "The worker's disk became full while the coded rows of this job were written. Start the job again when "
            "there is room, or use fewer columns or dtype float32.",
        ) from error


def _with_mask(batches: Iterator[dict[str, Array]], mask: Mask) -> Iterator[tuple[dict[str, Array], Mask]]:
    """Each batch with its part of a mask over all rows."""
    start = 0
    for batch in batches:
        stop = start + batch_rows(batch)
        yield batch, mask[start:stop]
        start = stop


def _select(batch: Batch, rows: Mask) -> dict[str, Array]:
    return {name: values[rows] for name, values in batch.items()}


def _learn(job: ResolvedJob, batches: Iterator[dict[str, Array]], held: Mask) -> Coding:
    """The coding, from the training rows only."""
    learner = Learner(coding_plan_of(job.network, job.inputs, job.targets, job.scaling, job.missing))
    for batch, held_here in _with_mask(batches, held):
        trained = _select(batch, ~held_here) if held_here.any() else batch
        learner.add(trained, rows_weights(job, trained))
    try:
        return learner.coding()
    except CannotBeScaled as error:
        raise InvalidRequest("cannot_be_scaled", f"The columns cannot be scaled: {error}.") from error
    except ClassesMissing as error:
        raise InvalidRequest(
            "class_missing_in_training",
            f"No training row has {error.target!r} = {', '.join(map(repr, error.classes[:5]))}: all such rows are held "
            "out, or left out for their gaps. Use a smaller holdout, another seed or missing impute.",
        ) from error
    except ConstantTarget as error:
        raise InvalidRequest(
            "constant_target_in_training",
            f"Column {error.target!r} has the one value {error.value:g} in all training rows: there is nothing to "
            "learn. Use a smaller holdout or another seed.",
        ) from error


class _Rows:
    """Coded rows and their targets, appended to files, and what the rows weigh.

    They are written plainly, since pages that are written through a map stay in memory.
    """

    def __init__(
        self, scratch: Path, name: str, rows: int, job: ResolvedJob, coding: Coding, weights: RowsToWeigh
    ) -> None:
        self._coding = coding
        self._weights = weights
        self._dtype: Literal["float32", "float64"] = job.training.dtype
        self._X = _MatrixFile(scratch / f"{name}_X.npy", (rows, job.sizes[0]), self._dtype)
        self._Y = (
            None
            if job.task == "reconstruction"
            else _MatrixFile(scratch / f"{name}_Y.npy", (rows, job.sizes[-1]), self._dtype)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._X.close()
        if self._Y is not None:
            self._Y.close()

    def append(self, batch: Batch) -> None:
        self._X.append(self._coding.inputs.encode(batch, self._dtype))
        if self._Y is not None:
            self._Y.append(self._coding.targets.encode(batch, self._dtype))
        self._weights.append(batch)

    def mapped(self) -> tuple[Array, Array]:
        X = self._X.mapped()
        return X, X if self._Y is None else self._Y.mapped()


class _MatrixFile:
    """An ``.npy`` file of known shape, written row by row and then mapped."""

    def __init__(self, path: Path, shape: tuple[int, int], dtype: str) -> None:
        self._path = path
        self._file = path.open("wb")
        np.lib.format.write_array_header_1_0(
            self._file, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        )

    def append(self, rows: Array) -> None:
        self._file.write(rows.data)

    def close(self) -> None:
        self._file.close()

    def mapped(self) -> Array:
        """The matrix as a plain read-only array (slicing a `memmap` costs microseconds that small networks feel)."""
        return np.asarray(np.lib.format.open_memmap(self._path, mode="r"))
