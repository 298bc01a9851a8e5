from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from backprop.activations import ACTIVATIONS
from backprop.checking import check_gradient, locate, numerical_gradient, relative_difference
from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters, initial_parameters
from backprop.objective import Objective
from tests.support.networks import Problem, problems


def test_the_numerical_gradient_of_a_parabola_is_exact_to_rounding() -> None:
    theta = np.array([1.0, -2.0, 3.0])
    before = theta.copy()
    slopes = numerical_gradient(lambda t: float(t @ t), theta, np.array([2, 0]))
    np.testing.assert_allclose(slopes, [6, 2], rtol=1e-9)
    np.testing.assert_allclose(numerical_gradient(lambda t: float(t @ t), theta), 2 * theta, rtol=1e-9)
    assert (theta == before).all()


def test_the_relative_difference_is_that_of_the_norms() -> None:
    assert relative_difference(np.array([3.0, 4.0]), np.array([3.0, 4.0])) == 0
    assert relative_difference(np.zeros(2), np.zeros(2)) == 0
    assert relative_difference(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1
    assert relative_difference(np.array([1.0]), np.array([-1.0])) == np.inf
    assert np.isnan(relative_difference(np.array([np.inf, 1.0]), np.array([np.inf, 1.0])))


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_relative_difference_does_not_depend_on_how_large_the_derivatives_are(scale: float) -> None:
    numerical, gradient = np.array([3.0, 4.0]), np.array([4.0, 3.0])
    assert relative_difference(scale * numerical, scale * gradient) == pytest.approx(np.sqrt(2) / np.sqrt(98))


@given(problems(hidden=("sigmoid", "tanh", "linear")))
@settings(max_examples=40, deadline=None)
def test_backpropagation_passes_the_check(problem: Problem) -> None:
    """As closely as centred differences allow, which are themselves off by ε² J‴/6."""
    scaled = Parameters(problem.parameters.network, problem.parameters.vector * 0.3)
    check = check_gradient(scaled, problem.X * 0.5, problem.Y, problem.objective)
    assert abs(check.worst.numerical - check.worst.gradient) < 1e-7
    assert check.parameters == scaled.vector.size
    assert check.examples == len(problem.X)


@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
def test_sigmoid_networks_at_their_start_pass_it_to_nine_digits(outputs: int, weight_decay: float) -> None:
    network = Network(7, (Layer(6, "sigmoid"), Layer(outputs, "sigmoid")))
    rng = np.random.default_rng(outputs)
    parameters = initial_parameters(network, init="uniform", seed=0, dtype="float64")
    X, Y = rng.uniform(size=(25, 7)), rng.uniform(size=(25, outputs))
    check = check_gradient(parameters, X, Y, Objective(weight_decay=weight_decay))
    assert check.relative_difference < 1e-9


def test_a_wrong_derivative_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With f′ forgotten in the second of three layers, only the weights that lead to it are wrong."""
    network = Network(3, (Layer(4, "sigmoid"), Layer(2, "tanh")))
    rng = np.random.default_rng(0)
    parameters = initial_parameters(network, epsilon=0.5, seed=0, dtype="float64")
    wrong = replace(ACTIVATIONS["sigmoid"], times_derivative=ACTIVATIONS["linear"].times_derivative)
    monkeypatch.setitem(ACTIVATIONS, "sigmoid", wrong)
    check = check_gradient(parameters, rng.normal(size=(20, 3)), rng.uniform(-1, 1, (20, 2)))
    assert check.relative_difference > 0.1
    assert check.worst.layer == 1


def test_large_networks_and_data_are_sampled_reproducibly() -> None:
    network = Network(50, (Layer(40, "sigmoid"), Layer(3, "sigmoid")))
    rng = np.random.default_rng(0)
    X, Y = rng.uniform(size=(500, 50)).astype(np.float32), rng.uniform(size=(500, 3)).astype(np.float32)
    parameters = initial_parameters(network, seed=0, dtype="float32")
    first, again = (check_gradient(parameters, X, Y, most_parameters=60, most_examples=30, seed=4) for _ in range(2))
    assert first == again
    assert (first.parameters, first.examples) == (60, 30)
    assert first.relative_difference < 1e-9
    with pytest.raises(ValueError, match="at least one"):
        check_gradient(parameters, X, Y, most_parameters=0)


@given(problems())
@settings(max_examples=20)
def test_every_position_is_located_where_the_views_have_it(problem: Problem) -> None:
    network = problem.parameters.network
    numbered = Parameters(network, np.arange(float(network.parameter_count)))
    for position in range(network.parameter_count):
        kind, layer, index = locate(network, position)
        views = numbered.W if kind == "W" else numbered.b
        assert views[layer - 1][index] == position
    with pytest.raises(ValueError, match="fewer"):
        locate(network, network.parameter_count)


@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy"])
def test_weighted_examples_pass_it_to_nine_digits(cost: str) -> None:
    network = Network(7, (Layer(6, "sigmoid"), Layer(3, "sigmoid")))
    rng = np.random.default_rng(0)
    parameters = initial_parameters(network, init="uniform", seed=0, dtype="float64")
    X, Y, w = rng.uniform(size=(25, 7)), rng.uniform(size=(25, 3)), rng.exponential(size=25)
    check = check_gradient(parameters, X, Y, Objective(cost, weight_decay=1e-3), weights=w)
    assert check.relative_difference < 1e-9
    _, gradient = cost_and_gradient(parameters, X, Y, Objective(cost, weight_decay=1e-3), weights=w)
    assert check.worst.gradient in gradient.vector


def test_examples_without_a_weight_are_not_drawn() -> None:
    network = Network(4, (Layer(1, "sigmoid"),))
    rng = np.random.default_rng(0)
    X, Y, w = rng.uniform(size=(500, 4)), rng.uniform(size=(500, 1)), np.zeros(500)
    w[123:125] = 1, 2
    parameters = initial_parameters(network, seed=0, dtype="float64")
    check = check_gradient(parameters, X, Y, most_examples=10, weights=w)
    assert (check.examples, check.relative_difference < 1e-9) == (2, True)
    with pytest.raises(ValueError, match="above 0"):
        check_gradient(parameters, X, Y, weights=np.zeros(500))
