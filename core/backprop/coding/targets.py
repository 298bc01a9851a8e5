"""Target columns to a network's output units, and its outputs back to what people read.

Targets are coded into the output activation's range [low, high] ([0, 1] for sigmoid, [−1, 1] for tanh; a linear output
has no range):

- classes: low for "no" and high for "yes", on one unit for two classes (high is the second) and one unit a
  class for more; a linear output uses 0 and 1; a softmax output always has one unit a class;
- numbers: scaled per column into [low, high], standardized for a linear output;
- reconstruction: the coded inputs themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from backprop.activations import output_range
from backprop.coding.columns import Array, Batch, Floats, number_matrix
from backprop.coding.inputs import InputCoding
from backprop.coding.labels import Codes, Labels, LabelTable
from backprop.coding.scaling import UNIT_RANGE, Range, Scaler
from backprop.column_statistics import ColumnStatistics
from backprop.metrics.classes import ClassMetrics
from backprop.metrics.known import mean_of_known
from backprop.metrics.medians import MedianErrors
from backprop.metrics.numbers import NumberErrors
from backprop.metrics.row_weights import with_weight


class Outcome(NamedTuple):
    """Some rows, and what the network says about them.

    Attributes:
        Y: the coded targets, (m, width).
        outputs: the network's, (m, width).
        weights: of the rows, (m,), not negative; None if all count the same.
    """

    Y: Array
    outputs: Array
    weights: Array | None = None


Blocks = Iterable[Outcome]
"""The outcome of many rows, block by block."""


class ClassScores(NamedTuple):
    """How strongly a network votes for each class.

    Attributes:
        classes: K labels.
        scores: (m, K) float64, each in [0, 1].
    """

    classes: Labels
    scores: Floats


class TargetCoding(ABC):
    """What a network's outputs stand for."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The target columns; none where the inputs are the targets."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many output units there are."""

    @property
    @abstractmethod
    def values_per_row(self) -> int:
        """How many values an answer has for each row: scores, or decoded columns."""

    @abstractmethod
    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Y, (m, width), C-contiguous, for the rows of a batch.

        Raises:
            ValueError: a class or category is not among the known ones.
        """

    @abstractmethod
    def decode(self, outputs: Array) -> dict[str, Array]:
        """The columns, (m,) each, that outputs (m, width) stand for."""

    def class_scores(self, outputs: Array) -> ClassScores | None:  # noqa: ARG002  # only classes look at them
        """The votes for each class in outputs (m, width); None where the targets are no classes."""
        return None

    @abstractmethod
    def metrics(self, blocks: Blocks) -> dict[str, Any]:
        """How well the outputs match, in the data's own units and labels, as plain JSON values.

        docs/jobs.md defines each. A value is None where it is not defined, or beyond double precision.
        """

    @abstractmethod
    def score(self, outcome: Outcome) -> float | None:
        """How well some rows match, as the one number of `metrics` that says most; the greater the better.

        None where it is not defined.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""

    @classmethod
    @abstractmethod
    def from_json(cls, stored: Mapping[str, Any], inputs: InputCoding) -> Self:
        """What `to_json` gave, for the network that sees these inputs."""


