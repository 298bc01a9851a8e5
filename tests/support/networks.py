"""Random networks with data to go with them, and their J by automatic differentiation as an oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.activations import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS, output_range
from backprop.gradient import Objective
from backprop.network import Layer, Network, Parameters

Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """A network somewhere in its parameter space, data that fit it, and what is to be minimised."""

    parameters: Parameters
    X: Array
    Y: Array
    objective: Objective


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    depths: tuple[int, int] = (1, 4),
    most_units: int = 6,
    most_examples: int = 12,
    hidden: tuple[str, ...] = HIDDEN_ACTIVATIONS,
) -> Problem:
    """Networks of all activations, one to five outputs, float64, weighted so that every z is of order 1.

    (In saturated units f′, taken from the stored activation as on the page, keeps fewer digits than the oracle's.)
    """
    depth = draw(st.integers(*depths))
    units = st.integers(1, most_units)
    layers = [Layer(draw(units), draw(st.sampled_from(hidden))) for _ in range(depth - 1)]
    layers.append(Layer(draw(st.sampled_from((1, 2, 3, 5))), draw(st.sampled_from(OUTPUT_ACTIVATIONS))))
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


def automatic_cost_and_gradient(problem: Problem) -> tuple[float, Parameters]:
    """J and ∇J by automatic differentiation of J's definition."""
    network = problem.parameters.network

    def cost_at(theta: Array) -> Array:
        a: Array = problem.X
        decay: Array = np.zeros(())
        start = 0
        for n_in, layer in zip(network.sizes, network.layers, strict=False):
            stop = start + layer.units * (n_in + 1)
            Wb = anp.reshape(theta[start:stop], (layer.units, n_in + 1))
            start = stop
            a = _activation(layer.activation, anp.dot(a, Wb[:, :-1].T) + Wb[:, -1])
            decay = decay + anp.sum(Wb[:, :-1] ** 2)
        data = 0.5 * anp.sum((a - problem.Y) ** 2) / len(problem.X)
        total: Array = data + problem.objective.weight_decay / 2 * decay
        return total

    cost, gradient = autograd.value_and_grad(cost_at)(problem.parameters.vector)
    return float(cost), Parameters(network, np.ascontiguousarray(gradient))


def _activation(name: str, z: Array) -> Array:
    functions: dict[str, Callable[[], Array]] = {
        "sigmoid": lambda: 1 / (1 + anp.exp(-z)),
        "tanh": lambda: anp.tanh(z),
        "relu": lambda: anp.where(z > 0, z, 0.0),
        "linear": lambda: z,
    }
    return functions[name]()


def distance(one: Parameters, other: Parameters) -> float:
    """‖one − other‖ relative to their size."""
    size = float(np.linalg.norm(one.vector) + np.linalg.norm(other.vector))
    return float(np.linalg.norm(one.vector - other.vector)) / size if size else 0.0
