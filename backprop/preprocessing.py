"""Turning columns into what a network sees and its outputs back into what people read.

Everything here is learned from training rows, is a few numbers and labels, and goes to plain JSON and back without
change (`to_json`, `from_json`). A batch of rows is a mapping from column name to a one-dimensional array, without
missing values: int64 or float64 for numbers, bool for booleans, object (str) for categories.

Coding of inputs: a number x becomes (x − offset) / scale; a category or boolean becomes one 0/1 feature for each of
its categories (one-hot), which is not scaled further.

Coding of targets into the output activation's range [low, high] ([0, 1] for sigmoid, [−1, 1] for tanh; a linear output
has no range):

- classes: low for "no" and high for "yes", on one unit for two classes (high is the second) and one unit a
  class for more; a linear output uses 0 and 1; a softmax output always has one unit a class;
- numbers: scaled per column into [low, high], standardized for a linear output;
- reconstruction: the coded inputs themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from backprop.moments import Moments

Array = NDArray[Any]
Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Batch = Mapping[str, Array]
Range = tuple[float, float]
Scaling = Literal["standardize", "min_max", "none"]
Label = bool | int | str
Labels = tuple[bool, ...] | tuple[int, ...] | tuple[str, ...]

UNIT_RANGE: Range = (0.0, 1.0)


def holdout_mask(rows: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Choose the rows that are kept out of training.

    The recipe, for whoever wants to repeat it: with ``held = round(fraction * rows)``, but at least 1 and at most
    ``rows - 1``, the held-out rows are ``numpy.random.default_rng(seed).permutation(rows)[:held]``. Training rows
    and held-out rows each keep the order of the file.

    Args:
        rows: m, at least 2 when the fraction is not 0.
        fraction: 0 ≤ fraction < 1.
        seed: of the generator.

    Returns:
        (m,) bool, True for a held-out row; none is when the fraction is 0.

    Raises:
        ValueError: the fraction is out of range, or there are too few rows to hold one out.
    """
    mask = np.zeros(rows, dtype=np.bool_)
    held = held_out_rows(rows, fraction)
    if held:
        mask[np.random.default_rng(seed).permutation(rows)[:held]] = True
    return mask


def held_out_rows(rows: int, fraction: float) -> int:
    """How many of the rows `holdout_mask` holds out. Raises ValueError as it does."""
    if not 0 <= fraction < 1:
        raise ValueError(f"the held-out fraction must be at least 0 and less than 1, not {fraction}")
    if fraction == 0:
        return 0
    if rows < 2:
        raise ValueError(f"holding rows out needs at least 2 rows, not {rows}")
    return min(max(1, round(fraction * rows)), rows - 1)


def number_matrix(batch: Batch, names: Sequence[str], rows: int) -> Floats:
    """The named columns of a batch side by side, (rows, n) float64 (column-major, as the columns came)."""
    matrix = np.empty((len(names), rows))
    for index, name in enumerate(names):
        matrix[index] = batch[name]
    return matrix.T


def batch_rows(batch: Batch) -> int:
    """How many rows a batch has; 0 when it has no columns."""
    return len(next(iter(batch.values()), ()))


@dataclass(frozen=True)
class LabelTable:
    """Distinct labels of one type in a fixed order, and the way from labels to positions and back."""

    labels: Labels

    @cached_property
    def _positions(self) -> dict[Label, int]:
        return dict(zip(self.labels, range(len(self.labels)), strict=True))

    @cached_property
    def _array(self) -> Array:
        text = any(isinstance(label, str) for label in self.labels)
        return np.array(self.labels, dtype=object if text else None)

    def codes(self, values: Array) -> Codes:
        """The position of each value, (m,).

        Raises:
            ValueError: a value is not among the labels.
        """
        try:
            return np.fromiter(map(self._positions.__getitem__, values.tolist()), np.intp, len(values))
        except KeyError as unknown:
            raise ValueError(f"{unknown.args[0]!r} is not among the known values") from None

    def of(self, codes: Codes) -> Array:
        """The labels at these positions, (m,), of their own type: int64, bool or object (str)."""
        return self._array[codes]


