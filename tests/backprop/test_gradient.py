from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import MLPRegressor

from backprop import reference
from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters, initial_parameters
from backprop.objective import Objective
from backprop.passes import lanes, products
from backprop.passes.lanes import Lanes
from tests.support.networks import (
    Problem,
    automatic_cost_and_gradient,
    distance,
    problems,
    problems_of_all_kinds,
    weighted,
)
from tests.support.passes import Passing, both_ways


@given(problems(most_units=4, most_examples=5))
@settings(max_examples=60, deadline=None)
def test_the_three_forms_agree(problem: Problem) -> None:
    decay = problem.objective.weight_decay
    by_unit = reference.cost_and_gradient(problem.parameters, problem.X, problem.Y, decay)
    by_vector = reference.cost_and_gradient_matrix_vector(problem.parameters, problem.X, problem.Y, decay)
    cost, fast = cost_and_gradient(problem.parameters, problem.X, problem.Y, problem.objective)
    assert math.isclose(by_unit[0], by_vector[0], rel_tol=1e-12, abs_tol=1e-15)
    assert math.isclose(by_unit[0], cost.total, rel_tol=1e-12, abs_tol=1e-15)
    assert distance(by_unit[1], by_vector[1]) < 1e-10
    assert distance(by_unit[1], fast) < 1e-10


@pytest.mark.parametrize("small_product", [products.SMALL_PRODUCT, 0], ids=["as a whole", "in blocks"])
@given(problem=problems_of_all_kinds(most_units=20, most_examples=300))
@settings(max_examples=100, deadline=None)
def test_agrees_with_automatic_differentiation(small_product: int, problem: Problem) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL_PRODUCT", small_product)
        cost, fast = cost_and_gradient(problem.parameters, problem.X, problem.Y, problem.objective)
    expected_cost, expected = automatic_cost_and_gradient(problem)
    assert math.isclose(cost.total, expected_cost, rel_tol=1e-10)
    assert distance(fast, expected) < 1e-10


@pytest.mark.parametrize(("small_product", "block_rows"), [(0, 7), (1000, 64)], ids=["one piece", "stacked pieces"])
@given(problem=problems_of_all_kinds(most_units=20, most_examples=300))
@settings(max_examples=30, deadline=None)
def test_cutting_into_lanes_blocks_and_pieces_changes_only_the_rounding(
    small_product: int, block_rows: int, problem: Problem
) -> None:
    whole = cost_and_gradient(problem.parameters, problem.X, problem.Y, problem.objective)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "BLOCK_VALUES", 1)
        patch.setattr(lanes, "LEAST_BLOCK_ROWS", block_rows)
        patch.setattr(products, "SMALL_PRODUCT", small_product)
        patch.setattr(products, "SUMMED_ROWS", 7)
        patch.setattr(products, "MANY_ROWS", 1)
        patch.setattr(lanes, "SMALL_WORK", 0)
        cut = cost_and_gradient(problem.parameters, problem.X, problem.Y, problem.objective)
    assert math.isclose(cut[0].total, whole[0].total, rel_tol=1e-12, abs_tol=1e-15)
    assert distance(cut[1], whole[1]) < 1e-10


@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("m", [6000, 10_003])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(outputs: int, m: int, dtype: str) -> None:
    network = Network(40, (Layer(50, "sigmoid"), Layer(outputs, "tanh")))
    rng = np.random.default_rng(outputs)
    X, Y = rng.normal(size=(m, 40)).astype(dtype), rng.uniform(-1, 1, (m, outputs)).astype(dtype)
    parameters = initial_parameters(network, epsilon=0.3, seed=0, dtype=dtype)
    objective = Objective(weight_decay=1e-3)
    assert Lanes.for_work(m, network.sizes, network.parameter_count).count > 1
    results = [cost_and_gradient(parameters, X, Y, objective, threads=threads) for threads in (1, 2, 5)]
    assert len({cost for cost, _ in results}) == 1
    assert len({slope.vector.tobytes() for _, slope in results}) == 1


