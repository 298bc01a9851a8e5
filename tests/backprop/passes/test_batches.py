from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters, initial_parameters
from backprop.objective import Objective
from backprop.passes.batches import MiniBatches
from backprop.passes.lanes import Crew, computing
from tests.support.passes import Passing, both_ways

Array = NDArray[Any]

NETWORK = Network(6, (Layer(5, "sigmoid"), Layer(3, "softmax")))
AUTOENCODER = Network(6, (Layer(4, "sigmoid"), Layer(6, "linear")))
SPARSE = Objective("squared_error", weight_decay=1e-3, sparsity=0.1, sparsity_weight=2.0)
M = 23


def data(dtype: str = "float64") -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    return rng.normal(size=(M, 6)).astype(dtype), np.eye(3, dtype=dtype)[rng.integers(0, 3, M)]


def batches(
    parameters: Parameters,
    X: Array,
    Y: Array,
    objective: Objective | None = None,
    *,
    size: int = 5,
    seed: int = 0,
    evaluations: int = 0,
    threads: int = 1,
    weights: Array | None = None,
) -> MiniBatches:
    gradient = Parameters.zeros(parameters.network, parameters.vector.dtype)
    evaluator = MiniBatches(
        parameters,
        gradient,
        X,
        Y,
        objective or Objective("cross_entropy", weight_decay=1e-2),
        Crew(threads),
        size=size,
        seed=seed,
        weights=weights,
    )
    evaluator.evaluations = evaluations
    return evaluator


def start(network: Network = NETWORK, dtype: str = "float64") -> Parameters:
    return initial_parameters(network, epsilon=0.5, seed=1, dtype=dtype)


