"""The tutorial's page in its own words: backpropagation unit by unit and example by example.

Written to be read next to the page, and the oracle that the fast form is tested against. Two forms: one unit at a time
with plain numbers, and the page's matrix-vector form. Layers are counted as there: layer 1 is the input, layer n_l
the output, and W(l), b(l) lead from layer l to layer l + 1 (in Python, ``W[l - 1]``).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.network import Network, Parameters

Array = NDArray[Any]
Numbers = list[float]


def f(activation: str, z: float) -> float:
    """The activation function of one unit."""
    if activation == "sigmoid":
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
    if activation == "tanh":
        return math.tanh(z)
    if activation == "relu":
        return max(z, 0.0)
    if activation == "linear":
        return z
    raise ValueError(f"no activation {activation!r}")


def f_prime(activation: str, a: float) -> float:
    """f′(z), from the unit's activation a = f(z)."""
    if activation == "sigmoid":
        return a * (1 - a)
    if activation == "tanh":
        return 1 - a**2
    if activation == "relu":
        return 1.0 if a > 0 else 0.0
    if activation == "linear":
        return 1.0
    raise ValueError(f"no activation {activation!r}")


# ---- One unit at a time -------------------------------------------------------------------------------------------


def activations(parameters: Parameters, x: Numbers) -> list[Numbers]:
    """Step 1, the feedforward pass: the activations of layers 1, 2, …, n_l for one example."""
    a = [x]
    for W, b, layer in zip(parameters.W, parameters.b, parameters.network.layers, strict=True):
        next_a = []
        for i in range(layer.units):
            z_i = float(b[i])
            for j, a_j in enumerate(a[-1]):
                z_i += float(W[i, j]) * a_j
            next_a.append(f(layer.activation, z_i))
        a.append(next_a)
    return a


def deltas(parameters: Parameters, a: list[Numbers], y: Numbers) -> list[Numbers]:
    """Steps 2 and 3, the backward pass: the error terms of layers 2, …, n_l for one example."""
    layers = parameters.network.layers
    output = layers[-1].activation
    delta = [[-(y_i - a_i) * f_prime(output, a_i) for a_i, y_i in zip(a[-1], y, strict=True)]]
    for l in range(len(layers), 1, -1):  # noqa: E741  # the page's letter
        W = parameters.W[l - 1]
        hidden = layers[l - 2].activation
        delta_l = []
        for i, a_i in enumerate(a[l - 1]):
            error = 0.0
            for j, delta_j in enumerate(delta[0]):
                error += float(W[j, i]) * delta_j
            delta_l.append(error * f_prime(hidden, a_i))
        delta.insert(0, delta_l)
    return delta


def cost_and_gradient(
    parameters: Parameters, X: Array, Y: Array, weight_decay: float = 0.0, weights: Array | None = None
) -> tuple[float, Parameters]:
    """J(W,b) and its gradient, as the page's pseudo-code has it.

    Args:
        parameters: (W, b), float64.
        X: (m, inputs).
        Y: (m, outputs).
        weight_decay: λ.
        weights: w, how often each example counts, (m,); once each if not given. Then it counts as if it were there w
            times, and m is Σ w.

    Returns:
        J(W,b) = (1/m) Σ ½‖h_{W,b}(x) − y‖² + (λ/2) Σ W², and its gradient in the shape of the parameters.
    """
    network = parameters.network
    counts = [1.0] * len(X) if weights is None else [float(w) for w in weights]
    m = sum(counts)
    J = 0.0
    # 1. Set ΔW(l) := 0, Δb(l) := 0 for all l.
    Delta = Parameters.zeros(network, np.float64)
    # 2. For i = 1 to m,
    for x, y, w in zip(X.tolist(), Y.tolist(), counts, strict=True):
        # a. use backpropagation to compute ∇W(l) J(W,b;x,y) and ∇b(l) J(W,b;x,y);
        a = activations(parameters, x)
        delta = [[w * delta_i for delta_i in of_layer] for of_layer in deltas(parameters, a, y)]
        # b. set ΔW(l) := ΔW(l) + ∇W(l) J(W,b;x,y);
        # c. set Δb(l) := Δb(l) + ∇b(l) J(W,b;x,y).
        for l in range(1, len(network.layers) + 1):  # noqa: E741  # the page's letter
            for i, delta_i in enumerate(delta[l - 1]):
                for j, a_j in enumerate(a[l - 1]):
                    Delta.W[l - 1][i, j] += a_j * delta_i
                Delta.b[l - 1][i] += delta_i
        J += w * sum(0.5 * (h_i - y_i) ** 2 for h_i, y_i in zip(a[-1], y, strict=True)) / m
    # 3. The gradient is (1/m)ΔW(l) + λW(l) and (1/m)Δb(l).
    gradient = Parameters(network, Delta.vector / m)
    for W, gradient_W in zip(parameters.W, gradient.W, strict=True):
        for index, W_ij in np.ndenumerate(W):
            J += weight_decay / 2 * float(W_ij) ** 2
            gradient_W[index] += weight_decay * float(W_ij)
    return J, gradient


def descend(parameters: Parameters, X: Array, Y: Array, learning_rate: float, weight_decay: float = 0.0) -> float:
    """One iteration of batch gradient descent, in place; gives J before it."""
    J, gradient = cost_and_gradient(parameters, X, Y, weight_decay)
    for W, b, gradient_W, gradient_b in zip(parameters.W, parameters.b, gradient.W, gradient.b, strict=True):
        W -= learning_rate * gradient_W
        b -= learning_rate * gradient_b
    return J


# ---- The matrix-vector form ---------------------------------------------------------------------------------------


def cost_and_gradient_matrix_vector(
    parameters: Parameters, X: Array, Y: Array, weight_decay: float = 0.0, weights: Array | None = None
) -> tuple[float, Parameters]:
    """The same as `cost_and_gradient`, with the page's matrix-vector notation inside an example."""
    network = parameters.network
    counts = np.ones(len(X)) if weights is None else weights
    m = float(np.sum(counts))
    J = sum(weight_decay / 2 * float(np.sum(W**2)) for W in parameters.W)
    gradient = Parameters.zeros(network, np.float64)
    for W, gradient_W in zip(parameters.W, gradient.W, strict=True):
        gradient_W += weight_decay * W
    for x, y, w in zip(X, Y, counts, strict=True):
        a = _feedforward(network, parameters, x)
        J += w * 0.5 * float(np.sum((a[-1] - y) ** 2)) / m
        delta = -w * (y - a[-1]) * _f_prime_of_vector(network.layers[-1].activation, a[-1])
        for l in range(len(network.layers), 0, -1):  # noqa: E741  # the page's letter
            gradient.W[l - 1][...] += np.outer(delta, a[l - 1]) / m
            gradient.b[l - 1][...] += delta / m
            if l > 1:
                hidden = network.layers[l - 2].activation
                delta = (parameters.W[l - 1].T @ delta) * _f_prime_of_vector(hidden, a[l - 1])
    return J, gradient


def _feedforward(network: Network, parameters: Parameters, x: Array) -> list[Array]:
    a = [x]
    for W, b, layer in zip(parameters.W, parameters.b, network.layers, strict=True):
        z = W @ a[-1] + b
        a.append(np.array([f(layer.activation, float(z_i)) for z_i in z]))
    return a


def _f_prime_of_vector(activation: str, a: Array) -> Array:
    return np.array([f_prime(activation, float(a_i)) for a_i in a])
