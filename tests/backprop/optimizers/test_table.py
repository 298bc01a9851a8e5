from __future__ import annotations

import tracemalloc
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop.objective import Cost
from backprop.optimizers.protocols import Start
from backprop.optimizers.table import OPTIMIZERS
from backprop.training import Training

Array = NDArray[Any]

DEFAULTS = {field.name: field.default for field in fields(Training)}

each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@each_optimizer
def test_an_optimizer_reads_fields_that_trainings_have(name: str) -> None:
    """Of these only the learning rate has a default of its own for each optimizer."""
    read = OPTIMIZERS[name].fields
    assert all(DEFAULTS[field] == default for field, default in read.items() if field != "learning_rate")
    assert OPTIMIZERS[name].name == name
    Training(1, optimizer=name, **read)  # type: ignore[arg-type]


@each_optimizer
def test_only_optimizers_that_read_it_take_a_batch_size(name: str) -> None:
    if "batch_size" in OPTIMIZERS[name].fields:
        assert Training(1, optimizer=name, batch_size=5).batch_size == 5
    else:
        with pytest.raises(ValueError, match=f"{name} needs all examples at every update: no batch_size"):
            Training(1, optimizer=name, batch_size=5)


class Ravine:
    """Σ ½ θ_i², and a hundred thousand times as much beyond θ_i = 0; nothing is allocated to evaluate it."""

    def __init__(self, n: int) -> None:
        self.vector = np.random.default_rng(0).uniform(1, 2, n).astype(np.float32)
        self.gradient = np.zeros_like(self.vector)
        self.evaluations = 0
        self._beyond = np.zeros_like(self.vector)

    def evaluate(self) -> Cost:
        self.evaluations += 1
        np.minimum(self.vector, 0, out=self._beyond)
        np.multiply(self._beyond, 99_999, out=self._beyond)
        np.add(self.vector, self._beyond, out=self.gradient)
        return Cost(0.5 * float(self.vector @ self.gradient), 0.0, 0.0)


def misled(pairs: int, n: int) -> dict[str, Array]:
    """What tells L-BFGS of a curvature a thousand times too low: it sets out far too wide, and looks for long."""
    steps = np.random.default_rng(1).normal(size=(pairs, n)).astype(np.float32)
    return {"steps": steps, "gradient_changes": steps / 1000}


@each_optimizer
def test_an_optimizer_holds_as_many_vectors_as_the_table_says(name: str) -> None:
    """Of float32, in which line searches need more of them: SciPy's steps are in float64."""
    slope = Ravine(100_000)
    training = Training(1, optimizer=name, learning_rate=1e-4, corrections=3)
    start = Start(slope.evaluate(), 0, misled(3, 100_000) if name == "lbfgs" else {})
    kind = OPTIMIZERS[name]
    tracemalloc.start()
    try:
        walker = kind.make(slope, training, start)
        for _ in range(3):
            assert walker.step() is not None
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(array.nbytes for array in walker.state().values()) == kind.state_vectors(training) * slope.vector.nbytes
    assert round(most / slope.vector.nbytes) == kind.state_vectors(training) + kind.work_vectors
