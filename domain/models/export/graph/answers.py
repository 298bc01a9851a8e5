"""The network's outputs to answers, as nodes: what `TargetCoding.decode` and `class_scores` do.

Numbers of rows that have no answer are NaN. A label is then to be ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction
from domain.models.export.graph.builder import Float, GraphBuilder
from domain.models.export.ports import NUMPY_TYPES, categories_known, kind_of


class Answers:
    """Makes the answers of a model from its outputs."""

    def __init__(self, graph: GraphBuilder, coding: Coding, dtype: Float, outputs: str, unusable: str | None) -> None:
        self._graph = graph
        self._coding = coding
        self._dtype = dtype
        self._outputs = outputs
        self._unusable = unusable

    def values(self) -> list[str]:
        """Their names, in the order of `ports.outputs_of`."""
        targets = self._coding.targets
        if isinstance(targets, ClassCoding):
            return [self._label(targets), self._scores(targets)]
        if isinstance(targets, Reconstruction):
            return list(self._columns(targets.inputs))
        assert isinstance(targets, NumberCoding)  # noqa: S101  # there is no other kind
        return self._numbers(self._doubles(self._outputs), targets.scaler)

    def _label(self, targets: ClassCoding) -> str:
        graph = self._graph
        if targets.width == 1:
            middle = graph.constant(np.array(sum(targets.bounds) / 2))
            position = graph.cast(graph.node("Greater", self._doubles(self._outputs), middle), np.int64)
            position = self._flat(position)
        else:
            position = graph.node("ArgMax", self._outputs, axis=1, keepdims=0)
        labels = graph.constant(np.array(targets.classes, NUMPY_TYPES[kind_of(targets.classes)]), "classes")
        return graph.node("Gather", labels, position)

    def _scores(self, targets: ClassCoding) -> str:
        graph = self._graph
        low, high = targets.bounds
        share = self._doubles(self._outputs)
        if (low, high) != (0.0, 1.0):
            share = graph.node("Sub", share, graph.constant(np.array(low)))
            share = graph.node("Div", share, graph.constant(np.array(high - low)))
        clipped = graph.node("Clip", share, graph.constant(np.array(0.0)), graph.constant(np.array(1.0)))
        # A share that is no finite number must not be clipped to one: share − share is 0 of those that are, else NaN.
        scores = graph.node("Add", clipped, graph.node("Sub", share, share))
        if targets.width == 1:
            scores = graph.side_by_side([graph.node("Sub", graph.constant(np.array(1.0)), scores), scores])
        return self._guarded(scores)

    def _columns(self, inputs: InputCoding) -> Iterator[str]:
        coded = self._with_constants(inputs)
        places = [
            start
            for column, start in zip(inputs.coded_columns, inputs.first_units, strict=True)
            if column.categories is None
        ]
        numbers = iter(
            self._numbers(self._doubles(self._graph.gathered(coded, places)), inputs.scaler) if places else []
        )
        for column, start in zip(inputs.coded_columns, inputs.first_units, strict=True):
            yield next(numbers) if column.categories is None else self._category(column, coded, start)

    def _category(self, column: CodedColumn, coded: str, start: int) -> str:
        """The category whose unit is largest; the type's word for a missing one where that is the unit for it."""
        graph = self._graph
        position = graph.node("ArgMax", graph.gathered(coded, range(start, start + column.width)), axis=1, keepdims=0)
        return graph.node("Gather", graph.constant(categories_known(column), "categories"), position)

    def _with_constants(self, inputs: InputCoding) -> str:
        """The outputs, with what each constant unit was in training."""
        if not inputs.constant_units:
            return self._outputs
        graph = self._graph
        constant, values = np.zeros((1, inputs.width), np.bool_), np.zeros((1, inputs.width), self._dtype)
        for each in inputs.constant_units:
            constant[0, each.unit], values[0, each.unit] = True, each.value
        return graph.node("Where", graph.constant(constant), graph.constant(values), self._outputs)

    def _numbers(self, scaled: str, scaler: Scaler) -> list[str]:
        """Each column of a matrix of scaled numbers in its own units, (n,)."""
        graph = self._graph
        numbers = graph.node("Mul", scaled, graph.constant(np.array([scaler.scale])))
        numbers = self._guarded(graph.node("Add", numbers, graph.constant(np.array([scaler.offset]))))
        return [
            graph.node("Gather", numbers, graph.constant(np.array(place)), axis=1) for place in range(len(scaler.scale))
        ]

    def _guarded(self, numbers: str) -> str:
        if self._unusable is None:
            return numbers
        return self._graph.node("Where", self._unusable, self._graph.constant(np.array(np.nan)), numbers)

    def _doubles(self, value: str) -> str:
        return self._graph.cast(value, np.float64)

    def _flat(self, value: str) -> str:
        return self._graph.node("Reshape", value, self._graph.constant(np.array([-1], np.int64)))
