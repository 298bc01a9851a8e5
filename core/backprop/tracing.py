"""One example on its way through the network and back, with every number that comes up: the tutorial's four steps.

The same computations as in training, for one example and step by step, so that people can follow them. The gradient is
that of J(W,b;x,y) alone: what decay and sparsity add to it belongs to no example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS
from backprop.costs import COST_FUNCTIONS
from backprop.network import Network, Parameters

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """What one example makes of a network, all in float64. ``[l - 2]`` is that of layer l unless said otherwise.

    Attributes:
        network: which one.
        y: the coded target, (s_nl,).
        a: a(1) = x, a(2), …, a(n_l) = h(x), (s_l,) each: ``a[l - 1]`` is that of layer l.
        z: z(2), …, z(n_l), (s_l,) each.
        slopes: f′(z(2)), …, f′(z(n_l)), (s_l,) each. Of softmax they are a(1 − a), the diagonal of its derivative.
        errors: Σ_j W_ji(l) δ_j(l+1) of the hidden layers 2, …, n_l − 1, (s_l,) each.
        deltas: δ(2), …, δ(n_l), (s_l,) each.
        cost: J(W,b;x,y).
    """

    network: Network
    y: Floats
    a: tuple[Floats, ...]
    z: tuple[Floats, ...]
    slopes: tuple[Floats, ...]
    errors: tuple[Floats, ...]
    deltas: tuple[Floats, ...]
    cost: float

    @property
    def is_finite(self) -> bool:
        """Whether nothing has overflown."""
        return bool(np.isfinite(self.cost)) and all(np.isfinite(each).all() for each in (*self.z, *self.deltas))

    def gradient(self) -> Parameters:
        """∇J(W,b;x,y): ∇W(l) = δ(l+1) a(l)ᵀ and ∇b(l) = δ(l+1), in the shape of the parameters."""
        gradient = Parameters.zeros(self.network, np.float64)
        for W, b, a, delta in zip(gradient.W, gradient.b, self.a[:-1], self.deltas, strict=True):
            W[...] = np.outer(delta, a)
            b[...] = delta
        return gradient


def trace(parameters: Parameters, x: Array, y: Array, cost: str = "squared_error") -> Trace:
    """Take one example through a network and back, in float64 whatever the parameters' dtype.

    Args:
        parameters: of the network.
        x: the coded inputs, (s_1,).
        y: the coded target, (s_nl,).
        cost: name of J(W,b;x,y).

    Raises:
        ValueError: x or y has another number of values than the network has inputs or outputs.
    """
    network = parameters.network
    if x.shape != (network.inputs,) or y.shape != (network.outputs,):
        raise ValueError(f"x and y should be {(network.inputs,)} and {(network.outputs,)}, not {x.shape} and {y.shape}")
    y = y.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        a, z = _feedforward(parameters, x.astype(np.float64))
        slopes = tuple(_slope(layer.activation, a_l) for layer, a_l in zip(network.layers, a[1:], strict=True))
        J, output_delta = _measured(network, z[-1], y, cost)
        errors, deltas = _back(parameters, slopes, output_delta)
    return Trace(network, y, a, z, slopes, errors, deltas, J)


def _feedforward(parameters: Parameters, x: Floats) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """a(1), …, a(n_l) and z(2), …, z(n_l)."""
    a, z = [x], []
    for W, b, layer in zip(parameters.W, parameters.b, parameters.network.layers, strict=True):
        z.append(W.astype(np.float64) @ a[-1] + b)
        activated = z[-1].copy()
        ACTIVATIONS[layer.activation].activate(activated)
        a.append(activated)
    return tuple(a), tuple(z)


def _slope(activation: str, a: Floats) -> Floats:
    """f′(z), from a = f(z)."""
    if activation == "softmax":
        return a * (1 - a)
    slope = np.ones_like(a)
    ACTIVATIONS[activation].times_derivative(slope, a.copy())
    return slope


def _measured(network: Network, z: Floats, y: Floats, cost: str) -> tuple[float, Floats]:
    """J(W,b;x,y) and δ(n_l), as training measures them."""
    activation = ACTIVATIONS[network.layers[-1].activation]
    delta = np.empty((1, len(z)))
    J = COST_FUNCTIONS[cost].measure(activation, activation.scale * z[np.newaxis], y[np.newaxis], delta)
    return J, delta[0]


def _back(
    parameters: Parameters, slopes: tuple[Floats, ...], output_delta: Floats
) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Σ_j W_ji(l) δ_j(l+1) of the hidden layers, and δ(2), …, δ(n_l)."""
    errors: list[Floats] = []
    deltas = [output_delta]
    for W, slope in zip(parameters.W[:0:-1], slopes[-2::-1], strict=True):
        errors.insert(0, W.astype(np.float64).T @ deltas[0])
        deltas.insert(0, errors[0] * slope)
    return tuple(errors), tuple(deltas)