@dataclass(frozen=True)
class ClassCoding(TargetCoding):
    """One column of classes to the output units, and outputs back to classes.

    Attributes:
        target: the column's name.
        classes: at least two, sorted, of one type.
        bounds: what stands for "no" and for "yes".
        unit_each: whether two classes, too, have a unit each, as softmax needs, rather than share one.
    """

    target: str
    classes: Labels
    bounds: Range
    unit_each: bool = False

    @classmethod
    def for_output(cls, target: str, classes: Labels, activation: str) -> ClassCoding:
        """The coding for an output layer of that activation; nothing of it is learned."""
        return cls(target, classes, output_range(activation) or UNIT_RANGE, unit_each=activation == "softmax")

    @property
    def columns(self) -> tuple[str, ...]:
        """The target column."""
        return (self.target,)

    @property
    def width(self) -> int:
        """Output units: one a class, but two classes share one unless `unit_each`."""
        return 1 if len(self.classes) == 2 and not self.unit_each else len(self.classes)

    @property
    def values_per_row(self) -> int:
        """A score for each class."""
        return len(self.classes)

    @cached_property
    def table(self) -> LabelTable:
        """The way between classes and their positions."""
        return LabelTable(self.classes)

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Y, (m, width), for the target column of a batch. Raises ValueError for a class not known."""
        codes = self.table.codes(batch[self.target])
        low, high = self.bounds
        if self.width == 1:
            return np.where(codes == 1, high, low).astype(dtype)[:, np.newaxis]
        Y = np.full((len(codes), self.width), low, dtype)
        Y[np.arange(len(codes)), codes] = high
        return Y

    def codes(self, outputs: Array) -> Codes:
        """The predicted class of each row of outputs (m, width) as its position in `classes`, (m,).

        One unit: the second class where the output is above the middle of the range. More: the largest output.
        """
        if self.width == 1:
            return (outputs[:, 0] > sum(self.bounds) / 2).astype(np.intp)
        winners: Codes = outputs.argmax(axis=1)
        return winners

    def decode(self, outputs: Array) -> dict[str, Array]:
        """The predicted classes, under the target's name: labels of their own type, (m,)."""
        return {self.target: self.table.of(self.codes(outputs))}

    def class_scores(self, outputs: Array) -> ClassScores:
        """How strongly each class is voted for.

        An output is mapped from [low, high] to [0, 1] and clipped; two classes that share one unit get 1 − s and s.
        Of a softmax output these are its probabilities. Others are scores only: with more than two classes they need
        not add up to 1.
        """
        low, high = self.bounds
        share = np.subtract(outputs, low, dtype=np.float64)
        share /= high - low
        np.maximum(share, 0.0, out=share)
        np.minimum(share, 1.0, out=share)
        return ClassScores(self.classes, np.hstack([1 - share, share]) if self.width == 1 else share)

    def metrics(self, blocks: Blocks) -> dict[str, Any]:
        """All of `ClassMetrics`, with the labels as ``classes``.

        Log loss and Brier score are those of the scores, where these add up to 1: of softmax, and of one unit.
        """
        measured = ClassMetrics(len(self.classes), probabilities=self.unit_each or self.width == 1)
        for Y, outputs, weights in blocks:
            measured.add(self.codes(Y), self.codes(outputs), self.class_scores(outputs).scores, weights)
        return measured.to_json(list(self.classes))

    def score(self, outcome: Outcome) -> float | None:
        """The accuracy; None if no row weighs anything."""
        each, Y, outputs = with_weight(outcome.weights, outcome.Y, outcome.outputs)
        total = float(each.sum())
        return float(each @ (self.codes(Y) == self.codes(outputs))) / total if total else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": "classes",
            "target": self.target,
            "classes": list(self.classes),
            "bounds": list(self.bounds),
            "unit_each": self.unit_each,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], inputs: InputCoding) -> Self:  # noqa: ARG003
        """What `to_json` gave; the inputs do not matter."""
        low, high = stored["bounds"]
        return cls(stored["target"], tuple(stored["classes"]), (low, high), stored["unit_each"])


@dataclass(frozen=True)
class NumberCoding(TargetCoding):
    """One or more number columns to the output units, one each, and back to their own units.

    Attributes:
        targets: the columns' names.
        scaler: learned from the training rows.
    """

    targets: tuple[str, ...]
    scaler: Scaler

    @classmethod
    def fit(cls, targets: tuple[str, ...], statistics: ColumnStatistics, bounds: Range | None) -> NumberCoding:
        """Scale into the output's range, or standardize where the output has none (linear).

        Raises:
            CannotBeScaled: a column's values are spread too far or too little.
        """
        scaler = Scaler.standardizing(statistics) if bounds is None else Scaler.into_range(statistics, bounds)
        return cls(targets, scaler)

    @property
    def columns(self) -> tuple[str, ...]:
        """The target columns."""
        return self.targets

    @property
    def width(self) -> int:
        """Output units: one a target."""
        return len(self.targets)

    @property
    def values_per_row(self) -> int:
        """A number for each target."""
        return len(self.targets)

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Y, (m, width), C-contiguous, for the target columns of a batch."""
        numbers = number_matrix(batch, self.targets, len(batch[self.targets[0]]))
        return self.scaler.encode(numbers).astype(dtype, order="C")

    def decode(self, outputs: Array) -> dict[str, Array]:
        """Each target's values, (m,) float64, in its own units, for outputs (m, width)."""
        return dict(zip(self.targets, self.scaler.decode(outputs).T, strict=True))

    def metrics(self, blocks: Blocks) -> dict[str, Any]:
        """``rmse``, ``mae``, ``median_absolute_error`` and ``r2``, each an object from target to value; ``r2_mean``."""
        errors, medians = NumberErrors(self.width), MedianErrors(self.width)
        for Y, outputs, weights in blocks:
            actual, predicted = self.scaler.decode(Y), self.scaler.decode(outputs)
            errors.add(actual, predicted, weights)
            medians.add(actual, predicted, weights)
        return {
            **_of_columns(errors, self.targets),
            "median_absolute_error": dict(zip(self.targets, medians.medians, strict=True)),
        }

    def score(self, outcome: Outcome) -> float | None:
        """``r2_mean``."""
        errors = NumberErrors(self.width)
        errors.add(self.scaler.decode(outcome.Y), self.scaler.decode(outcome.outputs), outcome.weights)
        return mean_of_known(errors.r2)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "numbers", "targets": list(self.targets), "scaler": self.scaler.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], inputs: InputCoding) -> Self:  # noqa: ARG003
        """What `to_json` gave; the inputs do not matter."""
        return cls(tuple(stored["targets"]), Scaler.from_json(stored["scaler"]))


