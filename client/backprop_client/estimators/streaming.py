"""`partial_fit`: a training whose rows come bit by bit, in this process.

Each call is a pass through its rows in mini-batches. The optimizer remembers from call to call.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.coding import Coding
from backprop.coding.input_learning import InputLearner
from backprop.coding.learning import CodingPlan, ConstantTarget
from backprop.coding.scaling import CannotBeScaled
from backprop.coding.targets import ClassCoding, Reconstruction
from backprop.model import TrainedModel
from backprop.network import initial_parameters
from backprop.passes.batches import updates_per_epoch
from backprop.passes.usual import usual_pass
from backprop.training import Run, Training
from backprop_client.estimators.examples import Examples
from backprop_client.estimators.local import (
    Coded,
    LocalModel,
    coding_plan,
    network_of,
    refuse_divergence,
    threads_of,
)
from backprop_client.estimators.outcome import Outcome
from backprop_client.wire.presets import FEW_ROWS, Situation
from backprop_client.wire.specs import JobSpec, TrainingSpec

Array = NDArray[Any]

_OF_RUN = ("iteration", "evaluations", "parameters")
"""What a state has beside the optimizer's memory."""


@dataclass(frozen=True)
class Stream:
    """A training that goes on with each call.

    Attributes:
        model: as it is now.
        training: how it is trained.
        memory: of the optimizer; empty before the first call.
        updates: so far.
        calls: so far.
        costs: J(W,b) of the batches so far.
    """

    model: TrainedModel
    training: TrainingSpec
    memory: Mapping[str, Array] = field(default_factory=dict)
    updates: int = 0
    calls: int = 0
    costs: tuple[float, ...] = ()

    def outcome(self) -> Outcome:
        """What there is so far."""
        return Outcome(
            model=LocalModel(self.model),
            costs=list(self.costs),
            held_out={},
            best_iteration=self.updates,
            stopped_by=None,
            seed=self.training.seed,
            weight_decay=self.training.weight_decay,
        )


def begun(spec: JobSpec, examples: Examples, model: TrainedModel | None) -> Stream:
    """A stream before its first call.

    Args:
        spec: what is asked for. What it leaves open is as for many rows: mini-batches by Adam.
        examples: of the first call. They teach the coding, unless a model has one.
        model: whose weights and coding it goes on from; None for random weights.

    Raises:
        ValueError: the optimizer takes no mini-batches, or the rows cannot be learned from.
    """
    situation = Situation(
        spec.training.preset, spec.task or "regression", FEW_ROWS + 1, sparse=spec.training.sparsity_weight > 0
    )
    network_spec = situation.complete(spec.network or situation.usual_network)
    plan = coding_plan(spec, network_spec, examples)
    training = situation.training(spec.training, network_spec, plan.input_width)
    if training.optimizer == "lbfgs":
        raise ValueError("partial_fit takes mini-batches, and lbfgs all rows: use adam, momentum or gradient_descent.")
    if model is None:
        network = network_of(network_spec, plan)
        parameters = initial_parameters(
            network, init=training.init, epsilon=training.epsilon, seed=training.seed, dtype=training.dtype
        )
        model = TrainedModel(parameters, _first_coding(plan, examples))
    Training.of(dict(training)).objective().check(model.parameters.network)
    return Stream(model, training)


def gone_on(stream: Stream, examples: Examples, threads: int | None) -> Stream:
    """The stream after one pass through these examples.

    Raises:
        ValueError: J is no longer a finite number.
    """
    dtype = stream.model.parameters.vector.dtype.name
    data = Coded.of(stream.model.coding, examples, dtype)
    updates = updates_per_epoch(len(data.X), stream.training.batch_size)
    wanted = stream.training.model_copy(update={"iterations": stream.updates + updates, "epochs": None})
    training = Training.of(dict(wanted) | {"held_out_every": None, "patience": None})
    pass_ = usual_pass(
        stream.model.parameters.network,
        data.X,
        data.Y,
        training.objective(),
        batch_size=training.batch_size,
        seed=training.seed,
        threads=threads_of(threads),
        weights=data.weights_in_cost(data, "training"),
    )
    run = Run(training, pass_, **_start(stream, updates))
    costs = list(stream.costs)
    with closing(run.records()) as records:
        for record in records:
            refuse_divergence(record.cost, record.iteration)
            costs.append(record.cost)
    memory = {name: array for name, array in run.state().items() if name not in _OF_RUN}
    return Stream(
        TrainedModel(run.parameters.copy(), stream.model.coding),
        stream.training,
        memory,
        stream.updates + updates,
        stream.calls + 1,
        tuple(costs),
    )


def _start(stream: Stream, updates: int) -> dict[str, Any]:
    """Where a pass of so many updates sets out. It shuffles the rows as no pass before it."""
    parameters = stream.model.parameters
    if not stream.calls:
        return {"parameters": parameters}
    return {
        "state": {
            "iteration": np.array([stream.updates]),
            "evaluations": np.array([stream.calls * updates + 1]),
            "parameters": parameters.vector,
            **stream.memory,
        }
    }


def _first_coding(plan: CodingPlan, examples: Examples) -> Coding:
    """What the first rows teach. Later ones may have classes, and inputs may vary, that these do not show."""
    columns = examples.columns
    learner, targets = InputLearner(plan.coded_columns), plan.target_learner()
    learner.add(columns, examples.weights)
    try:
        inputs = replace(learner.coding(plan.scaling, targets.input_range, plan.missing), constant_units=())
        if plan.classes is not None:
            return Coding(inputs, ClassCoding.for_output(plan.targets[0], plan.classes, plan.activation))
        if not plan.targets:
            return Coding(inputs, Reconstruction(inputs))
        targets.add(columns, examples.weights)
        return Coding(inputs, targets.coding(inputs))
    except (CannotBeScaled, ConstantTarget) as error:
        raise ValueError(f"The first rows cannot be learned from: {error}.") from error
