"""What is said to be demanded, against what NumPy really allocates, as `tracemalloc` sees it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop.demands import checkpoint_bytes, training_bytes
from backprop.network import Layer, Network, initial_parameters
from backprop.optimizers.table import OPTIMIZERS
from backprop.passes import lanes, products, usual
from backprop.training import Training
from infra.codec import to_bytes
from tests.support.runs import run_of

Array = NDArray[Any]

MANY_THREADS = 16

WIDE = Network(5000, (Layer(40, "sigmoid"), Layer(2, "linear")))
"""With so many parameters that a vector of them is larger than all that a few rows need."""

TRAINING = Training(5, learning_rate=1e-3, weight_decay=1e-3, corrections=2)


class TakingTurns(lanes.Crew):
    """Threads of which each comes to every lane in time, as happens to real ones, but these all work in one."""

    def __init__(self, threads: int) -> None:
        super().__init__(1)
        self.threads = threads
        self._turn = 0

    def work_through(self, pieces: int, work: Callable[[int, int], None]) -> None:
        self._turn += 1
        threads = min(self.threads, pieces)
        for piece in range(pieces):
            work(piece, (piece + self._turn) % threads)


@pytest.fixture(autouse=True)
def taking_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual, "Crew", TakingTurns)


@contextmanager
def hardly_any_rows_in_a_block() -> Iterator[None]:
    """Cut more than two examples of `WIDE` into lanes and blocks, so that the vectors of its parameters remain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL_PRODUCT", 2 * (WIDE.inputs + 1) * (WIDE.layers[0].units + 1))
        patch.setattr(lanes, "SMALL_WORK", 3 * WIDE.parameter_count)
        patch.setattr(lanes, "BLOCK_VALUES", 1)
        patch.setattr(lanes, "LEAST_BLOCK_ROWS", 4)
        yield


def examples(network: Network, m: int, dtype: str, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, network.inputs)).astype(dtype), rng.uniform(size=(m, network.outputs)).astype(dtype)


def allocated(
    network: Network, training: Training, X: Array, Y: Array, *, held: int = 0, weights: Array | None = None
) -> int:
    """Most bytes that a run and its pass hold at once, from their making to the last record."""
    parameters = initial_parameters(network, init="uniform", seed=0, dtype=X.dtype)
    held_out: dict[str, Any] = {"X_held": X[:held], "Y_held": Y[:held]} if held else {}
    if weights is not None:
        held_out |= {"weights": weights[held:], "weights_held": weights[:held] if held else None}
    tracemalloc.start()
    try:
        run = run_of(network, training, X[held:], Y[held:], parameters=parameters, threads=MANY_THREADS, **held_out)
        for _ in run.records():
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("patience", [None, 100])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_checkpoint_has_exactly_these_vectors_and_a_small_header(
    optimizer: str, patience: int | None, dtype: str
) -> None:
    network = Network(100, (Layer(20, "tanh"), Layer(3, "linear")))
    X, Y = examples(network, 50, dtype)
    training = replace(TRAINING, optimizer=optimizer, patience=patience)
    start = initial_parameters(network, init="uniform", seed=0, dtype=dtype)
    run = run_of(network, training, X[10:], Y[10:], parameters=start, X_held=X[:10], Y_held=Y[:10])
    assert len(list(run.records())) == 6
    stored = len(to_bytes(run.state()))
    assert 0 <= stored - checkpoint_bytes(network, training, dtype) < 1000 < network.parameter_count


CASES = [
    (optimizer, batch_size, held, patience)
    for optimizer, kind in OPTIMIZERS.items()
    for batch_size in (None, 110)
    for held, patience in ((0, None), (2, None), (2, 100))
    if batch_size is None or "batch_size" in kind.fields
]