@given(problems(most_units=10, most_examples=40))
@settings(max_examples=30, deadline=None)
def test_single_precision_is_close_to_double(problem: Problem) -> None:
    network = problem.parameters.network
    single = cost_and_gradient(
        Parameters(network, problem.parameters.vector.astype(np.float32)),
        problem.X.astype(np.float32),
        problem.Y.astype(np.float32),
        problem.objective,
    )
    double = cost_and_gradient(problem.parameters, problem.X, problem.Y, problem.objective)
    assert math.isclose(single[0].total, double[0].total, rel_tol=1e-4, abs_tol=1e-6)
    assert single[1].vector.dtype == np.float32
    np.testing.assert_allclose(
        single[1].vector, double[1].vector, atol=1e-3 * (1 + float(np.abs(double[1].vector).max()))
    )


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_descent_agrees_with_scikit_learn_for_one_output(activation: str, weight_decay: float) -> None:
    """Its alpha/m is our λ, as it divides the penalty by the number of examples."""
    rng = np.random.default_rng(3)
    m, alpha, updates = 200, 0.05, 20
    X, y = rng.normal(size=(m, 6)), rng.normal(size=m)
    theirs = MLPRegressor(
        hidden_layer_sizes=(8, 5),
        activation=activation,
        solver="sgd",
        alpha=weight_decay * m,
        batch_size=m,
        momentum=0,
        shuffle=False,
        learning_rate_init=alpha,
        random_state=0,
    )
    theirs.partial_fit(X, y)  # one update, so that its random weights can be read
    network = Network(6, (Layer(8, activation), Layer(5, activation), Layer(1, "linear")))
    parameters = Parameters.from_arrays(
        network,
        {f"W{number}": W.T for number, W in enumerate(theirs.coefs_, 1)}
        | {f"b{number}": b for number, b in enumerate(theirs.intercepts_, 1)},
    )
    for _ in range(updates):
        cost, slope = cost_and_gradient(parameters, X, y[:, np.newaxis], Objective(weight_decay=weight_decay))
        theirs.partial_fit(X, y)
        assert math.isclose(cost.total, theirs.loss_, rel_tol=1e-10)
        parameters.vector[...] -= alpha * slope.vector
    for W, b, coefs, intercepts in zip(parameters.W, parameters.b, theirs.coefs_, theirs.intercepts_, strict=True):
        np.testing.assert_allclose(W, coefs.T, rtol=1e-9)
        np.testing.assert_allclose(b, intercepts, rtol=1e-9)


def test_equal_units_stay_equal_and_random_ones_do_not() -> None:
    """Why the init is random: from all zeros, every hidden unit learns the same function of the input."""
    network = Network(5, (Layer(4, "sigmoid"), Layer(2, "sigmoid")))
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 5)), rng.uniform(size=(30, 2))
    symmetric, broken = Parameters.zeros(network, np.float64), initial_parameters(network, seed=0, dtype="float64")
    for parameters in (symmetric, broken):
        for _ in range(50):
            parameters.vector[...] -= cost_and_gradient(parameters, X, Y)[1].vector
    assert symmetric.W[0].any()
    assert (symmetric.W[0] == symmetric.W[0][0]).all()
    assert len({row.tobytes() for row in broken.W[0]}) == 4


def test_biases_are_not_decayed() -> None:
    network = Network(2, (Layer(3, "tanh"), Layer(2, "linear")))
    parameters = Parameters(network, np.arange(1.0, network.parameter_count + 1))
    X, Y = np.ones((4, 2)), np.ones((4, 2))
    plain_cost, plain = cost_and_gradient(parameters, X, Y)
    cost, decayed = cost_and_gradient(parameters, X, Y, Objective(weight_decay=2.0))
    assert plain_cost.decay == 0
    assert cost.data == plain_cost.data
    assert cost.decay == sum((W**2).sum() for W in parameters.W)
    for W, with_decay, without in zip(parameters.W, decayed.W, plain.W, strict=True):
        np.testing.assert_allclose(with_decay, without + 2 * W)
    for with_decay, without in zip(decayed.b, plain.b, strict=True):
        assert with_decay.tobytes() == without.tobytes()


