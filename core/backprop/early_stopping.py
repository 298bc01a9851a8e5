"""Early stopping: the parameters that did best on held-out examples, and when to look no further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.network import Parameters

Array = NDArray[Any]


class EarlyStopping:
    """Remembers the lowest held-out cost of a run and the parameters that had it.

    Args:
        patience: iterations without a new lowest cost after which training is to end. Only iterations at which the
            held-out cost is measured count for anything.
        parameters: the run's, as they change.
        state: of another one, to go on from; empty for none.

    Attributes:
        best: a copy of the parameters with the lowest held-out cost so far.
        best_iteration: how many updates they have had.

    Raises:
        ValueError: a state of something else.
    """

    def __init__(self, patience: int, parameters: Parameters, state: Mapping[str, Array]) -> None:
        self._patience = patience
        self._parameters = parameters
        self.best = parameters.copy()
        self._best_cost = np.inf
        self.best_iteration = 0
        if state:
            try:
                self.best = Parameters(parameters.network, np.array(state["best_parameters"]))
                self._best_cost = float(state["best_cost"][0])
                self.best_iteration = int(state["best_iteration"][0])
            except KeyError as error:
                raise ValueError(f"not the state of a run with patience: it has no {error}") from error

    def observe(self, iteration: int, cost: float) -> None:
        """Take note of the held-out cost of the current parameters."""
        if self.would_be_best(cost):
            self._best_cost = cost
            self.best_iteration = iteration
            self.best.vector[...] = self._parameters.vector

    def would_be_best(self, cost: float) -> bool:
        """Whether that cost is lower than the lowest so far. Nothing is noted."""
        return cost < self._best_cost

    def is_over(self, iteration: int) -> bool:
        """Whether patience has run out at an iteration that has been observed."""
        return iteration - self.best_iteration >= self._patience

    def state(self) -> dict[str, Array]:
        """Copies of what there is to remember."""
        return {
            "best_parameters": self.best.vector.copy(),
            "best_cost": np.array([self._best_cost]),
            "best_iteration": np.array([self.best_iteration], np.int64),
        }