@pytest.mark.parametrize(("optimizer", "batch_size", "held", "patience"), CASES)
def test_every_vector_of_the_parameters_size_is_counted_and_none_too_many(
    optimizer: str, batch_size: int | None, held: int, patience: int | None
) -> None:
    """Of L-BFGS a few more are counted than it holds here, where its line searches find a step at once."""
    training = replace(TRAINING, optimizer=optimizer, batch_size=batch_size, patience=patience)
    X, Y = examples(WIDE, 200 + held, "float32")
    with hardly_any_rows_in_a_block():
        demanded = training_bytes(WIDE, training, "float32", 200, held_out=held > 0)
        spare = (demanded - allocated(WIDE, training, X, Y, held=held)) / (4 * WIDE.parameter_count)
    assert -0.5 < spare < (3 if optimizer == "lbfgs" else 0.5)


A_FEW_UNITS = Network(30, (Layer(16, "sigmoid"), Layer(1, "sigmoid")))
MANY_INPUTS = Network(300, (Layer(1, "sigmoid"),))
MANY_OUTPUTS = Network(3, (Layer(100, "softmax"),))
WIDE_LAYERS = Network(50, (Layer(250, "relu"), Layer(50, "softmax")))
ONE_UNIT = Network(1, (Layer(1, "sigmoid"),))


@pytest.mark.parametrize(
    ("network", "m", "held", "batch_size"),
    [
        (A_FEW_UNITS, 130_955, 0, None),
        (A_FEW_UNITS, 262_093, 262_093, None),
        (A_FEW_UNITS, 261_700, 0, 130_955),
        (MANY_INPUTS, 130_955, 0, None),
        (MANY_OUTPUTS, 51_149, 0, None),
        (WIDE_LAYERS, 16_267, 0, None),
    ],
)
def test_no_more_is_allocated_than_demanded_and_not_much_less(
    network: Network, m: int, held: int, batch_size: int | None
) -> None:
    """Of rows for as many lanes as there can be, the last of which is shorter; every thread comes to that one too."""
    iterations = MANY_THREADS if batch_size is None else 2 * MANY_THREADS
    training = replace(TRAINING, iterations=iterations, cost="cross_entropy", batch_size=batch_size)
    demanded, taken = demanded_and_taken(network, training, m, held)
    assert taken <= demanded < 2.5 * taken


@pytest.mark.parametrize(
    ("network", "m", "held", "batch_size"),
    [
        (A_FEW_UNITS, 1, 0, None),
        (A_FEW_UNITS, 569, 100, 32),
        (MANY_INPUTS, 1_500, 300, None),
        (WIDE_LAYERS, 1_000, 100, 999),
        (ONE_UNIT, 250_000, 0, None),
        (ONE_UNIT, 250_000, 250_000, None),
        (ONE_UNIT, 400_000, 200_000, 210_000),
        (ONE_UNIT, 2_000_000, 0, 1_500_000),
    ],
)
def test_no_more_is_allocated_for_few_rows_or_small_networks(
    network: Network, m: int, held: int, batch_size: int | None
) -> None:
    demanded, taken = demanded_and_taken(
        network, replace(TRAINING, cost="cross_entropy", batch_size=batch_size), m, held
    )
    assert taken <= demanded


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "held", "batch_size"), [(400_000, 0, None), (300_000, 100_000, 90_000), (569, 100, 32)])
def test_weights_are_counted(m: int, held: int, batch_size: int | None, dtype: str) -> None:
    training = replace(TRAINING, batch_size=batch_size)
    demanded, taken = demanded_and_taken(ONE_UNIT, training, m, held, dtype, weights=np.ones(m + held))
    assert taken <= demanded
    plain = training_bytes(ONE_UNIT, training, dtype, m, held_out=held > 0)
    assert demanded - plain == (m + held) * 8 + (m + held + (batch_size or 0)) * np.dtype(dtype).itemsize


def demanded_and_taken(
    network: Network, training: Training, m: int, held: int, dtype: str = "float32", weights: Array | None = None
) -> tuple[int, int]:
    X, Y = np.zeros((m + held, network.inputs), dtype), np.zeros((m + held, network.outputs), dtype)
    weighted = 0 if weights is None else m + held
    demanded = training_bytes(network, training, dtype, m, held_out=held > 0, weighted=weighted)
    return demanded, allocated(network, training, X, Y, held=held, weights=weights)
