"""Runs on arrays, by the usual pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from backprop.network import Network, Parameters
from backprop.passes.protocol import Pass
from backprop.passes.usual import usual_pass
from backprop.training import Run, Training

Array = NDArray[Any]


def pass_of(
    network: Network,
    training: Training,
    X: Array,
    Y: Array,
    *,
    threads: int = 1,
    X_held: Array | None = None,
    Y_held: Array | None = None,
    weights: Array | None = None,
    weights_held: Array | None = None,
) -> Pass:
    """The usual pass, as the training wants it."""
    return usual_pass(
        network,
        X,
        Y,
        training.objective(),
        batch_size=training.batch_size,
        seed=training.seed,
        threads=threads,
        X_held=X_held,
        Y_held=Y_held,
        weights=weights,
        weights_held=weights_held,
    )


def run_of(
    network: Network,
    training: Training,
    X: Array,
    Y: Array,
    *,
    parameters: Parameters | None = None,
    state: Mapping[str, Array] | None = None,
    threads: int = 1,
    X_held: Array | None = None,
    Y_held: Array | None = None,
    weights: Array | None = None,
    weights_held: Array | None = None,
) -> Run:
    """A run with it."""
    pass_ = pass_of(
        network,
        training,
        X,
        Y,
        threads=threads,
        X_held=X_held,
        Y_held=Y_held,
        weights=weights,
        weights_held=weights_held,
    )
    return Run(training, pass_, parameters=parameters, state=state)
