from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from backprop.activations import ACTIVATIONS, output_range
from backprop.checking import numerical_gradient
from backprop.costs import COST_FUNCTIONS, measuring_values

Array = NDArray[Any]

each_cost = pytest.mark.parametrize(
    ("cost", "output"), [(cost.name, output) for cost in COST_FUNCTIONS.values() for output in cost.activations]
)


def measured(cost: str, output: str, z: Array, y: Array, delta: Array, weights: Array | None = None) -> float:
    """Σ J(W,b;x,y); δ is left in `delta`, and z is used up."""
    f = ACTIVATIONS[output]
    z *= f.scale
    with np.errstate(over="ignore"):
        return COST_FUNCTIONS[cost].measure(f, z, y, delta, weights)


@st.composite
def examples(draw: st.DrawFn, output: str, spread: float) -> tuple[Array, Array]:
    """z of so large a spread and y, (rows, outputs)."""
    shape = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low, high = output_range(output) or (-2.0, 2.0)
    return generator.normal(0, spread, shape), generator.uniform(low, high, shape)


@each_cost
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_columns_end_to_end_cost_what_rows_do(cost: str, output: str, dtype: str, data: st.DataObject) -> None:
    z, y = (array.astype(dtype) for array in data.draw(examples(output, spread=3)))
    by_row, by_column = np.empty_like(z), np.empty(z.T.shape, dtype).T
    expected = measured(cost, output, z.copy(), y, by_row)
    found = measured(cost, output, z.T.copy().T, y.T.copy().T, by_column)
    precision = 100 * float(np.finfo(dtype).eps)
    assert found == pytest.approx(expected, rel=precision, abs=precision)
    np.testing.assert_allclose(by_column, by_row, rtol=precision, atol=precision)


@each_cost
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_rows_count_as_much_as_they_weigh(cost: str, output: str, dtype: str, data: st.DataObject) -> None:
    """Whether the rows lie end to end or the columns do."""
    z, y = (array.astype(dtype) for array in data.draw(examples(output, spread=3)))
    w = np.random.default_rng(len(z)).exponential(size=len(z)).astype(dtype)
    alone = [np.empty((1, z.shape[1]), dtype) for _ in z]
    costs = [measured(cost, output, z[[row]].copy(), y[[row]].copy(), delta) for row, delta in enumerate(alone)]
    precision = 100 * float(np.finfo(dtype).eps)
    for found_delta, z_here, y_here in (
        (np.empty_like(z), z.copy(), y),
        (np.empty(z.T.shape, dtype).T, z.T.copy().T, y.T.copy().T),
    ):
        found = measured(cost, output, z_here, y_here, found_delta, w)
        assert found == pytest.approx(float(w @ costs), rel=precision, abs=precision)
        np.testing.assert_allclose(
            found_delta, w[:, np.newaxis] * np.concatenate(alone), rtol=precision, atol=precision
        )


@each_cost
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_delta_is_the_derivative_by_z(cost: str, output: str, data: st.DataObject) -> None:
    """For any y at all: those of a softmax need not sum to 1."""
    z, y = data.draw(examples(output, spread=1))
    delta = np.empty_like(z)
    measured(cost, output, z.copy(), y, delta)

    def cost_at(flat: Array) -> float:
        return measured(cost, output, flat.reshape(z.shape).copy(), y, np.empty_like(z))

    np.testing.assert_allclose(delta.ravel(), numerical_gradient(cost_at, z.ravel()), atol=1e-6)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_cross_entropy_is_as_exact_where_outputs_saturate(output: str, data: st.DataObject) -> None:
    z, y = data.draw(examples(output, spread=500))
    expected = (
        -(y * log_softmax(z, axis=1)).sum()
        if output == "softmax"
        else -(y * log_expit(z) + (1 - y) * log_expit(-z)).sum()
    )
    assert measured("cross_entropy", output, z, y, np.empty_like(z)) == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [True, False])
@given(data=st.data(), spread=st.sampled_from((1.0, 30.0, 500.0)))
@settings(deadline=None, max_examples=50)
def test_cross_entropy_is_never_negative_nor_infinite(
    output: str, dtype: str, classes: bool, data: st.DataObject, spread: float
) -> None:
    """With classes, every output is on the right side, where what it costs is next to nothing."""
    z, y = data.draw(examples(output, spread))
    if classes:
        y = np.where(z == z.max(axis=1, keepdims=True), 1.0, 0.0) if output == "softmax" else np.where(z > 0, 1.0, 0.0)
    z, y = z.astype(dtype), y.astype(dtype)
    assert 0 <= measured("cross_entropy", output, z.copy(), y, np.empty_like(z)) < np.inf
    w = np.random.default_rng(0).exponential(size=len(z)).astype(dtype)
    assert 0 <= measured("cross_entropy", output, z, y, np.empty_like(z), w) < np.inf


@given(data=st.data(), spread=st.sampled_from((1.0, 30.0, 500.0)))
@settings(deadline=None, max_examples=50)
def test_sigmoid_cross_entropy_keeps_its_digits_in_single_precision(data: st.DataObject, spread: float) -> None:
    """Also where outputs are right, and what they cost is little beside their z."""
    z, _ = data.draw(examples("sigmoid", spread))
    z = z.astype(np.float32)
    y = np.where(z > 0, 1, 0).astype(np.float32)
    expected = -log_expit(np.abs(z.astype(np.float64))).sum()
    found = measured("cross_entropy", "sigmoid", z, y, np.empty_like(z))
    assert found == pytest.approx(float(expected), rel=1e-5, abs=float(np.finfo(np.float32).tiny))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 2, 7])
def test_the_most_that_is_allocated_on_the_way_is_known_and_reached(outputs: int, weighted: bool) -> None:
    """But for the buffers, of some ten kilobytes, through which NumPy itself passes what it cannot take as it lies."""
    rows, own_buffers = 100_000, 2**17
    most = 0
    for cost in COST_FUNCTIONS.values():
        for output in cost.activations:
            z, y, delta = np.zeros((3, rows, outputs))
            weights = np.ones(rows) if weighted else None
            tracemalloc.start()
            cost.measure(ACTIVATIONS[output], z, y, delta, weights)
            most = max(most, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert 0 <= measuring_values(rows, outputs) * 8 - (most - own_buffers) < rows * 8
