"""What a model answers on a grid of two of its input columns, all others held at one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Array, Floats
from backprop.coding.inputs import InputCoding
from backprop.model import TrainedModel

MOST_SIDE, LEAST_SIDE = 80, 8
"""Points along a side of the grid."""

MOST_WORK = 2 * 10**8
"""Multiplications of all predictions. They take a few hundredths of a second on one core."""


class Grid(NamedTuple):
    """Where to ask: all pairs of these values.

    Attributes:
        x_column, y_column: their names.
        x, y: values for them, ascending.
    """

    x_column: str
    x: Floats
    y_column: str
    y: Floats


class Surface(NamedTuple):
    """What a model answers on a grid, the rows along y and the columns along x.

    Attributes:
        values: (y, x) float64: of a classification the position of the class with the highest score, else the value of
            the first target in its own units. NaN where the network overflows.
        scores: (y, x) float64: that highest score, in [0, 1]; None unless it is a classification.
    """

    values: Floats
    scores: Floats | None


def numeric_columns(inputs: InputCoding) -> tuple[str, ...]:
    """The input columns that hold numbers, and no moments."""
    return tuple(each.name for each in inputs.coded_columns if each.categories is None and each.moments is None)


def held(inputs: InputCoding) -> dict[str, float | bool | str]:
    """What each column is held at: a number or moment at the mean of the training rows, a category at its first one."""
    values: dict[str, float | bool | str] = dict(zip(inputs.scaled_names, inputs.means, strict=True))
    return values | {each.name: each.categories[0] for each in inputs.coded_columns if each.categories is not None}


def finest_side(model: TrainedModel) -> int:
    """How many points a side of a square grid may have, so that its predictions take no more than `MOST_WORK`."""
    most = int((MOST_WORK / model.parameters.network.parameter_count) ** 0.5)
    return max(LEAST_SIDE, min(MOST_SIDE, most))


def surface(model: TrainedModel, grid: Grid) -> Surface:
    """What the model answers on the grid.

    Args:
        model: of classes or numbers.
        grid: of two different number columns of its inputs.
    """
    y, x = np.meshgrid(grid.y, grid.x, indexing="ij")
    batch = _batch(held(model.coding.inputs), {grid.x_column: x.ravel(), grid.y_column: y.ravel()})
    blocks = list(model.predict(batch))
    if blocks[0].scores is not None:
        scores = np.concatenate([block.scores.scores for block in blocks if block.scores is not None])
        values = np.where(np.isnan(scores).any(axis=1), np.nan, scores.argmax(axis=1))
        return Surface(values.reshape(x.shape), scores.max(axis=1).reshape(x.shape))
    target = model.coding.targets.columns[0]
    numbers = np.concatenate([block.columns[target] for block in blocks])
    return Surface(np.where(np.isfinite(numbers), numbers, np.nan).reshape(x.shape), None)


def _batch(values: Mapping[str, float | bool | str], of_grid: Mapping[str, Floats]) -> dict[str, Array]:
    rows = len(next(iter(of_grid.values())))
    return {name: _repeated(value, rows) for name, value in values.items()} | dict(of_grid)


def _repeated(value: float | bool | str, rows: int) -> NDArray[Any]:
    if isinstance(value, bool | str):
        return np.array([value] * rows, dtype=object)
    return np.full(rows, value, np.float64)


def spaced(low: float, high: float, points: int) -> Floats:
    """Values from low to high, equally far from each other."""
    return np.linspace(low, high, points)


def ranges(
    inputs: InputCoding, known: Mapping[str, tuple[float, float]], names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """From where to where to look at each of some number columns.

    That is as far as its values reach in the dataset. Where that is not known, or all are the same, it is three times
    its scale to both sides of the mean of the training rows.

    Args:
        inputs: of the model.
        known: the least and the greatest value of columns in the dataset.
        names: of the columns.
    """
    found = {}
    for name in names:
        low, high = known.get(name, (0.0, 0.0))
        if low >= high:
            position = inputs.scaled_names.index(name)
            mean, scale = inputs.means[position], abs(inputs.scaler.scale[position])
            low, high = mean - 3 * scale, mean + 3 * scale
        found[name] = (low, high)
    return found
