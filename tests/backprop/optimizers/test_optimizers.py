from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.network import Parameters
from backprop.objective import Cost
from backprop.optimizers.momentum import Momentum
from backprop.optimizers.protocols import Optimizer, Slope, Start
from backprop.optimizers.table import OPTIMIZERS
from backprop.passes.backpropagation import Backpropagation
from backprop.passes.lanes import Crew, computing
from backprop.training import Training
from infra.codec import from_bytes, to_bytes
from tests.support.networks import Problem, automatic_cost_and_gradient, problems_of_all_kinds
from tests.support.slopes import Bowl, FormulaSlope, bowls

Array = NDArray[Any]
Gradient = Callable[[Array], Array]

RATE = 0.05
MU = 0.8


def steepest_descent(nabla: Gradient, theta: Array) -> Iterator[Array]:
    """θ_{k+1} = θ_k − α ∇J(θ_k)."""
    while True:
        theta = theta - RATE * nabla(theta)
        yield theta


def heavy_ball(nabla: Gradient, theta: Array) -> Iterator[Array]:
    """θ_{k+1} = θ_k − α ∇J(θ_k) + μ (θ_k − θ_{k−1}): Polyak (1964) has two θ and no velocity."""
    before = theta
    while True:
        before, theta = theta, theta - RATE * nabla(theta) + MU * (theta - before)
        yield theta


def adam(nabla: Gradient, theta: Array) -> Iterator[Array]:
    """Line by line algorithm 1 of Kingma and Ba (2015)."""
    m, v, t = np.zeros_like(theta), np.zeros_like(theta), 0
    while True:
        t += 1
        g = nabla(theta)
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        m_hat = m / (1 - 0.9**t)
        v_hat = v / (1 - 0.999**t)
        theta = theta - RATE * m_hat / (np.sqrt(v_hat) + 1e-8)
        yield theta


PUBLISHED = {"gradient_descent": steepest_descent, "momentum": heavy_ball, "adam": adam}

each_optimizer = pytest.mark.parametrize("name", PUBLISHED)


def optimizer(name: str, slope: Slope, updates: int = 0, state: Mapping[str, Array] | None = None) -> Optimizer:
    training = Training(1, learning_rate=RATE, momentum=MU)
    return OPTIMIZERS[name].make(slope, training, Start(Cost(0.0, 0.0, 0.0), updates, state or {}))


def begun(name: str, bowl: Bowl, steps: int) -> tuple[FormulaSlope, Optimizer]:
    """A slope, and an optimizer that has taken so many steps on it."""
    slope = bowl.slope()
    slope.evaluate()
    walker = optimizer(name, slope)
    for _ in range(steps):
        walker.step()
    return slope, walker


BOWL = Bowl(np.array([[3.0, 1.0], [1.0, 0.5]]), np.array([0.3, -2.0]), np.array([1.5, 1.0]))


@each_optimizer
@given(bowl=bowls())
@settings(deadline=None, max_examples=30)
def test_goes_down_a_bowl_as_published(name: str, bowl: Bowl) -> None:
    slope, walker = begun(name, bowl, 0)
    for expected in islice(PUBLISHED[name](bowl.nabla, bowl.start), 25):
        cost = walker.step()
        np.testing.assert_allclose(slope.vector, expected, rtol=1e-9, atol=1e-10)
        assert cost is not None
        assert cost.total == bowl.J(slope.vector)
    assert slope.evaluations == 26


@each_optimizer
@given(problem=problems_of_all_kinds(most_units=4, most_examples=8))
@settings(deadline=None, max_examples=20)
def test_trains_a_network_as_published(name: str, problem: Problem) -> None:
    network = problem.parameters.network

    def nabla(theta: Array) -> Array:
        there = Problem(Parameters(network, theta), problem.X, problem.Y, problem.objective)
        return automatic_cost_and_gradient(there)[1].vector

    parameters, gradient = problem.parameters.copy(), Parameters.zeros(network, np.float64)
    slope = Backpropagation(parameters, gradient, problem.X, problem.Y, problem.objective, Crew(1))
    with computing():
        slope.evaluate()
        walker = optimizer(name, slope)
        for expected in islice(PUBLISHED[name](nabla, problem.parameters.vector), 6):
            walker.step()
            np.testing.assert_allclose(parameters.vector, expected, rtol=1e-7, atol=1e-9)