@pytest.mark.parametrize("small_product", [products.SMALL_PRODUCT, 0], ids=["as a whole", "in blocks"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sparsity_weight", [3.0, 1e30])
def test_units_that_are_always_off_or_on_cost_much_but_not_infinitely(
    small_product: int, dtype: str, sparsity_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their f′ is 0, so that the term adds nothing to their gradient, however steep it is there."""
    monkeypatch.setattr(products, "SMALL_PRODUCT", small_product)
    network = Network(2, (Layer(3, "sigmoid"), Layer(1, "sigmoid")))
    parameters = initial_parameters(network, seed=0, dtype=dtype)
    parameters.b[0][:2] = -2000, 2000
    X, Y = np.random.default_rng(0).uniform(0, 1, (2, 40, 2)).astype(dtype)
    Y = np.ascontiguousarray(Y[:, :1])
    _, plain = cost_and_gradient(parameters, X, Y)
    rho = 0.01
    cost, slope = cost_and_gradient(parameters, X, Y, Objective(sparsity=rho, sparsity_weight=sparsity_weight))
    limits = np.finfo(dtype)
    least = rho * np.log(rho / float(limits.tiny)) + (1 - rho) * np.log(1 - rho)
    assert sparsity_weight * least < cost.sparsity < 100 * sparsity_weight
    assert np.isfinite(slope.vector).all()
    assert slope.Wb[0][:2].tobytes() == plain.Wb[0][:2].tobytes()
    assert (slope.Wb[0][2] != plain.Wb[0][2]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_unit_that_is_hardly_ever_on_is_drawn_to_rho_as_strongly_as_any(dtype: str) -> None:
    """β(−ρ/ρ̂) f′(z) is about −βρ for a ≈ 0, where a and f′ have all their digits."""
    network = Network(1, (Layer(1, "sigmoid"), Layer(1, "linear")))
    parameters = Parameters.zeros(network, dtype)
    X = np.zeros((20, 1), dtype)
    for b in (-10, -20, -60):
        parameters.b[0][...] = b
        _, slope = cost_and_gradient(parameters, X, X, Objective(sparsity=0.1, sparsity_weight=2.0))
        assert slope.b[0][0] == pytest.approx(-0.2, rel=1e-3)


def test_a_cost_beyond_the_range_is_infinite_and_warns_nobody() -> None:
    network = Network(1, (Layer(2, "relu"), Layer(1, "linear")))
    parameters = Parameters(network, np.full(network.parameter_count, 1e30, np.float32))
    X, Y = np.ones((3, 1), np.float32), np.zeros((3, 1), np.float32)
    assert cost_and_gradient(parameters, X, Y)[0].total == math.inf


@pytest.mark.parametrize(
    ("X", "Y", "name"),
    [
        (np.zeros((0, 2)), np.zeros((0, 1)), "X"),
        (np.zeros((4, 3)), np.zeros((4, 1)), "X"),
        (np.zeros((4, 2)), np.zeros((3, 1)), "Y"),
        (np.zeros((4, 2)), np.zeros(4), "Y"),
        (np.zeros((4, 2), np.float32), np.zeros((4, 1)), "X"),
        (np.zeros((2, 4)).T, np.zeros((4, 1)), "X"),
        (np.zeros((4, 2)), np.zeros((8, 1))[::2], "Y"),
    ],
)
def test_data_that_do_not_fit_are_refused(X: np.ndarray, Y: np.ndarray, name: str) -> None:
    parameters = Parameters.zeros(Network(2, (Layer(1, "tanh"),)), np.float64)
    with pytest.raises(ValueError, match=f"{name} should be"):
        cost_and_gradient(parameters, X, Y)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_a_wrong_and_certain_output_is_finite_and_linear(output: str, dtype: str) -> None:
    """−log a with a = exp(−z), where a itself is 0 in any precision."""
    network = Network(1, (Layer(2, output),))
    parameters = Parameters.zeros(network, dtype)
    parameters.b[0][...] = (-2000, 0) if output == "softmax" else (-2000, -2000)
    X, Y = np.zeros((3, 1), dtype), np.array([[1, 0]] * 3, dtype)
    cost, slope = cost_and_gradient(parameters, X, Y, Objective("cross_entropy"))
    assert math.isclose(cost.data, 2000, rel_tol=1e-6)
    np.testing.assert_allclose(slope.b[0], (-1, 1) if output == "softmax" else (-1, 0))


@pytest.mark.parametrize("threads", [2, 5])
def test_sparsity_over_many_lanes_gives_the_same_bits_on_any_threads(threads: int) -> None:
    network = Network(30, (Layer(40, "sigmoid"), Layer(30, "sigmoid")))
    X = np.random.default_rng(0).uniform(size=(5003, 30))
    assert Lanes.for_work(5003, network.sizes, network.parameter_count).count > 1
    parameters = initial_parameters(network, init="uniform", seed=0, dtype="float64")
    objective = Objective(weight_decay=1e-4, sparsity_weight=3)
    alone, together = (cost_and_gradient(parameters, X, X, objective, threads=count) for count in (1, threads))
    assert alone[0] == together[0]
    assert alone[0].sparsity > 0
    assert alone[1].vector.tobytes() == together[1].vector.tobytes()


@pytest.mark.parametrize(
    ("layers", "objective", "reason"),
    [
        ((Layer(2, "tanh"),), Objective("cross_entropy"), "cross_entropy goes with"),
        ((Layer(2, "linear"),), Objective("cross_entropy"), "cross_entropy goes with"),
        ((Layer(2, "sigmoid"),), Objective(sparsity_weight=1), "sparsity needs hidden"),
        ((Layer(3, "tanh"), Layer(2, "sigmoid")), Objective(sparsity_weight=1), "sparsity needs hidden"),
    ],
)
def test_objectives_that_do_not_fit_the_network_are_refused(
    layers: tuple[Layer, ...], objective: Objective, reason: str
) -> None:
    parameters = Parameters.zeros(Network(2, layers), np.float64)
    with pytest.raises(ValueError, match=reason):
        cost_and_gradient(parameters, np.zeros((4, 2)), np.zeros((4, 2)), objective)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"cost": "hinge"}, "hinge"),
        *(({"weight_decay": value}, "weight_decay") for value in (-1e-9, math.inf, math.nan)),
        *(({"sparsity_weight": value}, "sparsity_weight") for value in (-1e-9, math.inf, math.nan)),
        *(({"sparsity": value}, "sparsity") for value in (0.0, 1.0, math.nan)),
    ],
)
def test_impossible_objectives_are_refused(values: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Objective(**values)


class TestWeights:
    @given(weighted(problems(most_units=4, most_examples=5)))
    @settings(max_examples=60, deadline=None)
    def test_the_three_forms_agree(self, problem: Problem) -> None:
        decay, w = problem.objective.weight_decay, problem.weights
        by_unit = reference.cost_and_gradient(problem.parameters, problem.X, problem.Y, decay, w)
        by_vector = reference.cost_and_gradient_matrix_vector(problem.parameters, problem.X, problem.Y, decay, w)
        cost, fast = cost_and_gradient(problem.parameters, problem.X, problem.Y, problem.objective, weights=w)
        assert math.isclose(by_unit[0], by_vector[0], rel_tol=1e-12, abs_tol=1e-15)
        assert math.isclose(by_unit[0], cost.total, rel_tol=1e-12, abs_tol=1e-15)
        assert distance(by_unit[1], by_vector[1]) < 1e-10
        assert distance(by_unit[1], fast) < 1e-10

    @both_ways
    @given(problem=weighted(problems_of_all_kinds(most_units=20, most_examples=100)))
    @settings(max_examples=60, deadline=None)
    def test_agrees_with_automatic_differentiation(self, passing: Passing, problem: Problem) -> None:
        with passing():
            cost, fast = cost_and_gradient(
                problem.parameters, problem.X, problem.Y, problem.objective, weights=problem.weights
            )
        expected_cost, expected = automatic_cost_and_gradient(problem)
        assert math.isclose(cost.total, expected_cost, rel_tol=1e-10)
        assert distance(fast, expected) < 1e-10

    @both_ways
    @given(
        problem=weighted(problems_of_all_kinds(most_examples=30), whole=True), factor=st.sampled_from((1, 1e-6, 1e9))
    )
    @settings(max_examples=60, deadline=None)
    def test_a_whole_weight_is_as_many_rows_but_for_sparsity(
        self, passing: Passing, problem: Problem, factor: float
    ) -> None:
        """Mean activations are those of the rows that are there, so sparsity is left out here."""
        assert problem.weights is not None
        objective = replace(problem.objective, sparsity_weight=0.0)
        times = problem.weights.astype(int)
        with passing():
            ours = cost_and_gradient(
                problem.parameters, problem.X, problem.Y, objective, weights=factor * problem.weights
            )
            repeated = cost_and_gradient(
                problem.parameters, np.repeat(problem.X, times, axis=0), np.repeat(problem.Y, times, axis=0), objective
            )
        assert math.isclose(ours[0].total, repeated[0].total, rel_tol=1e-12, abs_tol=1e-15)
        assert distance(ours[1], repeated[1]) < 1e-11

    @both_ways
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @given(problem=problems_of_all_kinds(most_examples=30))
    @settings(max_examples=30, deadline=None)
    def test_equal_weights_change_only_the_rounding(self, passing: Passing, dtype: str, problem: Problem) -> None:
        parameters = Parameters(problem.parameters.network, problem.parameters.vector.astype(dtype))
        X, Y = problem.X.astype(dtype), problem.Y.astype(dtype)
        with passing():
            plain = cost_and_gradient(parameters, X, Y, problem.objective)
            equal = cost_and_gradient(parameters, X, Y, problem.objective, weights=np.full(len(X), 7))
        precision = 100 * float(np.finfo(dtype).eps)
        assert equal[0].total == pytest.approx(plain[0].total, rel=precision, abs=precision)
        assert equal[1].vector.tobytes() == plain[1].vector.tobytes()

    @pytest.mark.parametrize("cost", ["squared_error", "cross_entropy"])
    def test_any_number_of_threads_gives_the_same_bits(self, cost: str) -> None:
        network = Network(40, (Layer(50, "sigmoid"), Layer(3, "sigmoid")))
        rng = np.random.default_rng(0)
        X, Y, w = rng.normal(size=(10_003, 40)), rng.uniform(size=(10_003, 3)), rng.exponential(size=10_003)
        parameters = initial_parameters(network, epsilon=0.3, seed=0, dtype="float64")
        assert Lanes.for_work(len(X), network.sizes, network.parameter_count).count > 1
        results = [
            cost_and_gradient(parameters, X, Y, Objective(cost), threads=threads, weights=w) for threads in (1, 2, 5)
        ]
        assert len({cost for cost, _ in results}) == 1
        assert len({slope.vector.tobytes() for _, slope in results}) == 1

    def test_descent_agrees_with_scikit_learn(self) -> None:
        rng = np.random.default_rng(3)
        m = 150
        X, y, w = rng.normal(size=(m, 6)), rng.normal(size=m), rng.exponential(size=m)
        theirs = MLPRegressor(
            hidden_layer_sizes=(8,),
            activation="tanh",
            solver="sgd",
            alpha=0.3 * w.sum(),  # it divides the penalty, too, by the sum of the weights
            batch_size=m,
            momentum=0,
            shuffle=False,
            learning_rate_init=0.05,
            random_state=0,
        )
        theirs.partial_fit(X, y, sample_weight=w)
        network = Network(6, (Layer(8, "tanh"), Layer(1, "linear")))
        parameters = Parameters.from_arrays(
            network,
            {f"W{number}": W.T for number, W in enumerate(theirs.coefs_, 1)}
            | {f"b{number}": b for number, b in enumerate(theirs.intercepts_, 1)},
        )
        for _ in range(20):
            _, slope = cost_and_gradient(parameters, X, y[:, np.newaxis], Objective(weight_decay=0.3), weights=w)
            theirs.partial_fit(X, y, sample_weight=w)
            parameters.vector[...] -= 0.05 * slope.vector
        for W, coefs in zip(parameters.W, theirs.coefs_, strict=True):
            np.testing.assert_allclose(W, coefs.T, rtol=1e-9)
