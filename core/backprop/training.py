"""Training: one record of J after another, from any saved state, with the same bits."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from backprop.early_stopping import EarlyStopping
from backprop.network import Parameters
from backprop.objective import Cost, Objective
from backprop.optimizers.protocols import Optimizer, Start
from backprop.optimizers.table import OPTIMIZERS
from backprop.passes.lanes import quiet_context, single_threaded_blas
from backprop.passes.protocol import Pass

Array = NDArray[Any]

StopReason = Literal["tolerance", "patience", "no_progress"]


_LEAST = {"iterations": 0, "corrections": 1, "batch_size": 1, "seed": 0, "patience": 1, "held_out_every": 1}
"""The least that each of these fields of a training may be."""


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        iterations: N, the number of parameter updates.
        learning_rate: α, of optimizers that do not find their own steps.
        weight_decay: λ.
        optimizer: name of one of `OPTIMIZERS`, which tell which of these fields they read.
        momentum: μ.
        corrections: how many pairs of changes are remembered.
        batch_size: examples of a mini-batch; None, or as many as there are, for all of them at every update.
        seed: of the order in which mini-batches take the examples.
        cost: J(W,b;x,y): ``squared_error``, or ``cross_entropy`` of sigmoid or softmax outputs.
        sparsity: ρ, the mean activation that hidden units are drawn to.
        sparsity_weight: β; 0 for no sparsity term.
        tolerance: training ends where ‖∇J‖ ≤ tolerance; 0 for never.
        patience: training ends after so many iterations without a new lowest cost of the held-out examples; None for
            never. It is looked at where these are measured, and nowhere else.
        held_out_every: the held-out examples are measured at the iterations that are multiples of it; None for once an
            epoch, which is every iteration unless there are mini-batches.

    Raises:
        ValueError: a value that makes no sense, or two that do not go together.
    """

    iterations: int
    learning_rate: float = 0.1
    weight_decay: float = 0.0
    optimizer: str = "gradient_descent"
    momentum: float = 0.9
    corrections: int = 10
    batch_size: int | None = None
    seed: int = 0
    cost: str = "squared_error"
    sparsity: float = 0.01
    sparsity_weight: float = 0.0
    tolerance: float = 0.0
    patience: int | None = None
    held_out_every: int | None = None

    def __post_init__(self) -> None:
        self.objective()
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"the optimizer is one of {', '.join(OPTIMIZERS)}, not {self.optimizer!r}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is a positive number, not {self.learning_rate}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is a number from 0 up to, but not including, 1, not {self.momentum}")
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"tolerance is a number from 0 up, not {self.tolerance}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is a number from {least} up, not {value}")
        if self.batch_size is not None and "batch_size" not in OPTIMIZERS[self.optimizer].fields:
            raise ValueError(f"{self.optimizer} needs all examples at every update: no batch_size")
        if self.batch_size is not None and self.tolerance:
            raise ValueError(
                "the gradient of a mini-batch does not vanish at the minimum: no tolerance with batch_size"
            )

    @classmethod
    def of(cls, fields_by_name: Mapping[str, Any]) -> Self:
        """The training of which these are fields, and others beside them; None stands for the default.

        Raises:
            ValueError: as the constructor does.
        """
        given = {field.name: fields_by_name.get(field.name) for field in fields(cls)}
        return cls(**{name: value for name, value in given.items() if value is not None})

    def objective(self) -> Objective:
        """What is minimised."""
        return Objective(self.cost, self.weight_decay, self.sparsity, self.sparsity_weight)


class Record(NamedTuple):
    """J(W,b) at the parameters after `iteration` updates.

    Attributes:
        iteration: k.
        cost: J = data_cost + decay_cost + sparsity_cost; with mini-batches, of the batch that update k + 1 takes.
        data_cost: (1/m) Σ J(W,b;x,y), weighted if the examples are.
        decay_cost: (λ/2) Σ W².
        sparsity_cost: β Σ KL(ρ‖ρ̂).
        held_out_cost: (1/m′) Σ J(W,b;x,y) of the held-out examples, weighted if they are; None if there are none, and
            where they are not measured.
        evaluations: how many times J has been evaluated since the start, this one included.
    """

    iteration: int
    cost: float
    data_cost: float
    decay_cost: float
    sparsity_cost: float = 0.0
    held_out_cost: float | None = None
    evaluations: int = 0


