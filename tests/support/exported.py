"""Models of every kind with random weights, and what a program of somebody else's makes of their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, ConstantUnit, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters

Array = NDArray[Any]

COLUMNS = (
    CodedColumn("age", has_gaps=True),
    CodedColumn("label", ("blue", "ein Öl", "red"), has_gaps=True),
    CodedColumn("day", None, "datetime", ("year", "week", "day"), has_gaps=True),
    CodedColumn("a/b~c"),
    CodedColumn("member", (False, True)),
    CodedColumn("Gemm_1", (False, True), has_gaps=True),
    CodedColumn("empty", ("", "n/a")),
    CodedColumn("at", None, "time_of_day", ("day",)),
    CodedColumn("same"),
)
"""Columns of every type. Some have the names of outputs and of nodes."""

INPUTS = InputCoding(
    COLUMNS,
    Scaler((40.0, 1.2e9, 0.0, 43_200.0, 5.0), (10.0, 2e8, 2.0, 3e4, 1.0)),
    (41.0, 1.1e9, 0.5, 40_000.0, 5.0),
    (ConstantUnit(4, 1.0), ConstantUnit(25, 0.0)),
)
"""Their coding: one category was in all rows, and one column had the same value in all."""

NUMBERS_ONLY = InputCoding((CodedColumn("x"), CodedColumn("y")), Scaler((0.0, 1.0), (1.0, 3.0)), (0.0, 1.0))


def targets_of(inputs: InputCoding) -> dict[str, tuple[TargetCoding, tuple[str, ...]]]:
    """Target codings of every kind, and the output activations that each may have."""
    scaler = Scaler((100.0, -5.0), (50.0, 1.0))
    return {
        "two classes": (ClassCoding("grade", ("fail", "pass"), (-1.0, 1.0)), ("tanh",)),
        "booleans": (ClassCoding("grade", (False, True), (0.0, 1.0)), ("sigmoid", "linear")),
        "two softmax classes": (ClassCoding("grade", ("fail", "pass"), (0.0, 1.0), unit_each=True), ("softmax",)),
        "integers": (ClassCoding("grade", (3, 5, 7), (0.0, 1.0)), ("softmax", "sigmoid", "linear")),
        "numbers": (NumberCoding(("price", "scores"), scaler), ("linear", "sigmoid", "tanh")),
        "reconstruction": (Reconstruction(inputs), ("linear", "sigmoid", "tanh")),
    }


def model_of(
    inputs: InputCoding,
    targets: TargetCoding,
    output: str,
    hidden: Sequence[str] = ("tanh",),
    dtype: type[np.float32] | type[np.float64] = np.float64,
) -> TrainedModel:
    """A model with random weights, the same every time."""
    layers = [*(Layer(5, activation) for activation in hidden), Layer(targets.width, output)]
    parameters = initial_parameters(Network(inputs.width, tuple(layers)), epsilon=0.7, seed=5, dtype=dtype)
    return TrainedModel(parameters, Coding(inputs, targets))


class OnnxModel:
    """A file as anybody runs it who knows ONNX Runtime and its inputs' names and types."""

    def __init__(self, content: bytes) -> None:
        self._session = InferenceSession(content, providers=["CPUExecutionProvider"])
        self.inputs = {each.name: each.type for each in self._session.get_inputs()}
        self.outputs = {each.name: each.type for each in self._session.get_outputs()}

    def answers(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Array]:
        """The answers for rows given as columns of plain values: seconds for a moment, None for what is missing."""
        feeds = {name: _array(kind, columns[name]) for name, kind in self.inputs.items()}
        return dict(zip(self.outputs, self._session.run(list(self.outputs), feeds), strict=True))


def _array(kind: str, values: Sequence[Any]) -> Array:
    if kind == "tensor(string)":
        return np.array(["" if value is None else value for value in values], dtype=object)
    if kind == "tensor(bool)":
        return np.array(values, dtype=np.bool_)
    assert kind == "tensor(double)"
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
