"""Input columns to the rows X that the network sees, as nodes: what `InputCoding.encode` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.periods import PERIODS
from domain.models.export.graph.builder import Float, GraphBuilder
from domain.models.export.graph.moments import out_of_calendar, phase
from domain.models.export.ports import categories_known


class CodedRows(NamedTuple):
    """What the columns become.

    Attributes:
        X: the name of the coded rows, (n, width) of the parameters' type.
        unusable: the name of an (n, 1) of booleans: the rows that have no answer. None if every row has one.
    """

    X: str
    unusable: str | None


class _Piece(NamedTuple):
    """Some units of the input layer.

    Attributes:
        value: the name of a matrix with a column each.
        units: their places in the input layer.
    """

    value: str
    units: list[int]


def coded_rows(graph: GraphBuilder, inputs: InputCoding, dtype: Float) -> CodedRows:
    """The nodes from the columns to X.

    A row has no answer if a value is missing in it where the model takes none that are, or if a moment is outside of
    the calendar.
    """
    return _Columns(graph, inputs, dtype).coded()


class _Columns:
    """All number and moment columns go through the same nodes, as one matrix; a category column has its own."""

    def __init__(self, graph: GraphBuilder, inputs: InputCoding, dtype: Float) -> None:
        self._graph = graph
        self._inputs = inputs
        self._dtype = dtype
        self._first_unit = dict(zip((column.name for column in inputs.coded_columns), inputs.first_units, strict=True))
        self._numeric = [column for column in inputs.coded_columns if column.categories is None]
        self._upright = graph.constant(np.array([-1, 1], np.int64), "upright")
        self._unusable: list[str] = []

    def coded(self) -> CodedRows:
        pieces = list(self._of_numbers()) if self._numeric else []
        pieces += [
            self._of_categories(column) for column in self._inputs.coded_columns if column.categories is not None
        ]
        X = self._graph.side_by_side([piece.value for piece in pieces])
        units = [unit for piece in pieces for unit in piece.units]
        if units != list(range(self._inputs.width)):
            X = self._graph.gathered(X, np.argsort(units).tolist())
        return CodedRows(self._without_constants(X), self._any_unusable())

    def _of_numbers(self) -> Iterator[_Piece]:
        graph = self._graph
        raw = graph.side_by_side([self._column(column) for column in self._numeric])
        absent = graph.node("IsNaN", raw)
        numbers = raw
        if self._inputs.missing == "impute":
            numbers = graph.node("Where", absent, self._row(self._inputs.means), raw)
        else:
            self._unusable.append(absent)
        scaler = self._inputs.scaler
        scaled = graph.node("Div", graph.node("Sub", numbers, self._row(scaler.offset)), self._row(scaler.scale))
        yield _Piece(self._cast(scaled), [self._first_unit[column.name] for column in self._numeric])
        gaps = [place for place, column in enumerate(self._numeric) if column.has_gaps]
        if gaps:
            columns = [self._numeric[place] for place in gaps]
            units = [self._first_unit[column.name] + column.gap_unit for column in columns]
            yield _Piece(self._cast(graph.gathered(absent, gaps)), units)
        yield from self._waves(raw, absent)

    def _waves(self, raw: str, absent: str) -> Iterator[_Piece]:
        """Sines and cosines of the moments' phases, 0 where the moment is missing."""
        moments = [place for place, column in enumerate(self._numeric) if column.moments is not None]
        if not moments:
            return
        graph = self._graph
        astray = out_of_calendar(graph, graph.gathered(raw, moments))
        self._unusable.append(astray)
        for period in PERIODS:
            places = [place for place in moments if period in self._numeric[place].periods]
            if not places:
                continue
            columns = [self._numeric[place] for place in places]
            no_phase = graph.node(
                "Or",
                graph.gathered(absent, places),
                graph.gathered(astray, [moments.index(place) for place in places]),
            )
            zero = graph.constant(np.array(0.0))
            seconds = graph.node("Where", no_phase, zero, graph.gathered(raw, places))
            angle = graph.node("Mul", phase(graph, period, seconds), graph.constant(np.array(2 * np.pi)))
            # ONNX Runtime of some years ago has no cosine in double precision.
            ahead = graph.node("Add", angle, graph.constant(np.array(np.pi / 2)))
            for wave, shifted in enumerate((angle, ahead)):
                value = graph.node("Where", no_phase, zero, graph.node("Sin", shifted))
                units = [
                    self._first_unit[column.name] + 1 + 2 * column.periods.index(period) + wave for column in columns
                ]
                yield _Piece(self._cast(value), units)

    def _of_categories(self, column: CodedColumn) -> _Piece:
        """A 0/1 unit for each category, and the one for "is missing": where the value is none of them."""
        assert column.categories is not None  # noqa: S101  # it is asked for these only
        graph = self._graph
        known = categories_known(column)[: len(column.categories)]
        categories = graph.constant(known[np.newaxis], "categories")
        units = self._cast(graph.node("Equal", self._column(column), categories))
        first = self._first_unit[column.name]
        refuses = self._inputs.missing != "impute"
        if column.has_gaps or refuses:
            found = graph.node("ReduceSum", units, graph.constant(np.array([1], np.int64)), keepdims=1)
            absent = graph.node("Sub", graph.constant(np.array(1, self._dtype)), found)
            if refuses:
                self._unusable.append(graph.cast(absent, np.bool_))
            if column.has_gaps:
                units = graph.side_by_side([units, absent])
        return _Piece(units, list(range(first, first + column.width)))

    def _without_constants(self, X: str) -> str:
        """X with 0 in the units that have no say."""
        if not self._inputs.constant_units:
            return X
        constant = np.zeros((1, self._inputs.width), np.bool_)
        constant[0, [each.unit for each in self._inputs.constant_units]] = True
        graph = self._graph
        return graph.node("Where", graph.constant(constant), graph.constant(np.array(0, self._dtype)), X)

    def _any_unusable(self) -> str | None:
        if not self._unusable:
            return None
        graph = self._graph
        counted = graph.side_by_side([graph.cast(value, np.float32) for value in self._unusable])
        some = graph.node("ReduceMax", counted, graph.constant(np.array([1], np.int64)), keepdims=1)
        return graph.cast(some, np.bool_)

    def _column(self, column: CodedColumn) -> str:
        """The column upright, (n, 1), however it was handed in."""
        return self._graph.node("Reshape", column.name, self._upright)

    def _row(self, values: Sequence[float]) -> str:
        return self._graph.constant(np.array([values], np.float64))

    def _cast(self, value: str) -> str:
        return self._graph.cast(value, self._dtype)
