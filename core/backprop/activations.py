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

_ONE = {np.dtype(dtype): np.array(1.0, dtype) for dtype in (np.float32, np.float64)}
"""1 as an array. NumPy takes half as long with it as with Python's float, and small networks feel that."""

SHORT_ROW = 32
"""Values. NumPy takes longer to begin with a row than to look through so few."""

MANY_VALUES = 2**13
"""Values. For fewer the calls take longer than what they do."""


@dataclass(frozen=True)
class Activation:
    """A function of a layer's units.

    Attributes:
        name: by which networks refer to it.
        apply: turns `scale` · z into a = f(z), in place. Numbers may overflow on the way, so it is to be called
            where NumPy does not warn of that.
        times_derivative: called with (delta, a), both of one shape and dtype: δ ⊙= f′(z), in place. What is in `a` is
            overwritten.
        scale: what `apply` wants z to be multiplied by, 1 or −1, so that the product is exact: training multiplies
            the weights by it instead, of which there are fewer.
        hidden: whether hidden layers may have it.
        output: whether the output layer may have it.
        output_range: between which values a lies, or None if it is unbounded.
        smooth: whether f has a derivative everywhere, so that a numerical one comes as close to it as rounding allows.
    """

    name: str
    apply: Callable[[Array], None]
    times_derivative: Callable[[Array, Array], None]
    scale: float = 1.0
    hidden: bool = True
    output: bool = True
    output_range: tuple[float, float] | None = None
    smooth: bool = True

    def activate(self, z: Array) -> None:
        """Turn z, as it is, into a = f(z), in place."""
        if self.scale != 1:
            np.multiply(z, self.scale, out=z)
        with np.errstate(over="ignore"):
            self.apply(z)


def _sigmoid(minus_z: Array) -> None:
    """1 / (1 + exp(−z)). For low z it is exp(z) with all its digits, until exp(−z) overflows and it is 0."""
    one = _ONE[minus_z.dtype]
    np.exp(minus_z, minus_z)
    np.add(minus_z, one, minus_z)
    np.divide(one, minus_z, minus_z)


def _times_sigmoid_derivative(delta: Array, a: Array) -> None:
    """Multiply by f′(z) = a(1 − a)."""
    np.multiply(delta, a, delta)
    np.subtract(_ONE[a.dtype], a, a)
    np.multiply(delta, a, delta)


def _tanh(z: Array) -> None:
    np.tanh(z, out=z)


def _times_tanh_derivative(delta: Array, a: Array) -> None:
    """Multiply by f′(z) = 1 − a²."""
    np.multiply(a, a, a)
    np.subtract(_ONE[a.dtype], a, a)
    np.multiply(delta, a, delta)


def _relu(z: Array) -> None:
    np.maximum(z, 0, out=z)


def _times_relu_derivative(delta: Array, a: Array) -> None:
    """Multiply by f′(z) = 1 where z > 0, else 0: the sign of a, which is never negative."""
    np.sign(a, out=a)
    np.multiply(delta, a, out=delta)


def _linear(z: Array) -> None:
    """Leave z as it is."""


def _times_linear_derivative(delta: Array, a: Array) -> None:
    """Leave δ as it is: f′(z) = 1."""


def _softmax(z: Array) -> None:
    """exp(z_i) / Σ_j exp(z_j) in every row."""
    np.subtract(z, _largest(z), out=z)
    np.exp(z, out=z)
    np.divide(z, np.add.reduce(z, axis=-1, keepdims=True), out=z)


def _largest(z: Array) -> Array:
    """The largest value of each row, (…, 1). Column by column that is faster for many short rows, and as exact."""
    if z.shape[-1] > SHORT_ROW or z.size < MANY_VALUES:
        return np.maximum.reduce(z, axis=-1, keepdims=True)
    largest = z[..., :1].copy()
    for column in range(1, z.shape[-1]):
        np.maximum(largest, z[..., column : column + 1], out=largest)
    return largest


def _times_softmax_derivative(delta: Array, a: Array) -> None:
    """Multiply by the Jacobian diag(a) − a aᵀ of every row."""
    np.multiply(delta, a, out=delta)
    np.multiply(a, delta.sum(axis=-1, keepdims=True), out=a)
    np.subtract(delta, a, out=delta)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("sigmoid", _sigmoid, _times_sigmoid_derivative, scale=-1.0, output_range=(0.0, 1.0)),
        Activation("tanh", _tanh, _times_tanh_derivative, output_range=(-1.0, 1.0)),
        Activation("relu", _relu, _times_relu_derivative, output=False, smooth=False),
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
