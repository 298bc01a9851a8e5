"""Random networks with data to go with them, and their J by automatic differentiation as an oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.activations import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS, output_range
from backprop.costs import COST_FUNCTIONS
from backprop.network import Layer, Network, Parameters
from backprop.objective import Objective

Array = NDArray[Any]

PAGE_OUTPUTS = ("sigmoid", "tanh", "linear")
"""The output layers that `backprop.reference` knows, under squared error."""


@dataclass(frozen=True)
class Problem:
    """A network somewhere in its parameter space, data that fit it, and what is to be minimised.

    The examples may have weights, (m,).
    """

    parameters: Parameters
    X: Array
    Y: Array
    objective: Objective
    weights: Array | None = None


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    depths: tuple[int, int] = (1, 4),
    most_units: int = 6,
    most_examples: int = 12,
    hidden: tuple[str, ...] = HIDDEN_ACTIVATIONS,
    outputs: tuple[str, ...] = PAGE_OUTPUTS,
) -> Problem:
    """Networks of one to five outputs under the page's J, float64, weighted so that every z is of order 1.

    (In saturated units f′, taken from the stored activation as on the page, keeps fewer digits than the oracle's.)
    """
    depth = draw(st.integers(*depths))
    units = st.integers(1, most_units)
    layers = [Layer(draw(units), draw(st.sampled_from(hidden))) for _ in range(depth - 1)]
    layers.append(Layer(draw(st.sampled_from((1, 2, 3, 5))), draw(st.sampled_from(outputs))))
    network = Network(draw(units), tuple(layers))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parameters = Parameters.zeros(network, np.float64)
    for Wb in parameters.Wb:
        Wb[...] = generator.normal(size=Wb.shape) / np.sqrt(Wb.shape[1])
    m = draw(st.integers(1, most_examples))
    low, high = output_range(layers[-1].activation) or (-2.0, 2.0)
    return Problem(
        parameters,
        generator.normal(size=(m, network.inputs)),
        generator.uniform(low, high, (m, network.outputs)),
        Objective(weight_decay=draw(st.sampled_from((0.0, 1e-4, 0.5)))),
    )


@st.composite
def problems_of_all_kinds(draw: st.DrawFn, *, most_units: int = 6, most_examples: int = 12) -> Problem:
    """The same with every output layer, every cost that goes with it, and sparsity or not."""
    sparsity_weight = draw(st.sampled_from((0.0, 0.0, 0.5, 3.0)))
    problem = draw(
        problems(
            depths=(2 if sparsity_weight else 1, 5),
            most_units=most_units,
            most_examples=most_examples,
            hidden=("sigmoid",) if sparsity_weight else HIDDEN_ACTIVATIONS,
            outputs=OUTPUT_ACTIVATIONS,
        )
    )
    output = problem.parameters.network.layers[-1].activation
    costs = [cost.name for cost in COST_FUNCTIONS.values() if output in cost.activations]
    objective = Objective(
        draw(st.sampled_from(costs)),
        problem.objective.weight_decay,
        sparsity=draw(st.sampled_from((0.01, 0.2))),
        sparsity_weight=sparsity_weight,
    )
    return Problem(problem.parameters, problem.X, problem.Y, objective)


@st.composite
def weighted(draw: st.DrawFn, some: st.SearchStrategy[Problem], *, whole: bool = False) -> Problem:
    """The same with weights of the examples, some of which may be 0; whole numbers if wanted."""
    problem = draw(some)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m = len(problem.X)
    weights = generator.integers(0, 4, m).astype(float) if whole else generator.exponential(size=m) * 10
    weights[generator.random(m) < 0.2] = 0
    weights[generator.integers(m)] = 2
    return replace(problem, weights=weights)


def automatic_cost_and_gradient(problem: Problem) -> tuple[float, Parameters]:
    """J and ∇J by automatic differentiation of J's definition."""
    network = problem.parameters.network

    def cost_at(theta: Array) -> Array:
        a: Array = problem.X
        decay: Array = np.zeros(())
        sparsity: Array = np.zeros(())
        start = 0
        for number, (n_in, layer) in enumerate(zip(network.sizes, network.layers, strict=False), start=1):
            stop = start + layer.units * (n_in + 1)
            Wb = anp.reshape(theta[start:stop], (layer.units, n_in + 1))
            start = stop
            a = _activation(layer.activation, anp.dot(a, Wb[:, :-1].T) + Wb[:, -1])
            decay = decay + anp.sum(Wb[:, :-1] ** 2)
            if problem.objective.sparsity_weight and number < len(network.layers):
                sparsity = sparsity + _divergence(problem.objective.sparsity, anp.mean(a, axis=0))
        data = _data_cost(problem, a)
        total: Array = data + problem.objective.weight_decay / 2 * decay
        return total + problem.objective.sparsity_weight * sparsity

    cost, gradient = autograd.value_and_grad(cost_at)(problem.parameters.vector)
    return float(cost), Parameters(network, np.ascontiguousarray(gradient))


def _activation(name: str, z: Array) -> Array:
    functions: dict[str, Callable[[], Array]] = {
        "sigmoid": lambda: 1 / (1 + anp.exp(-z)),
        "tanh": lambda: anp.tanh(z),
        "relu": lambda: anp.where(z > 0, z, 0.0),
        "linear": lambda: z,
        "softmax": lambda: anp.exp(z) / anp.sum(anp.exp(z), axis=1, keepdims=True),
    }
    return functions[name]()


def _data_cost(problem: Problem, a: Array) -> Array:
    y, m = problem.Y, len(problem.X)
    costs: Array
    if problem.objective.cost == "squared_error":
        costs = (a - y) ** 2 / 2
    elif problem.parameters.network.layers[-1].activation == "softmax":
        costs = -y * anp.log(a)
    else:
        costs = -y * anp.log(a) - (1 - y) * anp.log(1 - a)
    if problem.weights is None:
        return anp.sum(costs) / m  # type: ignore[no-any-return]
    return anp.sum(costs * problem.weights[:, np.newaxis]) / anp.sum(problem.weights)  # type: ignore[no-any-return]


def _divergence(rho: float, mean: Array) -> Array:
    divergence: Array = anp.sum(rho * anp.log(rho / mean) + (1 - rho) * anp.log((1 - rho) / (1 - mean)))
    return divergence


def distance(one: Parameters, other: Parameters) -> float:
    """‖one − other‖ relative to their size; gradients that vanish but for rounding (below 1e-4) count as that large."""
    size = float(np.linalg.norm(one.vector) + np.linalg.norm(other.vector))
    return float(np.linalg.norm(one.vector - other.vector)) / max(size, 1e-4)
