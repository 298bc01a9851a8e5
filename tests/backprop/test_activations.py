from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS, output_range
from backprop.reference import f, f_prime


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
@given(values=st.lists(st.floats(-700, 700), min_size=1, max_size=20))
def test_in_place_forms_agree_with_the_unit_by_unit_ones(name: str, values: list[float]) -> None:
    a = np.array(values)
    ACTIVATIONS[name].activate(a)
    np.testing.assert_allclose(a, [f(name, z) for z in values], rtol=1e-14)
    delta = np.full(a.shape, 3.0)
    ACTIVATIONS[name].times_derivative(delta, a.copy())
    np.testing.assert_allclose(delta, [3 * f_prime(name, float(x)) for x in a], rtol=1e-14)


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
def test_the_derivative_of_a_smooth_one_jumps_nowhere(name: str) -> None:
    a = np.linspace(-5, 5, 100_001)
    ACTIVATIONS[name].activate(a)
    derivative = np.ones_like(a)
    ACTIVATIONS[name].times_derivative(derivative, a)
    assert (np.abs(np.diff(derivative)).max() < 1e-3) == ACTIVATIONS[name].smooth


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_values_stay_in_range_and_in_their_dtype(name: str, dtype: type[np.floating]) -> None:
    a = np.array([np.finfo(dtype).max, -np.finfo(dtype).max, 0], dtype)
    ACTIVATIONS[name].activate(a)
    assert a.dtype == dtype
    assert np.isfinite(a).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_sigmoid_is_within_a_few_units_in_the_last_place_wherever_it_is_a_normal_number(
    dtype: type[np.floating], data: st.DataObject
) -> None:
    lowest = float(np.ceil(np.log(np.finfo(dtype).tiny)))
    z = np.array(data.draw(st.lists(st.floats(lowest, -lowest), min_size=1, max_size=40)), dtype)
    a = z.copy()
    ACTIVATIONS["sigmoid"].activate(a)
    with localcontext(prec=50):
        exact = [1 / (1 + (-Decimal(value)).exp()) for value in z.tolist()]
        for found, expected in zip(a, exact, strict=True):
            assert abs(Decimal(float(found)) - expected) <= 4 * Decimal(float(np.spacing(found)))
    slope = np.ones_like(a)
    ACTIVATIONS["sigmoid"].times_derivative(slope, a)
    assert (slope[z < 0] > 0).all()


@pytest.mark.parametrize("name", [name for name in OUTPUT_ACTIVATIONS if name != "softmax"])
def test_output_range_bounds_the_function_tightly(name: str) -> None:
    bounds = output_range(name)
    a = np.linspace(-50, 50, 1001)
    ACTIVATIONS[name].activate(a)
    if bounds is None:
        assert a.min() < -40
        assert a.max() > 40
    else:
        np.testing.assert_allclose((a.min(), a.max()), bounds, atol=1e-15)


@given(values=hnp.arrays(np.float64, (4, 3), elements=st.floats(-1e300, 1e300)))
def test_softmax_gives_probabilities_and_its_jacobian(values: NDArray[np.float64]) -> None:
    softmax = ACTIVATIONS["softmax"]
    a = values.copy()
    softmax.activate(a)
    assert (a >= 0).all()
    np.testing.assert_allclose(a.sum(axis=1), 1)
    assert output_range("softmax") == (0.0, 1.0)
    delta = values / 1e300
    expected = [(np.diag(row) - np.outer(row, row)) @ d for row, d in zip(a, delta, strict=True)]
    softmax.times_derivative(delta, a.copy())
    np.testing.assert_allclose(delta, expected, atol=1e-15)


def test_output_range_refuses_what_no_output_layer_has() -> None:
    for name in ("relu", "no_such"):
        with pytest.raises(ValueError, match=name):
            output_range(name)
