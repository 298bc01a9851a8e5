"""Forward propagation for predictions: right, and for each row the same bits in any company."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.activations import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS
from backprop.forward import ForwardPropagation
from backprop.network import Array, Layer, Network, Parameters, initial_parameters, predict

DTYPES = ("float32", "float64")
SIZES = st.integers(1, 20) | st.integers(21, 300)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    hidden = [Layer(draw(SIZES), draw(st.sampled_from(HIDDEN_ACTIVATIONS))) for _ in range(draw(st.integers(0, 2)))]
    return Network(draw(SIZES), (*hidden, Layer(draw(SIZES), draw(st.sampled_from(OUTPUT_ACTIVATIONS)))))


def parameters_of(network: Network, dtype: str, seed: int = 0) -> Parameters:
    return initial_parameters(network, epsilon=0.5, seed=seed, dtype=dtype)


def rows_for(network: Network, count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, network.inputs))


@given(networks(), st.sampled_from(DTYPES), st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_row_has_the_same_bits_in_any_company(network: Network, dtype: str, pieces: list[int], seed: int) -> None:
    X = rows_for(network, sum(pieces), seed)
    forward = ForwardPropagation(parameters_of(network, dtype, seed))
    whole = forward.outputs(X)
    cuts = np.cumsum([0, *pieces])
    apart = [forward.outputs(X[start:stop]) for start, stop in pairwise(cuts)]
    assert np.concatenate(apart).tobytes() == whole.tobytes()
    order = np.random.default_rng(seed).permutation(len(X))
    assert forward.outputs(X[order]).tobytes() == whole[order].tobytes()
    last = X[-1:].copy()
    X[:-1] *= 1e300  # what overflows beside it does not touch it either
    assert forward.outputs(X)[-1:].tobytes() == forward.outputs(last).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(784, 512, 512, 10), (64, 32, 10), (30, 16, 1), (300, 1), (1, 1), (900, 257, 3)])
def test_rows_alone_have_the_bits_of_a_thousand(sizes: tuple[int, ...], dtype: str) -> None:
    """The last layer alone has its own units: BLAS has other routines for few columns, and for one."""
    network = Network(sizes[0], tuple(Layer(units, "tanh") for units in sizes[1:]))
    X = rows_for(network, 1000).astype(dtype)
    forward = ForwardPropagation(parameters_of(network, dtype))
    whole = forward.outputs(X)
    for row in (*range(20), 499, 992, 999):
        assert forward.outputs(X[row : row + 1]).tobytes() == whole[row : row + 1].tobytes()


@given(networks(), st.sampled_from(DTYPES), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_it_is_the_forward_pass_that_training_has(network: Network, dtype: str, rows: int) -> None:
    parameters = parameters_of(network, dtype)
    X = rows_for(network, rows)
    outputs = ForwardPropagation(parameters).outputs(X)
    assert outputs.shape == (rows, network.outputs)
    assert outputs.dtype == dtype
    close = {"float64": 1e-10, "float32": 2e-3}[dtype]
    np.testing.assert_allclose(outputs, predict(parameters, X), rtol=close, atol=close)


def test_it_keeps_its_own_copy_of_the_parameters() -> None:
    network = Network(3, (Layer(2, "linear"),))
    parameters = parameters_of(network, "float64")
    forward = ForwardPropagation(parameters)
    X = rows_for(network, 5)
    before = forward.outputs(X)
    parameters.vector[:] = 0
    np.testing.assert_array_equal(forward.outputs(X), before)
    assert forward.nbytes == 8 * network.parameter_count


def test_rows_of_another_width_are_refused() -> None:
    forward = ForwardPropagation(parameters_of(Network(3, (Layer(2, "linear"),)), "float64"))
    for X in (np.zeros((5, 4)), np.zeros(3)):
        with pytest.raises(ValueError, match=r"X should be \(m, 3\)"):
            forward.outputs(X)