@dataclass(frozen=True)
class Scaler:
    """Numbers, column by column, to (x − offset) / scale and back.

    Attributes:
        offset: one value a column.
        scale: one value a column, finite and not 0; 1 for a constant column, which becomes 0 throughout.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def standardizing(cls, moments: Moments) -> Scaler:
        """To mean 0 and (population) standard deviation 1: offset = mean, scale = sd."""
        return cls._guarded(moments, moments.mean, moments.standard_deviation)

    @classmethod
    def into_range(cls, moments: Moments, bounds: Range) -> Scaler:
        """Minimum to low and maximum to high: scale = (max − min) / (high − low), offset = min − low · scale."""
        low, high = bounds
        with np.errstate(over="ignore", invalid="ignore"):
            scale = (moments.maximum - moments.minimum) / (high - low)
            return cls._guarded(moments, moments.minimum - low * scale, scale)

    @classmethod
    def identity(cls, columns: int) -> Scaler:
        """Leaves every number as it is."""
        return cls((0.0,) * columns, (1.0,) * columns)

    @classmethod
    def _guarded(cls, moments: Moments, offset: Floats, scale: Floats) -> Scaler:
        """A constant column is shifted to 0 and not stretched; what has no finite scale is refused."""
        usable = np.isfinite(offset) & np.isfinite(scale) & ((scale > 0) | moments.constant)
        if not usable.all():
            raise ValueError(
                f"number column {int(np.argmin(usable))} (counted from 0) is spread too far or too little to be "
                "scaled in double precision"
            )
        return cls(
            tuple(np.where(moments.constant, moments.minimum, offset).tolist()),
            tuple(np.where(moments.constant, 1.0, scale).tolist()),
        )

    def encode(self, numbers: Array) -> Floats:
        """Scale numbers, (m, n), any number type; the result is a new float64 array in the same memory order."""
        scaled = np.subtract(numbers, self.offset, dtype=np.float64)
        scaled /= self.scale
        return scaled

    def decode(self, scaled: Array) -> Floats:
        """The numbers, (m, n) float64, that were scaled."""
        return np.multiply(scaled, self.scale, dtype=np.float64) + self.offset

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"offset": list(self.offset), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Scaler:
        """What `to_json` gave."""
        return cls(tuple(stored["offset"]), tuple(stored["scale"]))


@dataclass(frozen=True)
class Feature:
    """An input column: a number where there are no categories, else one feature for each category."""

    name: str
    categories: tuple[bool, ...] | tuple[str, ...] | None = None

    @property
    def width(self) -> int:
        """How many units of the input layer the column takes."""
        return 1 if self.categories is None else len(self.categories)

    @property
    def unit_names(self) -> list[str]:
        """What each of those units stands for: ``age``, or ``colour=red`` for a category."""
        if self.categories is None:
            return [self.name]
        return [f"{self.name}={category}" for category in self.categories]


@dataclass(frozen=True)
class InputCoding:
    """Columns to the rows X a network sees.

    Attributes:
        features: the input columns in order; their units lie side by side in the same order.
        scaler: of the number features, in order.
    """

    features: tuple[Feature, ...]
    scaler: Scaler

    @classmethod
    def fit(
        cls,
        features: tuple[Feature, ...],
        moments: Moments,
        scaling: Scaling,
        bounds: Range = UNIT_RANGE,
    ) -> InputCoding:
        """Learn the scaling.

        Args:
            features: the input columns.
            moments: of the number features, in order, over the training rows.
            scaling: standardize, min_max into `bounds`, or none.
            bounds: [low, high] of min_max.

        Raises:
            ValueError: a column's values are too large to be scaled.
        """
        if scaling == "standardize":
            scaler = Scaler.standardizing(moments)
        elif scaling == "min_max":
            scaler = Scaler.into_range(moments, bounds)
        else:
            scaler = Scaler.identity(len(moments.mean))
        return cls(features, scaler)

    @cached_property
    def width(self) -> int:
        """Units of the input layer."""
        return sum(feature.width for feature in self.features)

    @property
    def unit_names(self) -> list[str]:
        """What each unit of the input layer stands for, (width)."""
        return [name for feature in self.features for name in feature.unit_names]

    @cached_property
    def number_names(self) -> tuple[str, ...]:
        """The number columns, in order."""
        return tuple(feature.name for feature in self.features if feature.categories is None)

    @cached_property
    def _number_units(self) -> Codes:
        return np.array([start for start, table in self._layout.values() if table is None], dtype=np.intp)

    @cached_property
    def _layout(self) -> dict[str, tuple[int, LabelTable | None]]:
        """Column name to its first unit and, for a category, its table."""
        layout: dict[str, tuple[int, LabelTable | None]] = {}
        start = 0
        for feature in self.features:
            table = None if feature.categories is None else LabelTable(feature.categories)
            layout[feature.name] = (start, table)
            start += feature.width
        return layout

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Code the rows of a batch.

        Args:
            batch: all input columns; others are ignored.
            dtype: float32 or float64, of the result; the arithmetic is float64 in any case.

        Returns:
            X, (m, width), C-contiguous.

        Raises:
            ValueError: a category is not among the known ones.
        """
        rows = batch_rows(batch)
        scaled = self.scaler.encode(number_matrix(batch, self.number_names, rows))
        with np.errstate(over="ignore"):
            if len(self.number_names) == self.width:
                return scaled.astype(dtype, order="C")
            X = np.zeros((rows, self.width), dtype)
            X[:, self._number_units] = scaled
        every_row = np.arange(rows)
        for name, (start, table) in self._layout.items():
            if table is not None:
                X[every_row, start + table.codes(batch[name])] = 1
        return X

    def decode(self, coded: Array) -> dict[str, Array]:
        """The columns that rows (m, width) stand for.

        Numbers come back unscaled as float64; a category is the one whose feature is largest (the first if equal).
        """
        numbers = self.scaler.decode(coded[:, self._number_units])
        columns: dict[str, Array] = {}
        unread = iter(numbers.T)
        for feature in self.features:
            start, table = self._layout[feature.name]
            if table is None:
                columns[feature.name] = next(unread)
            else:
                columns[feature.name] = table.of(coded[:, start : start + feature.width].argmax(axis=1))
        return columns

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "features": [
                {"name": f.name, "categories": None if f.categories is None else list(f.categories)}
                for f in self.features
            ],
            "scaler": self.scaler.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> InputCoding:
        """What `to_json` gave."""
        features = tuple(
            Feature(f["name"], None if f["categories"] is None else tuple(f["categories"])) for f in stored["features"]
        )
        return cls(features, Scaler.from_json(stored["scaler"]))


