"""All optimizers, by name, and what is to be known of each without looking into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backprop.optimizers.adam import Adam
from backprop.optimizers.gradient_descent import GradientDescent
from backprop.optimizers.lbfgs import LBFGS
from backprop.optimizers.momentum import Momentum
from backprop.optimizers.protocols import Hyperparameters, Optimizer, Slope, Start


@dataclass(frozen=True)
class OptimizerKind:
    """An optimizer, as trainings choose it.

    Attributes:
        name: by which trainings refer to it.
        fields: those of a training that it reads and others may not, each with what to give it if nothing is known
            better. The default of ``batch_size`` is None, all examples at every update. An optimizer without that field
            needs all examples at every update.
        make: called with a slope that has been evaluated, the training, and where to set out. Raises ValueError if the
            state there is not one of this optimizer's.
        state_vectors: called with the training: how many vectors of the parameters' size its state has at most.
        work_vectors: how many more it holds at most during a step, of the parameters' size and dtype.
    """

    name: str
    fields: Mapping[str, float | None]
    make: Callable[[Slope, Hyperparameters, Start], Optimizer]
    state_vectors: Callable[[Hyperparameters], int]
    work_vectors: int


OPTIMIZERS = {
    kind.name: kind
    for kind in (
        OptimizerKind(
            "gradient_descent",
            {"learning_rate": 1.0, "batch_size": None},
            make=lambda slope, training, _: GradientDescent(slope, training.learning_rate),
            state_vectors=lambda _: 0,
            work_vectors=1,
        ),
        OptimizerKind(
            "momentum",
            {"learning_rate": 0.1, "momentum": 0.9, "batch_size": None},
            make=lambda slope, training, start: Momentum(slope, training.learning_rate, training.momentum, start.state),
            state_vectors=lambda _: 1,
            work_vectors=1,
        ),
        OptimizerKind(
            "adam",
            {"learning_rate": 0.001, "batch_size": None},
            make=lambda slope, training, start: Adam(slope, training.learning_rate, start.updates, start.state),
            state_vectors=lambda _: 2,
            work_vectors=1,
        ),
        OptimizerKind(
            "lbfgs",
            {"corrections": 10},
            make=lambda slope, training, start: LBFGS(slope, start.cost, training.corrections, start.state),
            state_vectors=lambda training: 2 * training.corrections,
            work_vectors=9,
        ),
    )
}
