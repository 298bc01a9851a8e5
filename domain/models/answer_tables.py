"""A model's answers as the columns of a table.

- classification: `prediction`, the label, and for each class `score_` and its label: ``score_yes``, ``score_3``,
  ``score_true``;
- regression: a column for each target, of its name;
- reconstruction: a column for each input, of its name.

Where a dataset's columns stand beside them, a name that one of these has gets ``predicted_`` before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from backprop.coding.targets import ClassCoding, Reconstruction, TargetCoding
from backprop.model import PredictedRows

Array = NDArray[Any]

PREFIX = "predicted_"

_CLASS = "prediction"
_SCORE = "score_"


def answer_schema(targets: TargetCoding) -> pa.Schema:
    """The columns of a model's answers, of canonical types."""
    if isinstance(targets, ClassCoding):
        scores = [(f"{_SCORE}{_text(label)}", pa.float64()) for label in targets.classes]
        return pa.schema([(_CLASS, _type_of(targets.classes)), *scores])
    if isinstance(targets, Reconstruction):
        return pa.schema(
            [
                (column.name, pa.float64() if column.categories is None else _type_of(column.categories))
                for column in targets.inputs.coded_columns
            ]
        )
    return pa.schema([(name, pa.float64()) for name in targets.columns])


def answer_batch(predicted: PredictedRows, schema: pa.Schema) -> pa.RecordBatch:
    """Answers as a batch of that schema."""
    return pa.RecordBatch.from_arrays(
        [pa.array(values, field.type) for field, values in zip(schema, _columns(predicted), strict=True)],
        schema=schema,
    )


def _columns(predicted: PredictedRows) -> Iterator[Array]:
    yield from predicted.columns.values()
    if predicted.scores is not None:
        yield from predicted.scores.scores.T


def names_beside(answers: Sequence[str], taken: Collection[str]) -> Mapping[str, str]:
    """What the columns of answers are called beside columns of these names."""
    names: dict[str, str] = {}
    used = {*taken, *(name for name in answers if name not in taken)}
    for name in answers:
        beside = name
        while beside in taken or (beside != name and beside in used):
            beside = f"{PREFIX}{beside}"
        names[name] = beside
        used.add(beside)
    return names


def _type_of(labels: Sequence[bool | int | str]) -> pa.DataType:
    if isinstance(labels[0], bool):
        return pa.bool_()
    return pa.int64() if isinstance(labels[0], int) else pa.string()


def _text(label: bool | int | str) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)
