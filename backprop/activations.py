"""The activation functions f and their derivatives f′, by name.

Both work in place on arrays of any shape, float32 or float64: training calls them at every iteration, on buffers
that are allocated once. f′ is computed from the stored activation a = f(z), as on the tutorial's page.

Softmax is the one whose outputs depend on each other; it is for output layers, which have a row for each example.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_CONSTANTS = {np.dtype(dtype): (np.array(0.5, dtype), np.array(1.0, dtype)) for dtype in (np.float32, np.float64)}
"""½ and 1 as arrays: NumPy takes half as long with them as with Python's floats, which small networks feel."""


@dataclass(frozen=True)
class Activation:
    """A function of a layer's units.

    Attributes:
        name: by which networks refer to it.
        apply: turns z into a = f(z), in place.
        times_derivative: called with (delta, a, scratch), all of one shape and dtype: δ ⊙= f′(z), in place. What is
            in `scratch` is overwritten.
        hidden: whether hidden layers may have it.
        output: whether the output layer may have it.
        output_range: between which values a lies, or None if it is unbounded.
    """

    name: str
    apply: Callable[[Array], None]
    times_derivative: Callable[[Array, Array, Array], None]
    hidden: bool = True
    output: bool = True
    output_range: tuple[float, float] | None = None


def _sigmoid(z: Array) -> None:
    """1 / (1 + exp(−z)) = ½ + ½ tanh(z/2), the form without a division or an overflow."""
    half, _ = _CONSTANTS[z.dtype]
    np.multiply(z, half, out=z)
    np.tanh(z, out=z)
    np.multiply(z, half, out=z)
    np.add(z, half, out=z)


def _times_sigmoid_derivative(delta: Array, a: Array, scratch: Array) -> None:
    """Multiply by f′(z) = a(1 − a)."""
    _, one = _CONSTANTS[a.dtype]
    np.subtract(one, a, out=scratch)
    np.multiply(scratch, a, out=scratch)
    np.multiply(delta, scratch, out=delta)


def _tanh(z: Array) -> None:
    np.tanh(z, out=z)


def _times_tanh_derivative(delta: Array, a: Array, scratch: Array) -> None:
    """Multiply by f′(z) = 1 − a²."""
    _, one = _CONSTANTS[a.dtype]
    np.multiply(a, a, out=scratch)
    np.subtract(one, scratch, out=scratch)
    np.multiply(delta, scratch, out=delta)


def _relu(z: Array) -> None:
    np.maximum(z, 0, out=z)


def _times_relu_derivative(delta: Array, a: Array, scratch: Array) -> None:
    """Multiply by f′(z) = 1 where z > 0, else 0: the sign of a, which is never negative."""
    np.sign(a, out=scratch)
    np.multiply(delta, scratch, out=delta)


def _linear(z: Array) -> None:
    """Leave z as it is."""


def _times_linear_derivative(delta: Array, a: Array, scratch: Array) -> None:
    """Leave δ as it is: f′(z) = 1."""


def _softmax(z: Array) -> None:
    """exp(z_i) / Σ_j exp(z_j) in every row."""
    np.subtract(z, z.max(axis=-1, keepdims=True), out=z)
    np.exp(z, out=z)
    np.divide(z, z.sum(axis=-1, keepdims=True), out=z)


def _times_softmax_derivative(delta: Array, a: Array, scratch: Array) -> None:
    """Multiply by the Jacobian diag(a) − a aᵀ of every row."""
    np.multiply(delta, a, out=scratch)
    np.subtract(delta, scratch.sum(axis=-1, keepdims=True), out=delta)
    np.multiply(delta, a, out=delta)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("sigmoid", _sigmoid, _times_sigmoid_derivative, output_range=(0.0, 1.0)),
        Activation("tanh", _tanh, _times_tanh_derivative, output_range=(-1.0, 1.0)),
        Activation("relu", _relu, _times_relu_derivative, output=False),
        Activation("linear", _linear, _times_linear_derivative),
        Activation("softmax", _softmax, _times_softmax_derivative, hidden=False, output_range=(0.0, 1.0)),
    )
}

HIDDEN_ACTIVATIONS = tuple(name for name, activation in ACTIVATIONS.items() if activation.hidden)
OUTPUT_ACTIVATIONS = tuple(name for name, activation in ACTIVATIONS.items() if activation.output)


def output_range(name: str) -> tuple[float, float] | None:
    """Between which values an output layer's activation lies: where its targets must be.

    Returns:
        (0.0, 1.0) for sigmoid and softmax, (−1.0, 1.0) for tanh, None for linear.

    Raises:
        ValueError: no output layer has that activation.
    """
    if name not in OUTPUT_ACTIVATIONS:
        raise ValueError(f"an output layer's activation is one of {', '.join(OUTPUT_ACTIVATIONS)}, not {name!r}")
    return ACTIVATIONS[name].output_range
