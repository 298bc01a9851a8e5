"""One trial: a training on some rows, judged by the cost of others."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

from backprop.network import Network, initial_parameters
from backprop.passes.backpropagation import DataCost
from backprop.passes.lanes import Crew, computing
from backprop.passes.usual import usual_pass
from backprop.passes.weighting import of_mean_one
from backprop.training import Run, Training

Array = NDArray[Any]


class Rows(NamedTuple):
    """Coded rows in memory: X (m, inputs) and Y (m, outputs), C-contiguous, float32 or float64.

    `weights`, (m,), are how much each counts in J, or None where all count alike.
    """

    X: Array
    Y: Array
    weights: Array | None = None

    def some(self, chosen: Array) -> Rows:
        """A copy of the rows at these places, or where this mask is true."""
        weights = None if self.weights is None else self.weights[chosen]
        return Rows(self.X[chosen], self.Y[chosen], weights)


@dataclass(frozen=True)
class Candidate:
    """A network and a training of it.

    Attributes:
        network: its layers.
        training: how it is trained; `iterations` is the most that a trial does.
        init: of the weights, see `backprop.network.initial_parameters`.
        epsilon: the standard deviation of the normal init.
        measured_every: updates between two looks at the deviance, of which the lowest counts; None for one look, after
            the last update.
        patience: looks without a deviance that is lower by `LEAST_GAIN`, after which the trial ends.
    """

    network: Network
    training: Training
    init: Literal["normal", "uniform"]
    epsilon: float
    measured_every: int | None = None
    patience: int = 1


LEAST_GAIN = 5e-4
"""Of the deviance. A trial whose deviance falls by less is as good as done: of standardized numbers it is a thousandth
of the variance, of classes a twentieth of a per cent in the probability of the right one."""


class Trial(NamedTuple):
    """How well a candidate did.

    Attributes:
        deviance: (1/m′) Σ J(W,b;x,y) of the rows that it was not trained on, weighted if they are, without decay;
            infinite where it is no finite number.
        iterations: the updates after which it had this deviance.
    """

    deviance: float
    iterations: int


class Abandoned(Exception):
    """The trial was given up before its end."""


def try_out(candidate: Candidate, trained: Rows, measured: Rows, is_abandoned: Callable[[], bool]) -> Trial:
    """Train a candidate on some rows and measure it on others, in this thread alone. To be called within `computing`.

    Args:
        candidate: what is tried.
        trained: the rows that it learns from.
        measured: the rows that judge it, of the same dtype.
        is_abandoned: asked after each update whether to give up.

    Raises:
        Abandoned: it said so.
    """
    training = candidate.training
    start = initial_parameters(
        candidate.network,
        init=candidate.init,
        epsilon=candidate.epsilon,
        seed=training.seed,
        dtype=trained.X.dtype,
    )
    objective = training.objective()
    pass_ = usual_pass(
        candidate.network,
        trained.X,
        trained.Y,
        objective,
        batch_size=training.batch_size,
        seed=training.seed,
        weights=trained.weights,
    )
    run = Run(training, pass_, parameters=start)
    w = None if measured.weights is None else of_mean_one(measured.weights, len(measured.X), measured.X.dtype)
    deviance = DataCost(pass_.parameters, measured.X, measured.Y, objective, Crew(1), w)
    looks = _Looks(candidate.patience)
    iteration = 0
    for record in run.records():
        if is_abandoned():
            raise Abandoned
        iteration = record.iteration
        if not math.isfinite(record.cost):
            return looks.best
        if candidate.measured_every is not None and iteration and iteration % candidate.measured_every == 0:
            looks.look(deviance.evaluate(), iteration)
            if looks.are_enough:
                return looks.best
    if candidate.measured_every is None:
        looks.look(deviance.evaluate(), iteration)
    return looks.best


class _Looks:
    """The lowest deviance so far, and whether it still falls."""

    def __init__(self, patience: int) -> None:
        self.best = Trial(math.inf, 0)
        self._patience = patience
        self._without_gain = 0
        self._to_beat = math.inf

    def look(self, deviance: float, iteration: int) -> None:
        if not math.isfinite(deviance):
            return
        if deviance < self.best.deviance:
            self.best = Trial(deviance, iteration)
        if deviance < self._to_beat - LEAST_GAIN:
            self._to_beat, self._without_gain = deviance, 0
        else:
            self._without_gain += 1

    @property
    def are_enough(self) -> bool:
        return self._without_gain >= self._patience


def try_all(
    candidates: list[Candidate], trained: Rows, measured: Rows, threads: int, is_abandoned: Callable[[], bool]
) -> list[Trial]:
    """Try candidates on the same rows, as many at once as there are threads. The result does not depend on how many.

    Raises:
        Abandoned: `is_abandoned` said so.
    """
    trials: list[Trial | None] = [None] * len(candidates)

    def try_one(piece: int, _thread: int) -> None:
        trials[piece] = try_out(candidates[piece], trained, measured, is_abandoned)

    with computing(), warnings.catch_warnings():
        # Line searches silence their warnings one by one, and threads that do so at the same time undo each other's.
        warnings.simplefilter("ignore")
        Crew(threads).work_through(len(candidates), try_one)
    return [trial for trial in trials if trial is not None]