class Run:
    """A training in progress.

    Args:
        training: how.
        pass_: what takes the examples through the network, made for this training; used by no other run.
        parameters: to start from; copied. Not needed with `state`.
        state: of another run of the same network, training and data, to go on from.

    Attributes:
        parameters: the current ones.
        stopped: why training ended before its last iteration; None if it did not, or not yet.

    Raises:
        ValueError: neither parameters nor state, parameters that are not of the pass's size and dtype, a state of
            something else, or patience or held_out_every without held-out examples.
    """

    def __init__(
        self,
        training: Training,
        pass_: Pass,
        *,
        parameters: Parameters | None = None,
        state: Mapping[str, Array] | None = None,
    ) -> None:
        self.parameters = pass_.parameters
        self.stopped: StopReason | None = None
        self._training = training
        self._pass = pass_
        self._state = dict(state or {})
        self._iteration: int | None = None
        if state is not None:
            self._iteration, evaluations, vector = _saved(state)
            # What was evaluated last is evaluated again, to have the gradient that goes with it.
            pass_.evaluations = max(evaluations - 1, 0)
        elif parameters is not None:
            vector = parameters.vector
        else:
            raise ValueError("a run needs parameters or a state to start from")
        _put(vector, pass_.vector)
        self._optimizer: Optimizer | None = None
        self._quiet = quiet_context()
        self._held_out = pass_.held_out
        self._held_out_every = training.held_out_every or pass_.updates_per_epoch
        self._early_stopping: EarlyStopping | None = None
        self._end_is_best = False
        for name in ("patience", "held_out_every"):
            if getattr(training, name) is not None and self._held_out is None:
                raise ValueError(f"{name} needs held-out examples")
        if training.patience is not None:
            self._early_stopping = EarlyStopping(training.patience, self.parameters, self._state)

    @property
    def best_parameters(self) -> Parameters:
        """With patience, those that had the lowest held-out cost where it was measured; else the current ones.

        Where training ends between two measurements, the end counts as measured.
        """
        if self._early_stopping is None or self._end_is_best:
            return self.parameters
        return self._early_stopping.best

    @property
    def best_iteration(self) -> int:
        """How many updates the best parameters have had."""
        if self._early_stopping is None or self._end_is_best:
            return self._iteration or 0
        return self._early_stopping.best_iteration

    def records(self) -> Generator[Record]:
        """Train, and give a record for every iteration. To be called once.

        Record k holds J at the parameters after k updates; from k = 0, or the one after the state's, to k = N or where
        training stops. While a record is looked at, `parameters` and `state` are those it was measured at. A J that is
        not finite is given like any other. BLAS is limited to one thread, process-wide, until the iterator ends or is
        closed.

        Raises:
            ValueError: the state is not one of this optimizer's.
        """
        with single_threaded_blas():
            start = self._quiet.run(self._pass.evaluate)
            self._optimizer = self._made_optimizer(start)
            if self._iteration is None:
                self._iteration = 0
                yield self._record(start)
            while self._iteration < self._training.iterations:
                cost = self._next_cost(self._optimizer)
                if cost is None:
                    break
                self._iteration += 1
                yield self._record(cost)
            self._measure_the_end()

    def _next_cost(self, optimizer: Optimizer) -> Cost | None:
        """J after another update; None, and the reason in `stopped`, if there is to be none."""
        self.stopped = self._reason_to_stop()
        if self.stopped is not None:
            return None
        cost = self._quiet.run(optimizer.step)
        if cost is None:
            self.stopped = "no_progress"
        return cost

    def state(self) -> dict[str, Array]:
        """Everything that decides the rest of the run after the last record, as arrays that are copies.

        Raises:
            ValueError: there is no record yet.
        """
        if self._iteration is None:
            raise ValueError("a run has a state from its first record on")
        if self._optimizer is None:
            return {name: np.array(array) for name, array in self._state.items()}
        return {
            "iteration": np.array([self._iteration], np.int64),
            "evaluations": np.array([self._pass.evaluations], np.int64),
            "parameters": self.parameters.vector.copy(),
            **self._optimizer.state(),
            **({} if self._early_stopping is None else self._early_stopping.state()),
        }

    def _made_optimizer(self, cost: Cost) -> Optimizer:
        kind = OPTIMIZERS[self._training.optimizer]
        optimizer = kind.make(self._pass, self._training, Start(cost, self._iteration or 0, self._state))
        self._state = {}  # everything in it has been copied, and it may be large
        return optimizer

    def _record(self, cost: Cost) -> Record:
        iteration = self._iteration or 0
        held_out_cost = None
        if self._held_out is not None and self._is_measured:
            held_out_cost = self._quiet.run(self._held_out.evaluate)
            if self._early_stopping is not None:
                self._early_stopping.observe(iteration, held_out_cost)
        return Record(
            iteration, cost.total, cost.data, cost.decay, cost.sparsity, held_out_cost, self._pass.evaluations
        )

    @property
    def _is_measured(self) -> bool:
        """Whether this is an iteration at which the held-out examples are measured, if there are any."""
        return (self._iteration or 0) % self._held_out_every == 0

    def _measure_the_end(self) -> None:
        """Have the last parameters be the best if they are, though their iteration is not one to measure at.

        Nothing of it is in the records or in the state: a run that goes on from there has the bits of one that never
        ended.
        """
        if self._held_out is None or self._early_stopping is None or self._is_measured:
            return
        self._end_is_best = self._early_stopping.would_be_best(self._quiet.run(self._held_out.evaluate))

    def _reason_to_stop(self) -> StopReason | None:
        tolerance = self._training.tolerance
        if tolerance and float(self._quiet.run(np.linalg.norm, self._pass.gradient)) <= tolerance:
            return "tolerance"
        if self._early_stopping is not None and self._is_measured:
            return "patience" if self._early_stopping.is_over(self._iteration or 0) else None
        return None


def _saved(state: Mapping[str, Array]) -> tuple[int, int, Array]:
    """Iteration, evaluations and parameters of a state."""
    try:
        return int(state["iteration"][0]), int(state["evaluations"][0]), np.asarray(state["parameters"])
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not the state of a run: {error!r}") from error


def _put(vector: Array, into: Array) -> None:
    """Copy the parameters to start from to where the pass reads them."""
    if vector.shape != into.shape or vector.dtype != into.dtype:
        raise ValueError(f"the pass has parameters {into.shape} of {into.dtype}, not {vector.shape} of {vector.dtype}")
    into[...] = vector
