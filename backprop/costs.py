"""What a network's outputs cost, example by example: the data term of J, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.activations import OUTPUT_ACTIVATIONS, Activation

Array = NDArray[Any]

VALUES_OF_AN_EXAMPLE = 3
"""Numbers. Softmax's cross-entropy allocates so many for an example: two sums over its outputs, and their quotient."""


@dataclass(frozen=True)
class CostFunction:
    """J(W,b;x,y) of an example, and its derivative.

    Attributes:
        name: by which trainings refer to it.
        activations: of the output layers it goes with.
        measure: called with (activation, z, y, delta), the activation of the output layer and three arrays
            (rows, outputs) of one dtype. z comes times the activation's scale and is overwritten; puts ∂J/∂z into
            `delta`, and returns Σ J(W,b;x,y) over the rows.
    """

    name: str
    activations: tuple[str, ...]
    measure: Callable[[Activation, Array, Array, Array], float]


def _squared_error(activation: Activation, z: Array, y: Array, delta: Array) -> float:
    """½‖a − y‖², summed over outputs; δ = −(y − a) ⊙ f′(z)."""
    activation.apply(z)
    np.subtract(z, y, delta)
    errors = delta.ravel("K")  # a view, whether the rows or the columns are contiguous
    cost = 0.5 * float(errors.dot(errors))
    activation.times_derivative(delta, z)
    return cost


def _cross_entropy(activation: Activation, z: Array, y: Array, delta: Array) -> float:
    """−Σ y log a for softmax, −Σ [y log a + (1 − y) log(1 − a)] for sigmoid, summed over outputs.

    Both from z rather than a, as sums of terms of which none is negative for y in [0, 1]. So a saturated output costs
    what it should and not infinity, and no sum comes out below 0.
    """
    return _softmax_entropy(z, y, delta) if activation.name == "softmax" else _sigmoid_entropy(activation, z, y, delta)


def _softmax_entropy(z: Array, y: Array, delta: Array) -> float:
    """Σ_i y_i (log Σ_j exp(z_j) − z_i); δ = a Σ_i y_i − y, where the y of an example usually sum to 1."""
    ones = np.ones(z.shape[1], z.dtype)
    np.subtract(z, z.max(axis=1, keepdims=True), out=z)
    linear = float(np.vdot(y, z))
    np.exp(z, out=z)
    exponentials = z @ ones
    weights = y @ ones
    np.multiply(z, (weights / exponentials)[:, np.newaxis], out=delta)
    np.subtract(delta, y, out=delta)
    return float(np.dot(weights, np.log(exponentials))) - linear


def _sigmoid_entropy(activation: Activation, minus_z: Array, y: Array, delta: Array) -> float:
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
    cost = float(delta.sum())
    activation.apply(minus_z)
    np.subtract(minus_z, y, delta)
    return cost


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
