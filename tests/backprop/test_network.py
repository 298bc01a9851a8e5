from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from backprop.network import Layer, Network, Parameters, initial_parameters, predict
from backprop.reference import activations
from tests.support.networks import Problem, problems

NETWORK = Network(3, (Layer(4, "tanh"), Layer(2, "sigmoid")))


def test_sizes_and_counts_are_those_of_the_page() -> None:
    assert NETWORK.sizes == (3, 4, 2)
    assert NETWORK.outputs == 2
    assert NETWORK.parameter_count == 4 * 3 + 4 + 2 * 4 + 2


@pytest.mark.parametrize(
    ("inputs", "layers", "reason"),
    [
        (3, (), "output layer"),
        (0, (Layer(1, "tanh"),), "input"),
        (3, (Layer(0, "tanh"), Layer(1, "tanh")), "layer 2"),
        (3, (Layer(2, "softsign"), Layer(1, "tanh")), "softsign"),
        (3, (Layer(2, "tanh"), Layer(1, "relu")), "relu"),
    ],
)
def test_impossible_networks_are_refused(inputs: int, layers: tuple[Layer, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Network(inputs, layers)


@given(problems())
@settings(max_examples=30)
def test_every_parameter_is_in_exactly_one_view(problem: Problem) -> None:
    parameters = Parameters.zeros(problem.parameters.network, np.float64)
    for view in parameters.W + parameters.b:
        view += 1
    assert (parameters.vector == 1).all()


@given(problems())
@settings(max_examples=30)
def test_arrays_round_trip(problem: Problem) -> None:
    arrays = problem.parameters.to_arrays()
    assert all(array.flags.c_contiguous and array.base is None for array in arrays.values())
    back = Parameters.from_arrays(problem.parameters.network, arrays)
    assert back.vector.tobytes() == problem.parameters.vector.tobytes()


def test_a_network_survives_json() -> None:
    stored = NETWORK.to_json()
    assert stored == {
        "sizes": [3, 4, 2],
        "layers": [{"units": 4, "activation": "tanh"}, {"units": 2, "activation": "sigmoid"}],
    }
    assert Network.from_json(json.loads(json.dumps(stored))) == NETWORK
    with pytest.raises(ValueError, match="longer"):
        Network.from_json({**stored, "sizes": [3, 4]})


def test_parameters_of_another_dtype_are_rounded_copies() -> None:
    parameters = initial_parameters(NETWORK, seed=3, dtype=np.float64)
    single, double = parameters.astype(np.float32), parameters.astype(np.float64)
    np.testing.assert_array_equal(single.vector, parameters.vector.astype(np.float32))
    assert single.network == double.network == NETWORK
    double.vector[:] = 0
    assert parameters.vector.any()


def test_arrays_of_another_network_are_refused() -> None:
    arrays = Parameters.zeros(NETWORK, np.float64).to_arrays()
    for wrong in (
        {name: array for name, array in arrays.items() if name != "b2"},
        {**arrays, "W3": arrays["W2"]},
        {**arrays, "W2": arrays["W2"].T},
        {**arrays, "b1": arrays["b1"].astype(np.float32)},
        {name: array.astype(np.int64) for name, array in arrays.items()},
    ):
        with pytest.raises(ValueError, match=r"expected|should be|parameters are"):
            Parameters.from_arrays(NETWORK, wrong)


def test_vectors_that_cannot_be_parameters_are_refused() -> None:
    count = NETWORK.parameter_count
    for vector in (np.zeros(count + 1), np.zeros(count, np.int64), np.zeros(2 * count)[::2]):
        with pytest.raises(ValueError, match="parameters"):
            Parameters(NETWORK, vector)


def test_an_outsider_can_reproduce_the_normal_init() -> None:
    rng = np.random.default_rng(7)
    W1, b1 = 0.5 * rng.standard_normal((4, 3)), 0.5 * rng.standard_normal(4)
    W2, b2 = 0.5 * rng.standard_normal((2, 4)), 0.5 * rng.standard_normal(2)
    for dtype in ("float32", "float64"):
        drawn = initial_parameters(NETWORK, epsilon=0.5, seed=7, dtype=dtype)
        for got, expected in zip((*drawn.W, *drawn.b), (W1, W2, b1, b2), strict=True):
            assert got.tobytes() == expected.astype(dtype).tobytes()


def test_an_outsider_can_reproduce_the_uniform_init() -> None:
    rng = np.random.default_rng(7)
    W1 = rng.uniform(-np.sqrt(6 / 8), np.sqrt(6 / 8), (4, 3))
    W2 = rng.uniform(-np.sqrt(6 / 7), np.sqrt(6 / 7), (2, 4))
    drawn = initial_parameters(NETWORK, init="uniform", seed=7, dtype="float64")
    assert drawn.W[0].tobytes() == W1.tobytes()
    assert drawn.W[1].tobytes() == W2.tobytes()
    assert not np.concatenate(drawn.b).any()


def test_impossible_inits_are_refused() -> None:
    with pytest.raises(ValueError, match="init"):
        initial_parameters(NETWORK, init="zeros", seed=0, dtype="float64")  # type: ignore[arg-type]
    for epsilon in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="epsilon"):
            initial_parameters(NETWORK, epsilon=epsilon, seed=0, dtype="float64")


@given(problems())
@settings(max_examples=50, deadline=None)
def test_predictions_are_the_forward_pass_of_the_page(problem: Problem) -> None:
    expected = [activations(problem.parameters, x)[-1] for x in problem.X.tolist()]
    np.testing.assert_allclose(predict(problem.parameters, problem.X), expected, rtol=1e-12, atol=1e-14)


def test_predictions_do_not_depend_on_blocks_and_read_mapped_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (101, 3))
    X[...] = np.random.default_rng(0).normal(size=X.shape)
    parameters = initial_parameters(NETWORK, seed=1, dtype="float32")
    whole = predict(parameters, X)
    assert whole.dtype == np.float32
    monkeypatch.setattr("backprop.network.BLOCK_VALUES", 40)
    np.testing.assert_allclose(predict(parameters, X), whole, rtol=1e-6)


def test_predictions_for_no_rows_and_for_wrong_rows() -> None:
    parameters = initial_parameters(NETWORK, seed=1, dtype="float64")
    assert predict(parameters, np.empty((0, 3))).shape == (0, 2)
    for shape in ((2, 4), (3,)):
        with pytest.raises(ValueError, match="X should be"):
            predict(parameters, np.zeros(shape))
