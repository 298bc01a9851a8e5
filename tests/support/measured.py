"""Rows with what was predicted for them, to be measured, for Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]

UNTIMED = settings(deadline=None)
"""scikit-learn takes its time on a busy machine."""

LABELS: tuple[tuple[Any, ...], ...] = (
    tuple(range(6)),
    (-7, 0, 3, 4, 100, 2**40),
    ("", "No", "a", "b c", "yes", "é"),
)


def exactly(value: float) -> Any:  # noqa: ANN401  # pytest names no type of its `approx`
    """What is the same as the value but for rounding."""
    return pytest.approx(float(value), rel=1e-12, abs=1e-12)


def in_batches(rows: Array, batches: int) -> Iterator[NDArray[np.intp]]:
    """The places of all rows, in so many batches, of which some may be empty."""
    yield from np.array_split(np.arange(len(rows)), batches)


@dataclass(frozen=True)
class ClassRows:
    """Some rows of K classes.

    Attributes:
        names: the labels of the classes, sorted.
        actual: the position of each row's class, (m,).
        predicted: likewise, (m,).
        scores: of each class, (m, K), in [0, 1], with ties.
        weights: (m,), of which some may be 0, but not all; None if there are none.
    """

    names: tuple[Any, ...]
    actual: NDArray[np.intp]
    predicted: NDArray[np.intp]
    scores: Floats
    weights: Floats | None

    @property
    def classes(self) -> int:
        return len(self.names)

    @property
    def counting(self) -> NDArray[np.bool_]:
        """Which rows have a weight."""
        return np.ones(len(self.actual), np.bool_) if self.weights is None else self.weights > 0

    @property
    def probabilities(self) -> Floats:
        """The scores, made to add up to 1."""
        shifted: Floats = self.scores + 1e-3
        shifted /= shifted.sum(axis=1, keepdims=True)
        return shifted

    def labels(self, positions: NDArray[np.intp]) -> Array:
        return np.array(self.names)[positions]

    def weights_of(self, batch: NDArray[np.intp]) -> Floats | None:
        return None if self.weights is None else self.weights[batch]

    def without_weight_0(self, arrays: dict[str, Any]) -> dict[str, Any]:
        return {name: None if array is None else array[self.counting] for name, array in arrays.items()}


@st.composite
def class_rows(draw: st.DrawFn) -> ClassRows:
    """Few rows, of which some classes may have none or all."""
    classes = draw(st.integers(2, 6))
    labels = draw(st.sampled_from([*LABELS, (False, True)] if classes == 2 else LABELS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(1, 30))
    present = rng.permutation(classes)[: draw(st.integers(1, classes))]
    scores = rng.random((rows, classes))
    if draw(st.booleans()):
        scores = np.round(scores, 1)
    weights = rng.choice([0.0, 0.25, 1.0, 3.5], rows) if draw(st.booleans()) else None
    if weights is not None:
        weights[rng.integers(rows)] = 2.0
    return ClassRows(
        labels[:classes], rng.choice(present, rows), rng.integers(0, classes, rows).astype(np.intp), scores, weights
    )


@dataclass(frozen=True)
class NumberRows:
    """Some rows of number columns.

    Attributes:
        actual: (m, n).
        predicted: (m, n).
        weights: (m,), of which some may be 0, but not all; None if there are none.
        scale: how large the numbers are about.
    """

    actual: Floats
    predicted: Floats
    weights: Floats | None
    scale: float

    @property
    def counting(self) -> NDArray[np.bool_]:
        """Which rows have a weight."""
        return np.ones(len(self.actual), np.bool_) if self.weights is None else self.weights > 0

    def weights_of(self, batch: NDArray[np.intp]) -> Floats | None:
        return None if self.weights is None else self.weights[batch]

    def to_scale(self, value: float) -> Any:  # noqa: ANN401  # as above
        """What is the same as the value but for the rounding of numbers as large as these."""
        return pytest.approx(float(value), rel=1e-12, abs=1e-12 * self.scale)


@st.composite
def number_rows(draw: st.DrawFn) -> NumberRows:
    """Few rows, of which all may have the same value."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 30)), draw(st.sampled_from([1, 2, 3, 5])))
    scale = draw(st.sampled_from([1e-150, 1e-3, 1.0, 1e8, 1e150]))
    actual = rng.normal(rng.normal(0, 3), 1, shape)
    if draw(st.booleans()):
        actual[:, 0] = actual[0, 0]
    if draw(st.booleans()):
        actual = np.round(actual)
    predicted = actual + rng.normal(0, draw(st.sampled_from([0.01, 1.0, 100.0])), shape)
    weights = rng.choice([0.0, 0.25, 1.0, 3.5], shape[0]) if draw(st.booleans()) else None
    if weights is not None:
        weights[rng.integers(shape[0])] = 2.0
    return NumberRows(actual * scale, predicted * scale, weights, scale)