@dataclass(frozen=True)
class ClassCoding:
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

    @property
    def width(self) -> int:
        """Output units: one a class, but two classes share one unless `unit_each`."""
        return 1 if len(self.classes) == 2 and not self.unit_each else len(self.classes)

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

    def scores(self, outputs: Array) -> Floats:
        """How strongly each class is voted for, (m, number of classes), each in [0, 1].

        An output is mapped from [low, high] to [0, 1] and clipped; two classes that share one unit get 1 − s and s.
        Of a softmax output these are its probabilities. Others are scores only: with more than two classes they need
        not add up to 1.
        """
        low, high = self.bounds
        share = np.clip((np.asarray(outputs, np.float64) - low) / (high - low), 0.0, 1.0)
        return np.hstack([1 - share, share]) if self.width == 1 else share

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": "classes",
            "target": self.target,
            "classes": list(self.classes),
            "bounds": list(self.bounds),
            "unit_each": self.unit_each,
        }


@dataclass(frozen=True)
class NumberCoding:
    """One or more number columns to the output units, one each, and back to their own units.

    Attributes:
        targets: the columns' names.
        scaler: learned from the training rows.
    """

    targets: tuple[str, ...]
    scaler: Scaler

    @classmethod
    def fit(cls, targets: tuple[str, ...], moments: Moments, bounds: Range | None) -> NumberCoding:
        """Scale into the output's range, or standardize where the output has none (linear).

        Raises:
            ValueError: a column's values are too large to be scaled.
        """
        scaler = Scaler.standardizing(moments) if bounds is None else Scaler.into_range(moments, bounds)
        return cls(targets, scaler)

    @property
    def width(self) -> int:
        """Output units: one a target."""
        return len(self.targets)

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Y, (m, width), C-contiguous, for the target columns of a batch."""
        numbers = number_matrix(batch, self.targets, len(batch[self.targets[0]]))
        return self.scaler.encode(numbers).astype(dtype, order="C")

    def decode(self, outputs: Array) -> dict[str, Array]:
        """Each target's values, (m,) float64, in its own units, for outputs (m, width)."""
        return dict(zip(self.targets, self.scaler.decode(outputs).T, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "numbers", "targets": list(self.targets), "scaler": self.scaler.to_json()}


@dataclass(frozen=True)
class Reconstruction:
    """The network's targets are its own coded inputs."""

    inputs: InputCoding

    @property
    def width(self) -> int:
        """Output units: as many as input units."""
        return self.inputs.width

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Y, (m, width): the same values as the coded inputs."""
        return self.inputs.encode(batch, dtype)

    def decode(self, outputs: Array) -> dict[str, Array]:
        """The input columns, read from outputs (m, width) as if these were coded inputs."""
        return self.inputs.decode(outputs)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "reconstruction"}


TargetCoding = ClassCoding | NumberCoding | Reconstruction


@dataclass(frozen=True)
class Preprocessing:
    """All that stands between a table's columns and a network, both ways."""

    inputs: InputCoding
    targets: TargetCoding

    @property
    def target_names(self) -> tuple[str, ...]:
        """The target columns; none for reconstruction."""
        if isinstance(self.targets, ClassCoding):
            return (self.targets.target,)
        return self.targets.targets if isinstance(self.targets, NumberCoding) else ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, from which `from_json` makes an equal object."""
        return {"inputs": self.inputs.to_json(), "targets": self.targets.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Preprocessing:
        """What `to_json` gave, also after a trip through JSON text.

        Raises:
            ValueError: the kind of target coding is not known.
        """
        inputs = InputCoding.from_json(stored["inputs"])
        return cls(inputs, _target_coding(stored["targets"], inputs))


def _target_coding(stored: Mapping[str, Any], inputs: InputCoding) -> TargetCoding:
    kind = stored["kind"]
    if kind == "classes":
        low, high = stored["bounds"]
        return ClassCoding(stored["target"], tuple(stored["classes"]), (low, high), stored["unit_each"])
    if kind == "numbers":
        return NumberCoding(tuple(stored["targets"]), Scaler.from_json(stored["scaler"]))
    if kind == "reconstruction":
        return Reconstruction(inputs)
    raise ValueError(f"unknown kind of target coding: {kind!r}")
