"""Permutation importance: how much worse a model is when the values of one column are mixed up among the rows.

The definition is Breiman's (Random Forests, 2001), as scikit-learn's `permutation_importance` has it: the metric with a
column permuted is compared with the metric on the rows as they are. A column that the network does not use has the
importance 0. Of two columns that say the same each may have little, since the other one is left.

All units of a column are permuted together, so that a permuted value is one that the column has. Only they change. So
z of the first layer is computed once, and for a permuted column becomes z + W (x′ − x), where x and x′ have that
column's units alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS
from backprop.coding.columns import Array
from backprop.coding.targets import Outcome
from backprop.costs import COST_FUNCTIONS
from backprop.metrics.known import finite
from backprop.model import TrainedModel
from backprop.network import Network

MOST_ROWS = 10_000
"""Rows. No more are looked at."""

MOST_VALUES = 2**22
"""Values. The rows looked at have no more in any layer."""

MOST_REPEATS = 5
"""Permutations of a column."""

MOST_PERMUTATIONS = 5_000
"""Permutations of all columns. There are more only where there are more columns: each has one."""

MOST_WORK = 35 * 10**9
"""Multiplications of all permutations, the first layer's being counted once, see `work_per_row`."""

WORK_OF_AN_ACTIVATION = 100
"""Multiplications. One value of an activation takes about as long."""


class Effect(NamedTuple):
    """What permuting a column does to a metric.

    Attributes:
        mean: over the permutations.
        deviation: the standard deviation, the root of the mean squared distance from the mean; 0 for one permutation.
    """

    mean: float
    deviation: float


class ColumnImportance(NamedTuple):
    """How much a model needs one of its input columns.

    Attributes:
        column: the column's name.
        score_decrease: the score on the rows as they are less the score with the column permuted; None where there is
            no score, see `TargetCoding.score`.
        cost_increase: the mean of J(W,b;x,y) with the column permuted less that on the rows as they are; None where
            the network overflows.
    """

    column: str
    score_decrease: Effect | None
    cost_increase: Effect | None


