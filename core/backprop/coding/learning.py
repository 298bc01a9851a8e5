"""Learning a coding from the training rows, which come batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backprop.activations import output_range
from backprop.coding.coding import Coding
from backprop.coding.columns import Batch, Floats, batch_rows, number_matrix
from backprop.coding.input_learning import InputLearner
from backprop.coding.inputs import CodedColumn, InputCoding, Missing, width_of
from backprop.coding.labels import Label, Labels
from backprop.coding.scaling import UNIT_RANGE, Range, Scaling
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from backprop.column_statistics import ColumnStatistics


class ClassesMissing(Exception):
    """Some classes have no training row.

    Attributes:
        target: the column.
        classes: those without a row, in order.
    """

    def __init__(self, target: str, classes: tuple[Label, ...]) -> None:
        super().__init__(f"no training row has {target!r} = {', '.join(map(repr, classes))}")
        self.target = target
        self.classes = classes


class ConstantTarget(Exception):
    """A number target is the same in all training rows, so that there is nothing to learn.

    Attributes:
        target: the column.
        value: what it is in every row.
    """

    def __init__(self, target: str, value: float) -> None:
        super().__init__(f"{target!r} is {value:g} in all training rows")
        self.target = target
        self.value = value


@dataclass(frozen=True)
class CodingPlan:
    """What is known of a coding before any row is read.

    Attributes:
        coded_columns: the input columns, in order.
        scaling: how number inputs are scaled.
        missing: whether rows that are to be coded may lack values of the inputs.
        targets: the target columns; none for reconstruction.
        classes: the sorted classes of the one target that holds classes; None where targets are numbers, or none.
        activation: of the output layer, which decides the range that targets are coded into.
    """

    coded_columns: tuple[CodedColumn, ...]
    scaling: Scaling
    missing: Missing
    targets: tuple[str, ...]
    classes: Labels | None
    activation: str

    @property
    def input_width(self) -> int:
        """How many units the input layer has."""
        return width_of(self.coded_columns)

    @property
    def output_width(self) -> int:
        """How many units the output layer has."""
        return self.target_learner().width

    def target_learner(self) -> TargetLearner:
        """A learner of the targets' coding that has seen no rows yet."""
        if not self.targets:
            return _ReconstructionLearner(self.input_width, self.activation)
        if self.classes is not None:
            return _ClassLearner(ClassCoding.for_output(self.targets[0], self.classes, self.activation))
        return _NumberLearner(self.targets, self.activation)


class Learner:
    """Gathers what a coding needs to know of the training rows."""

    def __init__(self, plan: CodingPlan) -> None:
        self._plan = plan
        self._inputs = InputLearner(plan.coded_columns)
        self._targets = plan.target_learner()

    def add(self, batch: Batch, weights: Floats | None = None) -> None:
        """Take in a batch of training rows with all input and target columns; no target may be missing.

        Args:
            batch: the rows.
            weights: how much each counts, (m,): one that weighs 2 teaches what two such rows would. None: all alike.

        Raises:
            ValueError: a class or category is not among those planned.
        """
        self._inputs.add(batch, weights)
        self._targets.add(batch, weights)

    def coding(self) -> Coding:
        """What the rows so far have taught.

        Raises:
            CannotBeScaled: a column's values are spread too far or too little.
            ClassesMissing: some classes have not been seen.
            ConstantTarget: a number target has had one value only.
        """
        inputs = self._inputs.coding(self._plan.scaling, self._targets.input_range, self._plan.missing)
        return Coding(inputs, self._targets.coding(inputs))


class TargetLearner(ABC):
    """Gathers what the targets' coding needs to know of the training rows."""

    input_range: Range = UNIT_RANGE
    """Into which range the scaling min_max brings the inputs."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many output units the coding will have."""

    @abstractmethod
    def add(self, batch: Batch, weights: Floats | None = None) -> None:
        """Take in a batch of training rows, which may have weights."""

    @abstractmethod
    def coding(self, inputs: InputCoding) -> TargetCoding:
        """What the rows so far have taught. Raises as `Learner.coding` does."""


class _ClassLearner(TargetLearner):
    """Sees to it that every class has a row; the coding itself is known beforehand."""

    def __init__(self, coding: ClassCoding) -> None:
        self._coding = coding
        self._counts: NDArray[np.int64] = np.zeros(len(coding.classes), np.int64)

    @property
    def width(self) -> int:
        return self._coding.width

    def add(self, batch: Batch, weights: Floats | None = None) -> None:  # noqa: ARG002  # any row shows its class
        codes = self._coding.table.codes(batch[self._coding.target])
        self._counts += np.bincount(codes, minlength=len(self._counts))

    def coding(self, inputs: InputCoding) -> ClassCoding:  # noqa: ARG002  # these matter to a reconstruction only
        missing = tuple(self._coding.classes[position] for position in np.flatnonzero(self._counts == 0).tolist())
        if missing:
            raise ClassesMissing(self._coding.target, missing)
        return self._coding


class _NumberLearner(TargetLearner):
    def __init__(self, targets: tuple[str, ...], activation: str) -> None:
        self._names = targets
        self._bounds = output_range(activation)
        self._statistics = ColumnStatistics(len(targets))

    @property
    def width(self) -> int:
        return len(self._names)

    def add(self, batch: Batch, weights: Floats | None = None) -> None:
        self._statistics.add(number_matrix(batch, self._names, batch_rows(batch)), weights)

    def coding(self, inputs: InputCoding) -> NumberCoding:  # noqa: ARG002  # these matter to a reconstruction only
        seen = self._statistics
        for name, same, value in zip(
            self._names, seen.constant & (seen.weight > 0), seen.minimum.tolist(), strict=True
        ):
            if same:
                raise ConstantTarget(name, value)
        return NumberCoding.fit(self._names, self._statistics, self._bounds)


class _ReconstructionLearner(TargetLearner):
    """Has nothing to learn of its own, but the inputs must fit the output layer's range."""

    def __init__(self, width: int, activation: str) -> None:
        self._width = width
        self.input_range = output_range(activation) or UNIT_RANGE

    @property
    def width(self) -> int:
        return self._width

    def add(self, batch: Batch, weights: Floats | None = None) -> None:
        """Leave the rows: the inputs' scaling is all there is."""

    def coding(self, inputs: InputCoding) -> Reconstruction:
        return Reconstruction(inputs)
