from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.objective import Cost
from backprop.optimizers.lbfgs import LBFGS
from infra.codec import from_bytes, to_bytes
from tests.support.slopes import Bowl, FormulaSlope, bowls, rosenbrock

Array = NDArray[Any]

BANANA = np.array([-1.2, 1.0])
"""Where Rosenbrock started."""


def begun(slope: FormulaSlope, corrections: int = 10, state: Mapping[str, Array] | None = None) -> LBFGS:
    return LBFGS(slope, slope.evaluate(), corrections, state or {})


def descend(walker: LBFGS, most: int) -> list[Cost]:
    """The costs of all steps that were taken: so many, unless no better θ was found earlier."""
    costs = []
    for _ in range(most):
        cost = walker.step()
        if cost is None:
            break
        costs.append(cost)
    return costs


def inverse_hessian(state: Mapping[str, Array]) -> Array:
    """BFGS's H as a matrix, from (sᵀy / yᵀy) I by one update for each pair: (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ."""
    pairs = list(zip(state["steps"], state["gradient_changes"], strict=True))
    s, y = pairs[-1]
    unit = np.eye(len(s))
    H: Array = (s @ y) / (y @ y) * unit
    for s, y in pairs:
        rho = 1 / (s @ y)
        H = (unit - rho * np.outer(s, y)) @ H @ (unit - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return H


@given(bowl=bowls(), corrections=st.integers(1, 10))
@settings(deadline=None, max_examples=40)
def test_finds_the_bottom_of_a_bowl(bowl: Bowl, corrections: int) -> None:
    slope = bowl.slope()
    descend(begun(slope, corrections), 500)
    np.testing.assert_allclose(slope.vector, bowl.minimum, atol=1e-5)


@given(x=st.floats(-3, 3), y=st.floats(-3, 3), corrections=st.integers(1, 10))
@settings(deadline=None, max_examples=40)
def test_finds_the_end_of_a_bent_and_narrow_valley(x: float, y: float, corrections: int) -> None:
    slope = rosenbrock(np.array([x, y]))
    descend(begun(slope, corrections), 500)
    np.testing.assert_allclose(slope.vector, [1, 1], atol=1e-5)


@given(bowl=bowls(), corrections=st.integers(1, 10))
@settings(deadline=None, max_examples=40)
def test_every_step_leads_down_and_leaves_theta_where_its_cost_and_gradient_are(bowl: Bowl, corrections: int) -> None:
    slope = bowl.slope()
    walker = begun(slope, corrections)
    costs = [bowl.J(bowl.start)]
    for _ in range(500):
        cost = walker.step()
        if cost is None:
            break
        costs.append(cost.total)
        assert cost.total == bowl.J(slope.vector)
        assert slope.gradient.tobytes() == bowl.nabla(slope.vector).tobytes()
    assert all(later < earlier for earlier, later in pairwise(costs))


@given(x=st.floats(-3, 3), y=st.floats(-3, 3))
@settings(deadline=None, max_examples=20)
def test_no_point_is_evaluated_twice_in_a_row(x: float, y: float) -> None:
    slope = rosenbrock(np.array([x, y]))
    taken = descend(begun(slope), 30)
    assert len(slope.visited) == slope.evaluations > len(taken)
    assert all((earlier != later).any() for earlier, later in pairwise(slope.visited))


@given(bowl=bowls())
@settings(deadline=None, max_examples=20)
def test_the_first_trial_is_along_the_gradient_and_no_longer_than_one(bowl: Bowl) -> None:
    slope = bowl.slope()
    begun(slope).step()
    gradient = bowl.nabla(bowl.start)
    expected = bowl.start - gradient / max(1, np.linalg.norm(gradient))
    np.testing.assert_allclose(slope.visited[1], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(share=st.floats(-0.4, 0.9), values=st.lists(st.floats(-1, 1), min_size=1, max_size=9).filter(any))
@settings(deadline=None, max_examples=60)
def test_the_first_trial_has_the_right_length_where_squares_leave_the_dtype(
    dtype: str, share: float, values: list[float]
) -> None:
    """Up to a gradient whose squares overflow, and down to one whose squares just do not vanish."""
    gradient = np.array(values) / np.abs(values).max()
    norm = np.linalg.norm(gradient)
    scale = float(np.finfo(dtype).max) ** share
    slope = FormulaSlope(lambda _: 1.0, lambda _: (scale * gradient).astype(dtype), np.zeros(len(values), dtype))
    begun(slope).step()
    expected = -gradient / norm * min(1.0, scale * norm)
    np.testing.assert_allclose(slope.visited[1], expected, rtol=1e-6, atol=1e-6 * min(1.0, scale))


@given(bowl=bowls(most_parameters=8), corrections=st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_every_later_trial_begins_with_the_step_of_bfgs(bowl: Bowl, corrections: int) -> None:
    slope = bowl.slope()
    walker = begun(slope, corrections)
    walker.step()
    for _ in range(4):
        theta, gradient = slope.vector.copy(), slope.gradient.copy()
        evaluations, state = slope.evaluations, walker.state()
        if np.linalg.norm(gradient) < 1e-6 or walker.step() is None:
            break
        step = -inverse_hessian(state) @ gradient
        np.testing.assert_allclose(slope.visited[evaluations] - theta, step, rtol=1e-5, atol=1e-9)


@given(corrections=st.integers(1, 6), steps=st.integers(0, 12))
@settings(deadline=None, max_examples=30)
def test_the_last_few_changes_are_remembered_and_no_more(corrections: int, steps: int) -> None:
    slope = rosenbrock(BANANA)
    walker = begun(slope, corrections)
    thetas, gradients = [slope.vector.copy()], [slope.gradient.copy()]
    for _ in range(steps):
        walker.step()
        thetas.append(slope.vector.copy())
        gradients.append(slope.gradient.copy())
    kept = min(steps, corrections)
    state = walker.state()
    assert state["steps"].shape == state["gradient_changes"].shape == (kept, 2)
    np.testing.assert_array_equal(state["steps"], np.diff(thetas, axis=0)[steps - kept :])
    np.testing.assert_array_equal(state["gradient_changes"], np.diff(gradients, axis=0)[steps - kept :])


@given(before=st.integers(0, 15), after=st.integers(1, 15), corrections=st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_another_one_goes_on_from_its_state_with_the_same_bits(before: int, after: int, corrections: int) -> None:
    slope = rosenbrock(BANANA)
    walker = begun(slope, corrections)
    descend(walker, before)
    elsewhere = rosenbrock(slope.vector)
    follower = begun(elsewhere, corrections, from_bytes(to_bytes(walker.state())))
    assert descend(follower, after) == descend(walker, after)
    assert elsewhere.vector.tobytes() == slope.vector.tobytes()
    for name, array in walker.state().items():
        assert follower.state()[name].tobytes() == array.tobytes()


def test_a_state_is_a_copy_on_its_way_out_and_in() -> None:
    slope, untouched = rosenbrock(BANANA), rosenbrock(BANANA)
    walker, other = begun(slope), begun(untouched)
    descend(walker, 4)
    descend(other, 4)
    state = walker.state()
    follower = begun(rosenbrock(slope.vector), 10, state)
    for array in state.values():
        array.fill(7)
    expected = other.step()
    assert follower.step() == walker.step() == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_the_bottom_there_is_no_step_and_theta_stays(dtype: str) -> None:
    bottom = np.array([0.25, -2], dtype)
    slope = Bowl(np.eye(2, dtype=dtype), bottom, bottom).slope()
    assert begun(slope).step() is None
    assert slope.vector.tobytes() == bottom.tobytes()
    assert slope.evaluations == 1


@pytest.mark.parametrize("least", [0.0, 1e6])
def test_where_the_gradient_points_the_wrong_way_there_is_no_step_and_theta_stays(least: float) -> None:
    slope = rosenbrock(BANANA)
    walker = begun(slope)
    descend(walker, 5)
    uphill = FormulaSlope(lambda theta: least + float(theta @ theta), lambda theta: -2 * theta, BANANA)
    lost = begun(uphill, 10, walker.state())
    assert lost.step() is None
    assert uphill.evaluations > 2
    assert uphill.vector.tobytes() == BANANA.tobytes()
    assert uphill.gradient.tobytes() == (-2 * BANANA).tobytes()
    assert len(lost.state()["steps"]) == 0


def test_corrections_that_mislead_are_forgotten_and_the_gradient_followed() -> None:
    """A pair from elsewhere tells of a curvature so small that the step along it is far too long."""
    bowl = Bowl(np.eye(2), np.zeros(2), np.array([1.0, 1.0]))
    slope = bowl.slope()
    walker = begun(slope, 10, {"steps": np.array([[1.0, 0.0]]), "gradient_changes": np.array([[1e-12, 0.0]])})
    cost = walker.step()
    assert cost is not None
    assert cost.total < bowl.J(bowl.start)
    np.testing.assert_allclose(walker.state()["steps"], [slope.vector - bowl.start])


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-9, 1e-12])
def test_where_j_is_too_steep_for_the_first_step_a_much_shorter_one_is_found(distance: float) -> None:
    """At 10⁻⁵ from a minimum of curvature 10⁸, half of a step of length 1, and half of that, ten times, is too long."""
    slope = Bowl(np.array([[1e8]]), np.zeros(1), np.array([distance])).slope()
    assert descend(begun(slope), 50)
    assert abs(slope.vector[0]) < 1e-3 * distance


def test_a_straight_slope_leaves_no_corrections() -> None:
    """Without curvature, sᵀy = 0, there is no inverse Hessian; J falls all the same."""
    slope = FormulaSlope(lambda theta: float(-theta.sum()), lambda theta: -np.ones_like(theta), np.zeros(3))
    walker = begun(slope)
    costs = descend(walker, 3)
    assert len(costs) == 3
    assert costs[2].total < costs[1].total < costs[0].total < 0
    assert walker.state()["steps"].shape == (0, 3)


def test_a_change_of_the_gradient_whose_square_vanishes_leaves_no_corrections() -> None:
    """The gradient is 10⁻²⁰, and single precision has no square of that with all its digits."""
    slope = FormulaSlope(
        lambda x: 0.5e-6 * float(x[0]) ** 2,
        lambda x: (1e-6 * x).astype(np.float32),
        np.array([1e-14], np.float32),
    )
    walker = begun(slope)
    cost = walker.step()
    assert cost is not None
    assert cost.total < 0.5e-34
    assert walker.state()["steps"].shape == (0, 1)


def test_a_search_turns_back_from_where_j_is_not_a_number() -> None:
    """x − √x / 5 has its minimum at 0.01, and the first trial is beyond 0."""
    slope = FormulaSlope(lambda x: float(x[0] - np.sqrt(x[0]) / 5), lambda x: 1 - 0.1 / np.sqrt(x), np.array([0.6]))
    walker = begun(slope)
    walker.step()
    assert min(x[0] for x in slope.visited) == slope.visited[1][0] < 0
    descend(walker, 100)
    np.testing.assert_allclose(slope.vector, 0.01, rtol=1e-6)


def test_a_search_that_ends_over_a_cliff_does_not_step_there() -> None:
    """A search that went on doubling its step as J kept falling ends at one that nothing is known of yet."""
    cliff = 1.5 * 2.0**24
    slope = FormulaSlope(lambda x: float(-x[0] if x[0] < cliff else 1), lambda x: -np.ones_like(x), np.zeros(1))
    cost = begun(slope).step()
    assert max(x[0] for x in slope.visited) > cliff
    assert cost is not None
    assert cost.total == -slope.vector[0] < 0


def test_single_precision_stays_single_and_comes_near() -> None:
    slope = rosenbrock(BANANA.astype(np.float32))
    walker = begun(slope)
    descend(walker, 200)
    assert {array.dtype for array in walker.state().values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(slope.vector, [1, 1], atol=1e-2)


@pytest.mark.parametrize(
    "state",
    [
        {"velocity": np.zeros(2)},
        {"steps": np.zeros((1, 2))},
        {"steps": np.zeros((1, 2)), "gradient_changes": np.zeros((2, 2))},
        {"steps": np.zeros((1, 3)), "gradient_changes": np.zeros((1, 3))},
    ],
)
def test_a_state_of_something_else_is_refused(state: dict[str, Array]) -> None:
    with pytest.raises(ValueError, match="not the state of L-BFGS"):
        begun(rosenbrock(BANANA), 10, state)
