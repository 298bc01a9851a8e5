"""One example step by step: the same numbers as training's, and as a numerical gradient."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.checking import numerical_gradient, relative_difference
from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters, initial_parameters, predict
from backprop.objective import Objective
from backprop.tracing import trace

NETWORKS = [
    (Network(3, (Layer(4, "sigmoid"), Layer(2, "sigmoid"))), "squared_error"),
    (Network(3, (Layer(4, "tanh"), Layer(3, "relu"), Layer(2, "linear"))), "squared_error"),
    (Network(3, (Layer(5, "tanh"), Layer(3, "softmax"))), "cross_entropy"),
    (Network(3, (Layer(5, "linear"), Layer(3, "softmax"))), "squared_error"),
    (Network(3, (Layer(1, "sigmoid"),)), "cross_entropy"),
    (Network(3, (Layer(2, "sigmoid"), Layer(3, "tanh"))), "squared_error"),
]


def example(network: Network) -> tuple[Parameters, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    parameters = initial_parameters(network, init="uniform", seed=3, dtype=np.float64)
    parameters.vector[...] += 0.3 * generator.standard_normal(network.parameter_count)
    x = generator.standard_normal(network.inputs)
    y = np.eye(network.outputs)[0] if network.outputs > 1 else np.ones(1)
    return parameters, x, y


@pytest.mark.parametrize(("network", "cost"), NETWORKS)
def test_the_gradient_of_one_example_is_trainings_own(network: Network, cost: str) -> None:
    parameters, x, y = example(network)
    traced = trace(parameters, x, y, cost)
    J, gradient = cost_and_gradient(parameters, x[np.newaxis], y[np.newaxis], Objective(cost))
    assert traced.cost == pytest.approx(J.total, rel=1e-12)
    np.testing.assert_allclose(traced.gradient().vector, gradient.vector, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(traced.a[-1], predict(parameters, x[np.newaxis])[0], rtol=1e-12)


@pytest.mark.parametrize(("network", "cost"), NETWORKS)
def test_the_gradient_of_one_example_is_the_numerical_one(network: Network, cost: str) -> None:
    parameters, x, y = example(network)
    numerical = numerical_gradient(lambda theta: trace(Parameters(network, theta), x, y, cost).cost, parameters.vector)
    assert relative_difference(numerical, trace(parameters, x, y, cost).gradient().vector) < 1e-8


def test_each_step_follows_from_the_one_before_it() -> None:
    network = Network(3, (Layer(4, "sigmoid"), Layer(3, "tanh"), Layer(2, "sigmoid")))
    parameters, x, y = example(network)
    traced = trace(parameters, x, y)
    for l, (W, b) in enumerate(zip(parameters.W, parameters.b, strict=True)):  # noqa: E741  # the page's letter
        np.testing.assert_allclose(traced.z[l], W @ traced.a[l] + b)
    np.testing.assert_allclose(traced.deltas[-1], -(y - traced.a[-1]) * traced.slopes[-1])
    for l, W in enumerate(parameters.W[1:]):  # noqa: E741
        np.testing.assert_allclose(traced.errors[l], W.T @ traced.deltas[l + 1])
        np.testing.assert_allclose(traced.deltas[l], traced.errors[l] * traced.slopes[l])
    assert traced.cost == pytest.approx(0.5 * np.sum((traced.a[-1] - y) ** 2))


def test_single_precision_is_traced_in_double() -> None:
    network = Network(3, (Layer(4, "sigmoid"), Layer(2, "sigmoid")))
    parameters, x, y = example(network)
    traced = trace(parameters.astype(np.float32), x.astype(np.float32), y.astype(np.float32))
    assert {each.dtype for each in (*traced.a, *traced.z, *traced.deltas)} == {np.dtype(np.float64)}
    assert traced.is_finite


def test_an_overflow_is_told() -> None:
    network = Network(1, (Layer(1, "linear"), Layer(1, "linear")))
    parameters = Parameters(network, np.full(4, 1e200))
    assert not trace(parameters, np.array([1e200]), np.zeros(1)).is_finite


def test_what_does_not_fit_the_network_is_refused() -> None:
    network = Network(2, (Layer(1, "sigmoid"),))
    parameters = Parameters.zeros(network, np.float64)
    with pytest.raises(ValueError, match="x and y should be"):
        trace(parameters, np.zeros(3), np.zeros(1))
