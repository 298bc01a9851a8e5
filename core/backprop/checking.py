"""Gradient checking: the derivative that backpropagation gives, against the one that J itself shows.

After the tutorial's page "Gradient checking and advanced optimization".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backprop.network import Network, Parameters
from backprop.objective import Objective
from backprop.passes.backpropagation import Backpropagation
from backprop.passes.lanes import Crew, computing
from backprop.passes.weighting import of_mean_one

Array = NDArray[Any]
Floats = NDArray[np.float64]

EPSILON = 1e-4
"""The tutorial's step to either side."""


def numerical_gradient(J: Callable[[Floats], float], theta: Floats, indices: NDArray[np.intp] | None = None) -> Floats:
    """(J(θ + ε e_i) − J(θ − ε e_i)) / 2ε for every parameter i, ε = `EPSILON`.

    Args:
        J: the cost of a parameter vector.
        theta: where, (n,).
        indices: of the parameters to differentiate by, (k,); all if not given.

    Returns:
        The derivatives in the order of `indices`, (k,).
    """
    chosen = np.arange(theta.size) if indices is None else indices
    theta = theta.copy()
    derivatives = np.empty(chosen.size)
    for place, i in enumerate(chosen):
        here = theta[i]
        theta[i] = here + EPSILON
        above = J(theta)
        theta[i] = here - EPSILON
        below = J(theta)
        theta[i] = here
        derivatives[place] = (above - below) / (2 * EPSILON)
    return derivatives


def relative_difference(numerical: Floats, gradient: Floats) -> float:
    """‖numerical − gradient‖ / ‖numerical + gradient‖: 0 if both are equal, infinite if they are opposite.

    NaN if one of the derivatives is no finite number.

    Both are divided by the largest derivative first: the squares of very large ones leave double precision.
    """
    largest = max(np.abs(numerical).max(), np.abs(gradient).max())
    if not np.isfinite(largest):
        return float("nan")
    scale = largest or 1.0
    numerical, gradient = numerical / scale, gradient / scale
    difference = float(np.linalg.norm(numerical - gradient))
    total = float(np.linalg.norm(numerical + gradient))
    if not total:
        return float("inf") if difference else 0.0
    return difference / total


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter's derivative, two ways.

    Attributes:
        kind: whether it is a weight or a bias.
        layer: l of W(l) or b(l), from 1.
        index: its place: (i, j) of W_ij, (i,) of b_i, from 0.
        numerical: by centred differences.
        gradient: by backpropagation.
    """

    kind: Literal["W", "b"]
    layer: int
    index: tuple[int, ...]
    numerical: float
    gradient: float


@dataclass(frozen=True)
class GradientCheck:
    """What a check found.

    Attributes:
        relative_difference: ‖numerical − gradient‖ / ‖numerical + gradient‖ over the checked parameters.
        worst: the parameter whose two derivatives differ most.
        parameters: how many were checked.
        examples: on how many J was measured.
    """

    relative_difference: float
    worst: ParameterCheck
    parameters: int
    examples: int


def check_gradient(
    parameters: Parameters,
    X: Array,
    Y: Array,
    objective: Objective | None = None,
    *,
    most_parameters: int = 1000,
    most_examples: int = 1000,
    seed: int = 0,
    weights: Array | None = None,
) -> GradientCheck:
    """Check ∇J of a network on data, in float64 whatever the parameters' dtype.

    A larger network or dataset is checked on a random sample, drawn without replacement from
    ``numpy.random.default_rng(seed)``: examples first, then parameters, each in ascending order.

    Args:
        parameters: where.
        X: (m, inputs), of any number type; may be mapped from a file.
        Y: (m, outputs), likewise.
        objective: what J is; squared error without decay if not given.
        most_parameters: how many parameters to check at most; each costs two evaluations of J.
        most_examples: on how many examples at most.
        seed: of the sample.
        weights: how much each example counts in J, (m,); only their ratios matter. Those of weight 0 are not drawn.
            None: all alike.

    Raises:
        ValueError: shapes that do not fit, no examples or none with a weight, or limits below 1.
    """
    if most_parameters < 1 or most_examples < 1:
        raise ValueError("a check needs at least one parameter and one example")
    generator = np.random.default_rng(seed)
    if weights is None:
        rows = _sample(generator, len(X), most_examples)
        w = None
    else:
        weighing = np.flatnonzero(weights)
        rows = weighing[_sample(generator, len(weighing), most_examples)]
        w = of_mean_one(np.asarray(weights)[rows], len(rows), np.float64)
    X, Y = (np.ascontiguousarray(array[rows], np.float64) for array in (X, Y))
    network = parameters.network
    chosen = _sample(generator, network.parameter_count, most_parameters)
    here = Parameters(network, parameters.vector.astype(np.float64))
    gradient = Parameters.zeros(network, np.float64)
    backpropagation = Backpropagation(here, gradient, X, Y, objective or Objective(), Crew(1), weights=w)

    def cost_at(theta: Floats) -> float:
        here.vector[...] = theta
        return backpropagation.evaluate().total

    with computing():
        backpropagation.evaluate()
        analytical = gradient.vector[chosen]
        numerical = numerical_gradient(cost_at, here.vector, chosen)
        worst = int(np.argmax(np.abs(numerical - analytical)))
    kind, layer, index = locate(network, int(chosen[worst]))
    return GradientCheck(
        relative_difference(numerical, analytical),
        ParameterCheck(kind, layer, index, float(numerical[worst]), float(analytical[worst])),
        len(chosen),
        len(rows),
    )


def locate(network: Network, position: int) -> tuple[Literal["W", "b"], int, tuple[int, ...]]:
    """Which parameter stands at a position of the vector: (kind, l of W(l) or b(l), index within it)."""
    for layer, (n_in, n_out) in enumerate(zip(network.sizes, network.sizes[1:], strict=False), start=1):
        if position < n_out * (n_in + 1):
            i, j = divmod(position, n_in + 1)
            return ("b", layer, (i,)) if j == n_in else ("W", layer, (i, j))
        position -= n_out * (n_in + 1)
    raise ValueError("the network has fewer parameters")


def _sample(generator: np.random.Generator, count: int, most: int) -> NDArray[np.intp]:
    if count <= most:
        return np.arange(count)
    return np.sort(generator.choice(count, most, replace=False)).astype(np.intp)
