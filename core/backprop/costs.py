"""What a network's outputs cost, example by example: the data term of J, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backprop.activations import OUTPUT_ACTIVATIONS, Activation

Array = NDArray[Any]

VALUES_OF_AN_EXAMPLE = 3
"""Numbers. Softmax's cross-entropy allocates so many for an example: two sums over its outputs, and their quotient."""


class Measure(Protocol):
    """Measures the outputs of some rows."""

    def __call__(
        self, activation: Activation, z: Array, y: Array, delta: Array, weights: Array | None = None, /
    ) -> float:
        """Σ w J(W,b;x,y) over the rows; puts w ∂J/∂z into `delta`.

        Args:
            activation: of the output layer.
            z: (rows, outputs), times the activation's scale; overwritten.
            y: (rows, outputs), of the same dtype.
            delta: (rows, outputs), likewise; written.
            weights: w, (rows,), likewise; None stands for ones.
        """


@dataclass(frozen=True)
class CostFunction:
    """J(W,b;x,y) of an example, and its derivative.

    Attributes:
        name: by which trainings refer to it.
        activations: of the output layers it goes with.
        measure: gives Σ J(W,b;x,y) over some rows, and ∂J/∂z of each.
    """

    name: str
    activations: tuple[str, ...]
    measure: Measure


def _squared_error(activation: Activation, z: Array, y: Array, delta: Array, weights: Array | None = None) -> float:
    """½‖a − y‖², summed over outputs; δ = −(y − a) ⊙ f′(z)."""
    activation.apply(z)
    np.subtract(z, y, delta)
    if weights is None:
        errors = delta.ravel("K")  # a view, whether the rows or the columns are contiguous
        cost = 0.5 * float(errors.dot(errors))
    else:
        cost = 0.5 * _weighted_sum(np.square(delta), weights)
    activation.times_derivative(delta, z)
    _weigh(delta, weights)
    return cost


def _cross_entropy(activation: Activation, z: Array, y: Array, delta: Array, weights: Array | None = None) -> float:
    """−Σ y log a for softmax, −Σ [y log a + (1 − y) log(1 − a)] for sigmoid, summed over outputs.

    Both from z rather than a, as sums of terms of which none is negative for y in [0, 1]. So a saturated output costs
    what it should and not infinity, and no sum comes out below 0.
    """
    if activation.name == "softmax":
        cost = _softmax_entropy(z, y, delta, weights)
    else:
        cost = _sigmoid_entropy(activation, z, y, delta, weights)
    _weigh(delta, weights)
    return cost


def _softmax_entropy(z: Array, y: Array, delta: Array, weights: Array | None) -> float:
    """Σ_i y_i (log Σ_j exp(z_j) − z_i); δ = a Σ_i y_i − y, where the y of an example usually sum to 1."""
    ones = np.ones(z.shape[1], z.dtype)
    np.subtract(z, z.max(axis=1, keepdims=True), out=z)
    linear = float(np.vdot(y, z)) if weights is None else _weighted_sum(y * z, weights)
    np.exp(z, out=z)
    exponentials = z @ ones
    totals = y @ ones
    np.multiply(z, (totals / exponentials)[:, np.newaxis], out=delta)
    np.subtract(delta, y, out=delta)
    if weights is not None:
        np.multiply(totals, weights, out=totals)
    return float(np.dot(totals, np.log(exponentials))) - linear


def _sigmoid_entropy(activation: Activation, minus_z: Array, y: Array, delta: Array, weights: Array | None) -> float:
    """Σ max(z, 0) − yz + log(1 + exp(−|z|)); δ = a − y.

    max(z, 0) is ½(|z| + z), exactly: NumPy's own maximum takes longer than the three operations.
    """
    terms = np.abs(minus_z)
    np.subtract(terms, minus_z, terms)
    np.multiply(terms, 0.5, terms)
    np.multiply(y, minus_z, delta)
    np.add(delta, terms, delta)
    np.abs(minus_z, terms)
    np.negative(terms, terms)
    np.exp(terms, terms)
    np.log1p(terms, terms)
    np.add(delta, terms, delta)
    cost = float(delta.sum()) if weights is None else _weighted_sum(delta, weights)
    activation.apply(minus_z)
    np.subtract(minus_z, y, delta)
    return cost


def _weighted_sum(values: Array, weights: Array) -> float:
    """Σ_i w_i Σ_j v_ij of values (rows, outputs)."""
    return float((weights @ values).sum())


def _weigh(delta: Array, weights: Array | None) -> None:
    """Multiply each row by its weight."""
    if weights is not None:
        np.multiply(delta, weights[:, np.newaxis], out=delta)


def measuring_values(rows: int, outputs: int) -> int:
    """How many numbers the cost functions and output layers below allocate at most for (rows, outputs)."""
    return rows * max(outputs, VALUES_OF_AN_EXAMPLE)


COST_FUNCTIONS = {
    cost.name: cost
    for cost in (
        CostFunction("squared_error", OUTPUT_ACTIVATIONS, _squared_error),
        CostFunction("cross_entropy", ("sigmoid", "softmax"), _cross_entropy),
    )
}
