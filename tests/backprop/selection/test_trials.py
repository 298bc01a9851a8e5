from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop.costs import COST_FUNCTIONS
from backprop.network import Layer, Network, initial_parameters, predict
from backprop.passes.lanes import computing
from backprop.passes.usual import usual_pass
from backprop.selection.trials import LEAST_GAIN, Abandoned, Candidate, Rows, try_all, try_out
from backprop.training import Run, Training

Array = NDArray[Any]


def rows(m: int, seed: int, dtype: str = "float64") -> Rows:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 3))
    Y = np.sin(X[:, :1]) + 0.3 * rng.normal(size=(m, 1))
    return Rows(X.astype(dtype), Y.astype(dtype))


def candidate(hidden: tuple[int, ...] = (4,), decay: float = 0.01, **training: object) -> Candidate:
    network = Network(3, (*(Layer(units, "tanh") for units in hidden), Layer(1, "linear")))
    given: dict[str, Any] = {"iterations": 20, "optimizer": "lbfgs", "weight_decay": decay, "seed": 3} | training
    return Candidate(network, Training(**given), "uniform", 0.01)


def never() -> bool:
    return False


def test_the_deviance_is_the_mean_cost_of_the_rows_that_were_left_out() -> None:
    tried, trained, measured = candidate(), rows(40, 0), rows(15, 1)
    with computing():
        trial = try_out(tried, trained, measured, never)
    pass_ = usual_pass(tried.network, trained.X, trained.Y, tried.training.objective())
    start = initial_parameters(tried.network, init="uniform", seed=3, dtype="float64")
    run = Run(tried.training, pass_, parameters=start)
    for _ in run.records():
        pass
    errors = predict(run.parameters, measured.X) - measured.Y
    assert trial.iterations == 20
    assert trial.deviance == pytest.approx(0.5 * np.mean(np.sum(errors**2, axis=1)), rel=1e-12)
    assert "squared_error" in COST_FUNCTIONS


@pytest.mark.parametrize("patience", [1, 3])
def test_with_looks_the_lowest_counts_and_patience_ends_the_trial(patience: int) -> None:
    batches: dict[str, Any] = {
        "optimizer": "adam",
        "batch_size": 10,
        "learning_rate": 0.05,
        "iterations": 400,
        "weight_decay": 0.0,
    }
    trained, measured = rows(40, 0), rows(15, 1)
    curve = []
    with computing():
        for iterations in range(4, 404, 4):
            tried = candidate((8,), **(batches | {"iterations": iterations}))
            curve.append(try_out(tried, trained, measured, never).deviance)
        looked = candidate((8,), **batches)
        trial = try_out(
            Candidate(looked.network, looked.training, "uniform", 0.01, measured_every=4, patience=patience),
            trained,
            measured,
            never,
        )
    lowest, to_beat, without_gain = math.inf, math.inf, 0
    for look, deviance in enumerate(curve, start=1):
        if deviance < lowest:
            lowest, iterations = deviance, 4 * look
        if deviance < to_beat - LEAST_GAIN:
            to_beat, without_gain = deviance, 0
        else:
            without_gain += 1
        if without_gain == patience:
            break
    assert trial == (lowest, iterations)


def test_a_trial_that_diverges_has_an_infinite_deviance() -> None:
    tried = candidate((), optimizer="gradient_descent", learning_rate=1e200, iterations=50)
    with computing():
        assert try_out(tried, rows(40, 0), rows(15, 1), never).deviance == math.inf


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(dtype: str) -> None:
    tried = [candidate((5,), decay) for decay in (1e-3, 1e-2, 1e-1)] + [candidate((), 0.1), candidate((30, 20), 0.0)]
    trained, measured = rows(200, 0, dtype), rows(50, 1, dtype)
    alone = try_all(tried, trained, measured, 1, never)
    for threads in (2, 3, 8):
        assert try_all(tried, trained, measured, threads, never) == alone


def test_trials_that_are_given_up_end() -> None:
    with pytest.raises(Abandoned):
        try_all([candidate(iterations=10**9)], rows(40, 0), rows(15, 1), 2, lambda: True)
