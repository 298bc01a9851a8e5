"""An implementation of the tutorial's page that shares no line with ours: what a reader of it would write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

F: dict[str, Callable[[Floats], Floats]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "linear": lambda z: z,
}
F_PRIME: dict[str, Callable[[Floats], Floats]] = {
    "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "linear": np.ones_like,
}


def train(
    weights: Mapping[str, NDArray[Any]],
    activations: Sequence[str],
    X: Floats,
    Y: Floats,
    *,
    learning_rate: float,
    weight_decay: float,
    iterations: int,
) -> tuple[list[float], list[float], dict[str, Floats]]:
    """Batch gradient descent from the given weights, one example at a time.

    Returns:
        The data terms and the decay terms of J at iterations 0 … N, and the weights after N updates.
    """
    depth = len(activations)
    W = [np.array(weights[f"W{layer + 1}"], np.float64) for layer in range(depth)]
    b = [np.array(weights[f"b{layer + 1}"], np.float64) for layer in range(depth)]
    data_costs, decay_costs = [], []
    for iteration in range(iterations + 1):
        cost = 0.0
        dW = [np.zeros_like(w) for w in W]
        db = [np.zeros_like(c) for c in b]
        for x, y in zip(X, Y, strict=True):
            a, z = [x], []
            for layer, name in enumerate(activations):
                z.append(W[layer] @ a[-1] + b[layer])
                a.append(F[name](z[-1]))
            cost += 0.5 * float(np.sum((a[-1] - y) ** 2))
            delta = (a[-1] - y) * F_PRIME[activations[-1]](z[-1])
            for layer in reversed(range(depth)):
                dW[layer] += np.outer(delta, a[layer])
                db[layer] += delta
                if layer:
                    delta = (W[layer].T @ delta) * F_PRIME[activations[layer - 1]](z[layer - 1])
        data_costs.append(cost / len(X))
        decay_costs.append(weight_decay / 2 * float(sum(np.sum(w**2) for w in W)))
        if iteration < iterations:
            for layer in range(depth):
                W[layer] -= learning_rate * (dW[layer] / len(X) + weight_decay * W[layer])
                b[layer] -= learning_rate * db[layer] / len(X)
    trained = {f"W{layer + 1}": W[layer] for layer in range(depth)} | {
        f"b{layer + 1}": b[layer] for layer in range(depth)
    }
    return data_costs, decay_costs, trained
