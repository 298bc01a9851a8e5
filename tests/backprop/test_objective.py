from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.checking import numerical_gradient
from backprop.objective import Objective, mean_activations

MEANS = st.lists(st.floats(0.1, 0.9), min_size=1, max_size=6)
"""ρ̂ of the units of a layer."""

OBJECTIVES = st.builds(Objective, sparsity=st.floats(0.01, 0.99), sparsity_weight=st.floats(0.1, 5))


@given(objective=OBJECTIVES, means=MEANS)
def test_what_sparsity_adds_to_delta_is_the_derivative_of_its_cost(objective: Objective, means: list[float]) -> None:
    mean = np.array(means)
    slopes = numerical_gradient(lambda changed: objective.sparsity_cost([changed]), mean)
    np.testing.assert_allclose(objective.sparsity_delta(mean, "float64"), slopes, rtol=1e-4, atol=1e-4)


@given(objective=OBJECTIVES, units=st.integers(1, 5), away=st.floats(0.01, 0.99))
def test_sparsity_costs_nothing_at_rho_and_more_the_farther_from_it(
    objective: Objective, units: int, away: float
) -> None:
    rho = np.full(units, objective.sparsity)
    assert objective.sparsity_cost([rho]) == pytest.approx(0, abs=1e-12)
    for end in (0, 1):
        half, whole = (objective.sparsity_cost([rho + part * away * (end - rho)]) for part in (0.5, 1))
        assert 0 < half < whole


@given(objective=OBJECTIVES, layers=st.lists(MEANS, min_size=2, max_size=3))
def test_the_units_of_all_layers_cost_what_each_costs_alone(objective: Objective, layers: list[list[float]]) -> None:
    alone = sum(objective.sparsity_cost([np.array([mean])]) for means in layers for mean in means)
    assert objective.sparsity_cost([np.array(means) for means in layers]) == pytest.approx(alone, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(activations=st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_means_are_means_kept_away_from_0_and_1_as_far_as_the_dtype_can_tell(
    dtype: str, activations: list[float]
) -> None:
    a = np.array(activations, dtype)
    limits = np.finfo(dtype)
    (mean,) = mean_activations(a.sum(keepdims=True), len(a), dtype)
    assert 0 < limits.tiny <= mean <= 1 - limits.eps < 1
    assert mean == pytest.approx(float(a.mean(dtype=np.float64)), rel=1e-5, abs=float(limits.tiny))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_sparsity_adds_to_delta_is_finite_in_its_dtype(dtype: str) -> None:
    objective = Objective(sparsity=0.9, sparsity_weight=1000.0)
    mean = mean_activations(np.array([0, 8], dtype), 8, dtype)
    with np.errstate(over="ignore"):
        delta = objective.sparsity_delta(mean, dtype)
    assert delta.dtype == dtype
    assert np.isfinite(delta).all()
    assert delta[0] < 0 < delta[1]
