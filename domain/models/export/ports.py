"""What goes into a model's ONNX file and what comes out of it: names, types, and how rows are handed to it.

One input a column, named as it:

- a number is a double, NaN where it is missing; an integer column is one too, since there is no integer for "missing";
- a moment is a double: seconds since 1970-01-01 00:00 UTC, and for a time of day seconds since midnight;
- a category is a string. Whatever is none of those that the model knows counts as missing, such as the empty one;
- a boolean is a bool, and a double (1, 0 or NaN) where the training rows had gaps.

Outputs are `label` and `scores` for classes; one for each target, or for each input column of a reconstruction. One
whose name an input has gets ``predicted_`` before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.coding import Coding
from backprop.coding.columns import Batch
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.targets import ClassCoding, Reconstruction
from domain.models.answer_tables import names_beside

Array = NDArray[Any]
Kind = Literal["double", "int64", "bool", "string"]

NUMPY_TYPES: Mapping[Kind, type[np.generic]] = {
    "double": np.float64,
    "int64": np.int64,
    "bool": np.bool_,
    "string": np.object_,
}
"""The types of elements as NumPy has them; strings are objects."""

LABEL = "label"
SCORES = "scores"


class Port(NamedTuple):
    """An input or output.

    Attributes:
        name: of its tensor.
        kind: of the tensor's elements.
        width: of its rows, if each has several values: the tensor is (n, width); else None, and it is (n,).
    """

    name: str
    kind: Kind
    width: int | None = None


def inputs_of(inputs: InputCoding) -> list[Port]:
    """One for each input column, in their order."""
    return [Port(column.name, _kind_fed(column)) for column in inputs.coded_columns]


def outputs_of(coding: Coding) -> list[Port]:
    """What the file answers, in order."""
    taken = [column.name for column in coding.inputs.coded_columns]
    ports = _answers(coding)
    names = names_beside([port.name for port in ports], taken)
    return [port._replace(name=names[port.name]) for port in ports]


def fed(inputs: InputCoding, batch: Batch) -> dict[str, Array]:
    """The input columns of a batch as arrays that the file takes, (n,) each.

    Args:
        inputs: how they are coded.
        batch: as the model takes it, with NaN or None where a value is missing.
    """
    return {column.name: _fed(column, batch[column.name]) for column in inputs.coded_columns}


def missing_of(column: CodedColumn) -> str | float:
    """What stands for a missing value of a category or boolean column: a text that is no category, or NaN."""
    assert column.categories is not None  # noqa: S101  # it is asked for these only
    if _kind_fed(column) != "string":
        return np.nan
    word = ""
    while word in column.categories:
        word += "?"
    return word


def categories_known(column: CodedColumn) -> Array:
    """What each unit of a category or boolean column stands for, in the type that the file has for the column."""
    assert column.categories is not None  # noqa: S101  # it is asked for these only
    missing = [missing_of(column)] if column.has_gaps else []
    return np.array([*column.categories, *missing], NUMPY_TYPES[_kind_fed(column)])


def kind_of(labels: Sequence[bool | int | str]) -> Kind:
    """Of the elements of a tensor that holds these labels."""
    if isinstance(labels[0], bool):
        return "bool"
    return "int64" if isinstance(labels[0], int) else "string"


def _kind_fed(column: CodedColumn) -> Kind:
    if not column.categories or isinstance(column.categories[0], str):
        return "double" if column.categories is None else "string"
    return "double" if column.has_gaps else "bool"


def _answers(coding: Coding) -> list[Port]:
    targets = coding.targets
    if isinstance(targets, ClassCoding):
        return [Port(LABEL, kind_of(targets.classes)), Port(SCORES, "double", len(targets.classes))]
    if isinstance(targets, Reconstruction):
        return inputs_of(targets.inputs)
    return [Port(name, "double") for name in targets.columns]


def _fed(column: CodedColumn, values: Array) -> Array:
    kind = _kind_fed(column)
    if kind == "string":
        missing = missing_of(column)
        return np.array([missing if value is None else value for value in values.tolist()], dtype=object)
    if kind == "bool":
        return np.asarray(values, dtype=np.bool_)
    return np.array([np.nan if value is None else value for value in values.tolist()], dtype=np.float64)