@dataclass(frozen=True)
class Effort:
    """On how many rows each column is permuted, and how often.

    Attributes:
        rows: at least 1.
        repeats: at least 1.
    """

    rows: int
    repeats: int

    @classmethod
    def within_bounds(cls, network: Network, columns: int, rows: int) -> Effort:
        """As much as the bounds of this module allow, for so many columns and rows.

        It goes by these numbers and not by the clock, so that the result is the same on every machine. Repeats are
        given up before rows.
        """
        rows = max(1, min(rows, MOST_ROWS, MOST_VALUES // max(network.sizes)))
        each = work_per_row(network, columns)
        repeats = min(MOST_REPEATS, MOST_PERMUTATIONS // columns, MOST_WORK // (rows * each))
        if repeats >= 1:
            return cls(rows, repeats)
        return cls(max(1, min(rows, MOST_WORK // each)), 1)


def work_per_row(network: Network, columns: int) -> int:
    """s_1 s_2 + n (P + 100 U): multiplications that one permutation of each of n columns takes for a row.

    P is the number of parameters after the first layer, and U that of all units but the inputs.
    """
    first = network.sizes[0] * network.sizes[1]
    later = network.parameter_count - first - network.sizes[1]
    return first + columns * (later + WORK_OF_AN_ACTIVATION * sum(network.sizes[1:]))


@dataclass(frozen=True)
class Importance:
    """How much a model needs each of its input columns.

    Attributes:
        rows: on how many rows that was found.
        repeats: how often each column was permuted.
        columns: in the model's order.
    """

    rows: int
    repeats: int
    columns: tuple[ColumnImportance, ...]


def permutation_importance(
    model: TrainedModel, X: Array, Y: Array, cost: str, seed: int, weights: Array | None = None
) -> Importance:
    """How much worse a model is on coded rows when one input column is permuted among them.

    If there are more rows than `Effort.within_bounds` allows, r of the m are looked at, in their order:
    ``numpy.sort(numpy.random.default_rng([seed]).choice(m, r, replace=False, shuffle=False))``. In repeat k of column
    c, both counted from 0, row i gets the column's units of row π(i), with
    π = ``numpy.random.default_rng([seed, c, k]).permutation(r)``.

    Args:
        model: whose.
        X: (m, inputs), m ≥ 1, in memory or mapped from a file.
        Y: (m, outputs), likewise.
        cost: the name of J(W,b;x,y).
        seed: not negative.
        weights: of the rows, (m,), likewise and not negative; None if all count the same. They count in both metrics.
    """
    network = model.parameters.network
    inputs = model.coding.inputs
    effort = Effort.within_bounds(network, len(inputs.coded_columns), len(X))
    if effort.rows < len(X):
        rows = np.sort(np.random.default_rng([seed]).choice(len(X), effort.rows, replace=False, shuffle=False))
        X, Y, weights = X[rows], Y[rows], None if weights is None else weights[rows]
    measured = _Rows(model, X, Y, cost, weights)
    columns: list[ColumnImportance] = []
    for number, (column, first) in enumerate(zip(inputs.coded_columns, inputs.first_units, strict=True)):
        units = slice(first, first + column.width)
        orders = (
            np.random.default_rng([seed, number, repeat]).permutation(effort.rows) for repeat in range(effort.repeats)
        )
        permuted = [measured.with_permuted(units, order) for order in orders]
        scores, costs = zip(*permuted, strict=True)
        columns.append(
            ColumnImportance(
                column.name,
                _effect(measured.as_they_are.score, scores, -1),
                _effect(measured.as_they_are.cost, costs, 1),
            )
        )
    return Importance(effort.rows, effort.repeats, tuple(columns))


class _Quality(NamedTuple):
    """How good a model is on some rows; None where that is not defined."""

    score: float | None
    cost: float | None


class _Rows:
    """Some rows, on which a model is measured with one or another column permuted.

    Attributes:
        as_they_are: how good it is with none permuted.
    """

    def __init__(self, model: TrainedModel, X: Array, Y: Array, cost: str, weights: Array | None) -> None:
        parameters = model.parameters
        dtype = parameters.vector.dtype
        self._parameters = parameters
        self._targets = model.coding.targets
        self._measure = COST_FUNCTIONS[cost].measure
        self._X = np.asarray(X, dtype)
        self._Y = np.asarray(Y, dtype)
        self._weights = None if weights is None else np.asarray(weights, np.float64)
        self._total = float(len(X) if self._weights is None else self._weights.sum())
        with np.errstate(over="ignore", invalid="ignore"):
            self._first_z = self._X @ parameters.W[0].T + parameters.b[0]
            self.as_they_are = self._quality(self._first_z.copy())

    def with_permuted(self, units: slice, order: NDArray[np.intp]) -> _Quality:
        """How good it is where row i has these units of the input layer from row order[i]."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._X[:, units]
            z = (values[order] - values) @ self._parameters.W[0][:, units].T
            z += self._first_z
            return self._quality(z)

    def _quality(self, z: Array) -> _Quality:
        """How good it is, given z of the first layer, which is overwritten."""
        layers = self._parameters.network.layers
        for layer, W, b in zip(layers, self._parameters.W[1:], self._parameters.b[1:], strict=False):
            ACTIVATIONS[layer.activation].activate(z)
            z = z @ W.T
            z += b
        activation = ACTIVATIONS[layers[-1].activation]
        outputs = z.copy()
        activation.activate(outputs)
        score = self._targets.score(Outcome(self._Y, outputs, self._weights))
        z *= activation.scale
        weights = None if self._weights is None else self._weights.astype(z.dtype)
        sum_of_costs = self._measure(activation, z, self._Y, np.empty_like(z), weights)
        return _Quality(score, finite(sum_of_costs / self._total) if self._total else None)


def _effect(before: float | None, after: Sequence[float | None], sign: int) -> Effect | None:
    """What has been done to a metric, `sign` being 1 if it is an increase that counts and −1 if a decrease."""
    if before is None:
        return None
    differences = [sign * (each - before) for each in after if each is not None]
    if len(differences) < len(after):
        return None
    return Effect(float(np.mean(differences)), float(np.std(differences)))
