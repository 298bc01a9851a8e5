"""Training: one record of J after another, from any saved state, with the same bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.gradient import Backpropagation, Cost, Objective
from backprop.lanes import Crew, single_threaded_blas
from backprop.network import Network, Parameters
from backprop.optimizers import GradientDescent

Array = NDArray[Any]


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        iterations: N, the number of parameter updates.
        learning_rate: α.
        weight_decay: λ.

    Raises:
        ValueError: a value that makes no sense.
    """

    iterations: int
    learning_rate: float = 0.1
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.iterations < 0:
            raise ValueError(f"iterations is a number from 0 up, not {self.iterations}")
        if not 0 < self.learning_rate < np.inf:
            raise ValueError(f"learning_rate is a positive number, not {self.learning_rate}")
        self.objective()

    def objective(self) -> Objective:
        """What is minimised."""
        return Objective(weight_decay=self.weight_decay)


class Record(NamedTuple):
    """J(W,b) at the parameters after `iteration` updates: ``cost = data_cost + decay_cost``."""

    iteration: int
    cost: float
    data_cost: float
    decay_cost: float


class Run:
    """A training in progress.

    Args:
        network: what is trained.
        training: how.
        X: (m, inputs), C-contiguous, of the parameters' dtype, in memory or mapped; never copied as a whole.
        Y: (m, outputs), likewise; the same object as X for a reconstruction.
        parameters: to start from; copied. Not needed with `state`.
        state: of another run of the same network, training and data, to go on from.
        threads: at most so many; nothing but the time depends on it.

    Raises:
        ValueError: shapes or dtypes that do not fit, neither parameters nor state, or a state of something else.
    """

    def __init__(
        self,
        network: Network,
        training: Training,
        X: Array,
        Y: Array,
        *,
        parameters: Parameters | None = None,
        state: Mapping[str, Array] | None = None,
        threads: int = 1,
    ) -> None:
        self._training = training
        self._iteration: int | None = None
        if state is not None:
            self._iteration, self.parameters = _saved(network, state)
        elif parameters is not None:
            self.parameters = parameters.copy()
        else:
            raise ValueError("a run needs parameters or a state to start from")
        self._gradient = Parameters.zeros(network, self.parameters.vector.dtype)
        self._backpropagation = Backpropagation(
            self.parameters, self._gradient, X, Y, training.objective(), Crew(threads)
        )
        self._optimizer = GradientDescent(training.learning_rate, self.parameters.vector)

    def records(self) -> Iterator[Record]:
        """Train, and give a record for every iteration.

        Record k holds J at the parameters after k updates; from k = 0, or the one after the state's, to k = N. While a
        record is looked at, `parameters` and `state` are those it was measured at. A J that is not finite is
        given like any other. BLAS is limited to one thread, process-wide, until the iterator ends or is closed.
        """
        with single_threaded_blas():
            cost = self._backpropagation.evaluate()
            if self._iteration is None:
                self._iteration = 0
                yield _record(0, cost)
            for iteration in range(self._iteration + 1, self._training.iterations + 1):
                with np.errstate(all="ignore"):
                    self._optimizer.update(self.parameters.vector, self._gradient.vector)
                cost = self._backpropagation.evaluate()
                self._iteration = iteration
                yield _record(iteration, cost)

    def state(self) -> dict[str, Array]:
        """Everything that decides the rest of the run after the last record, as arrays that are copies.

        Raises:
            ValueError: there is no record yet.
        """
        if self._iteration is None:
            raise ValueError("a run has a state from its first record on")
        return {"iteration": np.array([self._iteration], np.int64), "parameters": self.parameters.vector.copy()}


def _record(iteration: int, cost: Cost) -> Record:
    return Record(iteration, cost.total, cost.data, cost.decay)


def _saved(network: Network, state: Mapping[str, Array]) -> tuple[int, Parameters]:
    try:
        return int(state["iteration"][0]), Parameters(network, np.array(state["parameters"]))
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not the state of a run: {error!r}") from error
