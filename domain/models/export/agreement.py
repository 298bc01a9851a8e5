"""Whether ONNX Runtime answers with an exported file as the model itself does. It needs the extra `onnx`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions

from backprop.coding.columns import Batch, Floats
from backprop.coding.inputs import InputCoding
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction
from backprop.model import PredictedRows, TrainedModel
from domain.models.export.ports import categories_known, fed, outputs_of
from domain.models.export.rows_to_compare import Batches, comparable
from infra.errors import Conflict

Array = NDArray[Any]

TOLERANCES = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9}
"""Relative, for numbers in units of their scale. Sums in another order and other approximations of exp and tanh differ
by some hundred roundings; what is computed wrongly differs by more."""

_ERRORS_ONLY = 3


class _Difference(Exception):
    """They do not agree; the text says where, and by how much."""


def check_agreement(content: bytes, trained: TrainedModel, batches: Batches) -> None:
    """Refuse a file that answers otherwise than the model.

    Rows for which the network overflows are not compared, as the service refuses them, nor those that the file's inputs
    cannot hold.

    Args:
        content: the file.
        trained: the model that it was made of.
        batches: of rows, as the model takes them.

    Raises:
        Conflict: it does (code ``onnx_differs``), or it does not run.
    """
    try:
        session = _session(content)
        for batch in batches:
            _compare(session, trained, comparable(trained.coding.inputs, batch))
    except _Difference as difference:
        raise _refusal(str(difference)) from difference
    except Exception as error:  # ONNX Runtime's errors have no public common class
        raise _refusal(f"ONNX Runtime does not run the file: {error}") from error


def _refusal(reason: str) -> Conflict:
    return Conflict("onnx_differs", f"The ONNX file does not answer as the model does, so it is kept back. {reason}")


def _session(content: bytes) -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _compare(session: InferenceSession, trained: TrainedModel, batch: Batch) -> None:
    names = [port.name for port in outputs_of(trained.coding)]
    feeds = fed(trained.coding.inputs, batch)
    for predicted in trained.predict(batch):
        rows = slice(predicted.first_row, predicted.first_row + len(predicted.outputs))
        answers = session.run(names, {name: values[rows] for name, values in feeds.items()})
        _compare_block(trained, predicted, dict(zip(names, answers, strict=True)))


def _compare_block(trained: TrainedModel, predicted: PredictedRows, answers: Mapping[str, Array]) -> None:
    finite = np.isfinite(predicted.outputs).all(axis=1)
    tolerance = TOLERANCES[predicted.outputs.dtype]
    distances = _distances(trained, predicted, list(answers.values()))
    for name, distance in zip(answers, distances, strict=True):
        far = np.where(finite, np.nan_to_num(distance, nan=np.inf), 0.0)
        row = int(np.argmax(far))
        if far[row] > tolerance:
            raise _Difference(
                f"{name!r} differs by {far[row]:.3g} of its scale in row {predicted.first_row + row} of those "
                f"compared; {tolerance:g} is the most that rounding explains."
            )


def _distances(trained: TrainedModel, predicted: PredictedRows, answers: list[Array]) -> Iterator[Array]:
    """How far each answer is from the model's own, (m,) each, in units of its scale."""
    targets = trained.coding.targets
    if isinstance(targets, ClassCoding):
        assert predicted.scores is not None  # noqa: S101  # classes have them
        label, scores = answers
        votes = predicted.outputs
        if targets.width == 1:
            votes = np.hstack([2 * np.float64(sum(targets.bounds) / 2) - votes, votes])
        yield _lost_votes(label, list(targets.classes), votes)
        yield np.abs(scores - predicted.scores.scores).max(axis=1)
    elif isinstance(targets, Reconstruction):
        yield from _of_columns(targets.inputs, predicted, answers)
    else:
        assert isinstance(targets, NumberCoding)  # noqa: S101  # there is no other kind
        for answer, own, scale in zip(answers, predicted.columns.values(), targets.scaler.scale, strict=True):
            yield _relative(answer, own, scale)


def _of_columns(inputs: InputCoding, predicted: PredictedRows, answers: list[Array]) -> Iterator[Array]:
    outputs = predicted.outputs.copy()
    for constant in inputs.constant_units:
        outputs[:, constant.unit] = constant.value
    scales = dict(zip(inputs.scaled_names, inputs.scaler.scale, strict=True))
    for column, start, answer in zip(inputs.coded_columns, inputs.first_units, answers, strict=True):
        if column.categories is None:
            yield _relative(answer, predicted.columns[column.name], scales[column.name])
        else:
            yield _lost_votes(answer, categories_known(column).tolist(), outputs[:, start : start + column.width])


def _lost_votes(answers: Array, labels: list[Any], votes: Array) -> Floats:
    """How much the answered label has less than the one with most votes: 0, or little where two are almost equal."""
    positions = {repr(label): position for position, label in enumerate(labels)}
    found = np.array([positions.get(repr(answer), -1) for answer in answers.tolist()])
    lost = votes.max(axis=1) - votes[np.arange(len(votes)), found]
    return np.where(found < 0, np.inf, lost.astype(np.float64))


def _relative(answers: Array, own: Array, scale: float) -> Floats:
    distance: Floats = np.abs(answers - own) / (abs(scale) + np.abs(own))
    return distance