@dataclass(frozen=True)
class Reconstruction(TargetCoding):
    """The network's targets are its own coded inputs."""

    inputs: InputCoding

    @property
    def columns(self) -> tuple[str, ...]:
        """None: the inputs are the targets."""
        return ()

    @property
    def width(self) -> int:
        """Output units: as many as input units."""
        return self.inputs.width

    @property
    def values_per_row(self) -> int:
        """A value for each input column."""
        return len(self.inputs.coded_columns)

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Y, (m, width): the same values as the coded inputs."""
        return self.inputs.encode(batch, dtype)

    def decode(self, outputs: Array) -> dict[str, Array]:
        """The input columns, read from outputs (m, width) as if these were coded inputs."""
        return self.inputs.decode(outputs)

    def metrics(self, blocks: Blocks) -> dict[str, Any]:
        """How well each input column comes back, where it was not missing.

        Returns:
            ``rmse``, ``mae`` and ``r2``, each an object from number column to value; ``r2_mean``; ``accuracy``, from
            category column to the share of rows whose category came back, be it that it is missing.
        """
        numbers = self.inputs.scaled_names
        errors = NumberErrors(len(numbers))
        right = {column.name: 0.0 for column in self.inputs.coded_columns if column.categories is not None}
        total = 0.0
        for Y, outputs, weights in blocks:
            actual, predicted = self.decode(Y), self.decode(outputs)
            if numbers:
                errors.add(self._present(Y, actual), _side_by_side(predicted, numbers), weights)
            each, positions = with_weight(weights, np.arange(len(Y)))
            for name in right:
                right[name] += float(each @ (actual[name][positions] == predicted[name][positions]))
            total += float(each.sum())
        return {
            **_of_columns(errors, numbers),
            "accuracy": {name: weight / total if total else None for name, weight in right.items()},
        }

    def score(self, outcome: Outcome) -> float | None:  # noqa: ARG002
        """None: numbers and categories come back in different measure, and no one number says how well."""
        return None

    def _present(self, Y: Array, actual: Mapping[str, Array]) -> Array:
        """The actual numbers side by side, NaN where one was missing."""
        names = self.inputs.scaled_names
        numbers = _side_by_side(actual, names)
        for name, unit in self.inputs.gap_units.items():
            numbers[Y[:, unit] == 1, names.index(name)] = np.nan
        return numbers

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "reconstruction"}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], inputs: InputCoding) -> Self:  # noqa: ARG003
        """What `to_json` gave, for the network that sees these inputs."""
        return cls(inputs)


_KINDS: dict[str, type[TargetCoding]] = {
    "classes": ClassCoding,
    "numbers": NumberCoding,
    "reconstruction": Reconstruction,
}


def stored_targets(stored: Mapping[str, Any], inputs: InputCoding) -> TargetCoding:
    """The coding whose `to_json` gave this, for the network that sees these inputs.

    Raises:
        ValueError: its kind is not known.
    """
    kind = stored["kind"]
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of target coding: {kind!r}")
    return _KINDS[kind].from_json(stored, inputs)


def _side_by_side(columns: Mapping[str, Array], names: tuple[str, ...]) -> Array:
    return np.column_stack([columns[name] for name in names])


def _of_columns(errors: NumberErrors, names: tuple[str, ...]) -> dict[str, Any]:
    """The errors as plain JSON values, by column."""
    r2 = errors.r2
    return {
        "rmse": dict(zip(names, errors.rmse, strict=True)),
        "mae": dict(zip(names, errors.mae, strict=True)),
        "r2": dict(zip(names, r2, strict=True)),
        "r2_mean": mean_of_known(r2),
    }
