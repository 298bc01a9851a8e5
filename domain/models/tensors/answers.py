"""What a model answers, as tensors.

- classification: ``label``, (n, 1), and ``scores``, (n, classes) FP64, whose parameter ``classes`` has the labels in
  the order of the scores;
- regression: a tensor for each target, (n, 1) FP64;
- reconstruction: a tensor for each input column, (n, 1).

Texts are BYTES. So are the booleans of a reconstruction that may say "is missing": BYTES can say that, as the empty
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.inputs import CodedColumn
from backprop.coding.targets import ClassCoding, Reconstruction, TargetCoding
from backprop.model import PredictedRows
from backprop_client.wire.oip.datatypes import Datatype
from domain.models.prediction import Predictions
from domain.models.tensors.tensor import DTYPES, Tensor

Array = NDArray[Any]

LABEL = "label"
SCORES = "scores"


class Output(NamedTuple):
    """A tensor that a model gives.

    Attributes:
        name: its.
        datatype: of its elements.
        column: the column of the model's answers that it holds; None if it holds the scores of all classes.
        classes: these classes; none for a column.
    """

    name: str
    datatype: Datatype
    column: str | None
    classes: Sequence[bool | int | str] = ()

    @property
    def width(self) -> int:
        """How many elements it has for each row."""
        return len(self.classes) or 1


def outputs_of(targets: TargetCoding) -> list[Output]:
    """The tensors that a model with these targets gives, in their order."""
    if isinstance(targets, ClassCoding):
        label = Output(LABEL, _datatype_of(targets.classes), targets.target)
        return [label, Output(SCORES, "FP64", None, targets.classes)]
    if isinstance(targets, Reconstruction):
        return [Output(column.name, _reconstructed(column), column.name) for column in targets.inputs.coded_columns]
    return [Output(name, "FP64", name) for name in targets.columns]


def answered(predictions: Predictions, output: Output) -> Tensor:
    """One of the outputs, for all rows."""
    pieces = [_values(predicted, output) for predicted in predictions.blocks]
    values = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return Tensor(output.name, output.datatype, (len(values), output.width), _of_datatype(values, output.datatype))


def _values(predicted: PredictedRows, output: Output) -> Array:
    if output.column is not None:
        return predicted.columns[output.column]
    assert predicted.scores is not None  # noqa: S101  # models of classes have them
    return predicted.scores.scores


def _of_datatype(values: Array, datatype: Datatype) -> Array:
    flat = values.reshape(-1)
    if datatype == "BYTES":
        return np.array([_text(value) for value in flat.tolist()], dtype=object)
    return flat.astype(DTYPES[datatype], copy=False)


def _text(value: bool | str | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _reconstructed(column: CodedColumn) -> Datatype:
    if column.categories is None:
        return "FP64"
    return "BYTES" if column.has_gaps else _datatype_of(column.categories)


def _datatype_of(labels: Sequence[bool | int | str]) -> Datatype:
    if isinstance(labels[0], bool):
        return "BOOL"
    return "INT64" if isinstance(labels[0], int) else "BYTES"