def rows_of_batch(number: int, *, size: int, seed: int) -> Array:
    passes, place = divmod(number, -(-M // size))
    return np.random.default_rng([seed, passes]).permutation(M)[place * size : (place + 1) * size]


def descend(evaluator: MiniBatches, updates: int) -> list[tuple[object, bytes]]:
    """J and the bits of ∇J of each batch, while θ moves."""
    seen: list[tuple[object, bytes]] = []
    with computing():
        for _ in range(updates):
            seen.append((evaluator.evaluate(), evaluator.gradient.tobytes()))
            evaluator.vector -= 0.1 * evaluator.gradient
    return seen


@both_ways
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 5, 22])
def test_a_batch_is_measured_as_its_rows_alone_would_be(passing: Passing, dtype: str, size: int) -> None:
    X, Y = data(dtype)
    objective = Objective("cross_entropy", weight_decay=1e-2)
    parameters = start(dtype=dtype)
    with passing(), computing():
        evaluator = batches(parameters, X, Y, objective, size=size, seed=7)
        for number in range(3 * -(-M // size)):
            rows = rows_of_batch(number, size=size, seed=7)
            cost, gradient = cost_and_gradient(parameters, X[rows], Y[rows], objective)
            assert evaluator.evaluate() == cost
            assert evaluator.gradient.tobytes() == gradient.vector.tobytes()
            evaluator.vector -= 0.1 * evaluator.gradient


@both_ways
def test_a_batch_of_a_reconstruction_has_its_own_inputs_as_targets(passing: Passing) -> None:
    X, _ = data()
    parameters = start(AUTOENCODER)
    with passing(), computing():
        evaluator = batches(parameters, X, X, SPARSE, seed=7)
        for number in range(10):
            rows = rows_of_batch(number, size=5, seed=7)
            cost, gradient = cost_and_gradient(parameters, X[rows], X[rows], SPARSE)
            assert evaluator.evaluate() == cost
            assert evaluator.gradient.tobytes() == gradient.vector.tobytes()


@st.composite
def cuts(draw: st.DrawFn) -> tuple[int, int]:
    """A number of examples, and a smaller one for a batch."""
    m = draw(st.integers(2, 30))
    return m, draw(st.integers(1, m - 1))


@given(cut=cuts(), seed=st.integers(0, 2**32), passes=st.integers(0, 100))
@settings(deadline=None, max_examples=50)
def test_every_example_is_in_one_batch_of_a_pass(cut: tuple[int, int], seed: int, passes: int) -> None:
    """With an input for each example and θ = 0, ∂J/∂W_i of a batch is −y_i over its examples, if i is in it, else 0."""
    m, size = cut
    network = Network(m, (Layer(1, "linear"),))
    count = -(-m // size)
    evaluator = batches(
        Parameters.zeros(network, np.float64),
        np.eye(m),
        -np.ones((m, 1)),
        Objective(),
        size=size,
        seed=seed,
        evaluations=passes * count,
    )
    members = []
    with computing():
        for _ in range(count):
            evaluator.evaluate()
            members.append(np.flatnonzero(evaluator.gradient[:m]))
    assert sorted(np.concatenate(members)) == list(range(m))
    assert [len(batch) for batch in members] == [size] * (count - 1) + [m - (count - 1) * size]


def test_every_pass_and_every_seed_has_an_order_of_its_own() -> None:
    X, Y = data()
    parameters = start()
    with computing():
        orders = []
        for seed in (0, 1):
            evaluator = batches(parameters, X, Y, seed=seed)
            orders += [tuple(evaluator.evaluate().data for _ in range(5)) for _ in range(3)]
    assert len(set(orders)) == 6


@both_ways
@given(begun=st.integers(0, 14))
@settings(deadline=None, max_examples=15)
def test_another_one_goes_on_at_any_batch_with_the_same_bits(passing: Passing, begun: int) -> None:
    X, Y = data()
    with passing():
        expected = descend(batches(start(), X, Y, seed=3), 15)
        first = batches(start(), X, Y, seed=3)
        before = descend(first, begun)
        assert first.evaluations == begun
        left = Parameters(NETWORK, first.vector.copy())
        second = batches(left, X, Y, seed=3, evaluations=first.evaluations)
        assert before + descend(second, 15 - begun) == expected
    assert second.evaluations == 15


@both_ways
def test_threads_and_mapped_files_change_no_bit_of_a_batch(passing: Passing, tmp_path: Path) -> None:
    X, Y = data()
    for name, array in (("x", X), ("y", Y)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped_X, mapped_Y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    with passing():
        expected = descend(batches(start(), X, Y, size=20), 4)
        assert descend(batches(start(), X, Y, size=20, threads=3), 4) == expected
        assert descend(batches(start(), mapped_X, mapped_Y, size=20), 4) == expected


@pytest.mark.parametrize(
    ("X", "Y", "name"),
    [
        (np.zeros((M, 5)), np.zeros((M, 3)), "X"),
        (np.zeros((M, 6)), np.zeros((M - 1, 3)), "Y"),
        (np.zeros((M, 6)), np.zeros((M + 1, 3)), "Y"),
        (np.zeros((M, 6)), np.zeros((M, 3), np.float32), "Y"),
        (np.zeros((6, M)).T, np.zeros((M, 3)), "X"),
    ],
)
def test_data_that_do_not_fit_are_refused_before_a_batch_is_taken(X: Array, Y: Array, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} should be"):
        batches(start(), X, Y)


@both_ways
@pytest.mark.parametrize("size", [1, 5, 22])
def test_a_batch_sums_what_its_rows_weigh_and_divides_by_how_many_they_are(passing: Passing, size: int) -> None:
    X, Y = data()
    w = np.random.default_rng(3).exponential(size=M)
    parameters = start()
    objective = Objective("cross_entropy")
    with passing(), computing():
        evaluator = batches(parameters, X, Y, objective, size=size, weights=w)
        for number in range(2 * -(-M // size)):
            cost = evaluator.evaluate()
            rows = rows_of_batch(number, size=size, seed=0)
            alone, gradient = cost_and_gradient(parameters, X[rows], Y[rows], objective, weights=w[rows])
            share = w[rows].mean()
            assert cost.data == pytest.approx(share * alone.data, rel=1e-12)
            np.testing.assert_allclose(evaluator.gradient, share * gradient.vector, rtol=1e-9, atol=1e-14)


def test_the_mean_of_a_round_s_batches_is_j_of_all() -> None:
    X, Y = data()
    w = np.random.default_rng(3).exponential(size=M)
    parameters, objective = start(), Objective("cross_entropy")
    with computing():
        evaluator = batches(parameters, X, Y, objective, size=5, weights=w / w.mean())
        sums = np.zeros_like(parameters.vector)
        for number in range(-(-M // 5)):
            evaluator.evaluate()
            sums += len(rows_of_batch(number, size=5, seed=0)) * evaluator.gradient
    _, whole = cost_and_gradient(parameters, X, Y, objective, weights=w)
    np.testing.assert_allclose(sums / M, whole.vector, rtol=1e-10, atol=1e-14)