@given(updates=st.integers(0, 10**7), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_adam_corrects_its_bias_by_the_number_of_updates_however_many(updates: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, v = rng.normal(size=2), rng.uniform(0.1, 2, 2)
    slope, _ = begun("adam", BOWL, 0)
    g, t = slope.gradient.copy(), updates + 1
    optimizer("adam", slope, updates, {"first_moment": m, "second_moment": v}).step()
    m_hat, v_hat = (0.9 * m + 0.1 * g) / (1 - 0.9**t), (0.999 * v + 0.001 * g**2) / (1 - 0.999**t)
    np.testing.assert_allclose(slope.vector, BOWL.start - RATE * m_hat / (np.sqrt(v_hat) + 1e-8), rtol=1e-10)


def test_momentum_of_zero_is_gradient_descent() -> None:
    plain, descending = begun("gradient_descent", BOWL, 0)
    slope, _ = begun("momentum", BOWL, 0)
    heavy = Momentum(slope, RATE, 0.0, {})
    for _ in range(20):
        assert heavy.step() == descending.step()
    assert slope.vector.tobytes() == plain.vector.tobytes()


@each_optimizer
@given(bowl=bowls(), before=st.integers(0, 8), after=st.integers(1, 8), dtype=st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=30)
def test_another_one_goes_on_from_its_state_with_the_same_bits(
    name: str, bowl: Bowl, before: int, after: int, dtype: str
) -> None:
    slope, walker = begun(name, bowl.astype(dtype), before)
    elsewhere = Bowl(bowl.A.astype(dtype), bowl.minimum.astype(dtype), slope.vector.copy()).slope()
    elsewhere.evaluate()
    follower = optimizer(name, elsewhere, before, from_bytes(to_bytes(walker.state())))
    for _ in range(after):
        assert follower.step() == walker.step()
        assert elsewhere.vector.tobytes() == slope.vector.tobytes()
    for key, array in walker.state().items():
        assert follower.state()[key].tobytes() == array.tobytes()


@each_optimizer
def test_single_precision_stays_single_and_close_to_double(name: str) -> None:
    single, walker = begun(name, BOWL.astype("float32"), 20)
    double, _ = begun(name, BOWL, 20)
    assert {array.dtype for array in walker.state().values()} <= {np.dtype(np.float32)}
    np.testing.assert_allclose(single.vector, double.vector, rtol=1e-4)


@each_optimizer
def test_a_state_is_a_copy_on_its_way_out_and_in(name: str) -> None:
    slope, walker = begun(name, BOWL, 3)
    state = walker.state()
    kept = {key: array.copy() for key, array in state.items()}
    optimizer(name, slope, 3, state).step()
    walker.step()
    for key, array in kept.items():
        assert state[key].tobytes() == array.tobytes()
    expected, untouched = begun(name, BOWL, 3)
    slope, walker = begun(name, BOWL, 3)
    for array in walker.state().values():
        array.fill(7)
    assert walker.step() == untouched.step()
    assert slope.vector.tobytes() == expected.vector.tobytes()


@pytest.mark.parametrize(
    ("name", "state", "missed"),
    [
        ("momentum", {"first_moment": np.zeros(2), "second_moment": np.zeros(2)}, "velocity"),
        ("momentum", {"velocity": np.zeros(3)}, "velocity"),
        ("momentum", {"velocity": np.zeros(2, np.float32)}, "velocity"),
        ("adam", {"velocity": np.zeros(2)}, "first_moment"),
        ("adam", {"first_moment": np.zeros(2)}, "second_moment"),
        ("adam", {"first_moment": np.zeros(2), "second_moment": np.zeros((1, 2))}, "second_moment"),
    ],
)
def test_a_state_of_something_else_is_refused(name: str, state: dict[str, Array], missed: str) -> None:
    slope, _ = begun(name, BOWL, 0)
    with pytest.raises(ValueError, match=missed):
        optimizer(name, slope, 0, state)
