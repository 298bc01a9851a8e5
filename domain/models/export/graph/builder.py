"""An ONNX graph that grows node by node."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from domain.models.export.ports import Kind, Port

Array = NDArray[Any]
Float = type[np.float32] | type[np.float64]
"""The type of a network's parameters."""

TENSOR_TYPES: dict[Kind, int] = {
    "double": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}


class GraphBuilder:
    """Collects nodes and constants. Values are known by their names, and these are never those of a column."""

    def __init__(self, inputs: Collection[Port], outputs: Collection[Port]) -> None:
        self._inputs = list(inputs)
        self._outputs = list(outputs)
        self._taken = {port.name for port in (*inputs, *outputs)}
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._count = 0

    def constant(self, values: Array, name: str = "constant") -> str:
        """The name of a value that is always the same, of any shape and of the array's type; objects are strings."""
        name = self._new_name(name)
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401  # as the operator wants them
        """The name of what an operator makes of these values; of its first result if it has several."""
        name = self._new_name(operator)
        self._nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def cast(self, value: str, dtype: type[np.generic]) -> str:
        """The value with elements of that type."""
        return self.node("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def gathered(self, value: str, places: Collection[int]) -> str:
        """Some columns of a matrix, in that order."""
        return self.node("Gather", value, self.constant(np.array(list(places), np.int64)), axis=1)

    def side_by_side(self, values: Collection[str]) -> str:
        """Matrices of one type with as many rows each, beside each other."""
        first, *others = values
        return self.node("Concat", first, *others, axis=1) if others else first

    def answer(self, port: Port, value: str) -> None:
        """Make a value an output."""
        self._nodes.append(helper.make_node("Identity", [value], [port.name]))

    def graph(self, name: str) -> GraphProto:
        """What has been collected."""
        return helper.make_graph(
            self._nodes,
            name,
            [_value_info(port) for port in self._inputs],
            [_value_info(port) for port in self._outputs],
            self._constants,
        )

    def _new_name(self, stem: str) -> str:
        while True:
            self._count += 1
            name = f"{stem}_{self._count}"
            if name not in self._taken:
                return name


def _value_info(port: Port) -> Any:  # noqa: ANN401  # onnx has no public name for it
    shape: list[str | int | None] = ["rows"] if port.width is None else ["rows", port.width]
    return helper.make_tensor_value_info(port.name, TENSOR_TYPES[port.kind], shape)
