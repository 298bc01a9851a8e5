"""What a trained network gets right, on the rows it was trained on and on those held out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.metrics import ConfusionMatrix, NumberErrors
from backprop.network import Parameters, predict
from backprop.preprocessing import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from worker.preparation import TrainingData

Array = NDArray[Any]

BLOCK_BYTES = 8 * 2**20
"""Size of a block of coded rows, counted as 8 bytes a value."""

LARGEST_CONFUSION_MATRIX = 100
"""Classes beyond which the matrix is left out: its million cells would help nobody."""


def evaluate(parameters: Parameters, data: TrainingData) -> dict[str, Any]:
    """Metrics on training and held-out rows, in the user's own units and labels.

    Returns:
        ``{"training": {…}, "held_out": {…} or None}``, plain JSON values. Each part has ``rows`` and

        - classification: ``accuracy``; ``confusion_matrix`` with ``classes`` and ``counts`` (a row for each actual
          class, a column for each predicted one), None beyond `LARGEST_CONFUSION_MATRIX` classes;
        - regression: ``rmse`` and ``r2``, each an object from target to value;
        - reconstruction: ``rmse`` and ``r2`` from number column to value, and ``accuracy`` from category column
          to the share of rows whose category came back.

        R² is None where the actual values are constant, any value beyond double precision is None.
    """
    coding = data.preprocessing.targets
    held_out = None
    if data.X_held is not None and data.Y_held is not None:
        held_out = _metrics(parameters, data.X_held, data.Y_held, coding)
    return {"training": _metrics(parameters, data.X, data.Y, coding), "held_out": held_out}


def _metrics(parameters: Parameters, X: Array, Y: Array, coding: TargetCoding) -> dict[str, Any]:
    blocks = _blocks(parameters, X, Y)
    if isinstance(coding, ClassCoding):
        return {"rows": len(X), **_class_metrics(blocks, coding)}
    if isinstance(coding, NumberCoding):
        return {"rows": len(X), **_number_metrics(blocks, coding)}
    return {"rows": len(X), **_reconstruction_metrics(blocks, coding)}


def _blocks(parameters: Parameters, X: Array, Y: Array) -> Iterator[tuple[Array, Array]]:
    """Coded targets and the network's outputs, block by block."""
    rows = max(1, BLOCK_BYTES // (8 * (X.shape[1] + Y.shape[1])))
    for start in range(0, len(X), rows):
        yield Y[start : start + rows], predict(parameters, X[start : start + rows])


def _class_metrics(blocks: Iterator[tuple[Array, Array]], coding: ClassCoding) -> dict[str, Any]:
    confusion = ConfusionMatrix(len(coding.classes))
    for Y, outputs in blocks:
        confusion.add(coding.codes(Y), coding.codes(outputs))
    matrix = None
    if len(coding.classes) <= LARGEST_CONFUSION_MATRIX:
        matrix = {"classes": list(coding.classes), "counts": confusion.counts.tolist()}
    return {"accuracy": confusion.accuracy, "confusion_matrix": matrix}


def _number_metrics(blocks: Iterator[tuple[Array, Array]], coding: NumberCoding) -> dict[str, Any]:
    errors = NumberErrors(coding.width)
    for Y, outputs in blocks:
        errors.add(coding.scaler.decode(Y), coding.scaler.decode(outputs))
    return {
        "rmse": dict(zip(coding.targets, errors.rmse, strict=True)),
        "r2": dict(zip(coding.targets, errors.r2, strict=True)),
    }


def _reconstruction_metrics(blocks: Iterator[tuple[Array, Array]], coding: Reconstruction) -> dict[str, Any]:
    numbers = coding.inputs.number_names
    errors = NumberErrors(len(numbers))
    right = {feature.name: 0 for feature in coding.inputs.features if feature.categories is not None}
    rows = 0
    for Y, outputs in blocks:
        actual, predicted = coding.decode(Y), coding.decode(outputs)
        if numbers:
            errors.add(_side_by_side(actual, numbers), _side_by_side(predicted, numbers))
        for name in right:
            right[name] += int(np.count_nonzero(actual[name] == predicted[name]))
        rows += len(Y)
    return {
        "rmse": dict(zip(numbers, errors.rmse, strict=True)),
        "r2": dict(zip(numbers, errors.r2, strict=True)),
        "accuracy": {name: count / rows for name, count in right.items()},
    }


def _side_by_side(columns: dict[str, Array], names: tuple[str, ...]) -> Array:
    return np.column_stack([columns[name] for name in names])
