"""What a job's preset says about what its client has left open: activations, optimizer, and how long to train.

``tutorial`` is the page to the letter, and the defaults of `TrainingSpec` are its. ``auto`` does what has done well on
many tables. Network and weight decay are left to trials on the service, where these are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backprop_client.wire.specs import Activation, LayerSpec, NetworkSpec, Optimizer, Preset, Task, TrainingSpec

FEW_ROWS = 5_000
"""Training rows. Up to so many, L-BFGS takes all of them at once; above, an iteration on all takes too long, and Adam
takes batches."""

BATCH_SIZE = 200
"""Examples. Small enough that an epoch makes many updates, large enough that a product is worth its call."""

LEAST_ROWS = 10
"""Training rows. Fewer are too few for a hidden layer, and cannot tell candidates apart."""

LBFGS_ITERATIONS = 100
CORRECTIONS = 20
EPOCHS = 30
"""Passes over the rows, where no trial has told how many do best."""

ITERATIONS_OF_OTHERS = 400
"""Updates of an optimizer that `auto` has not chosen itself. It is the tutorial's number."""

WEIGHT_DECAY_OF_FEW = 1e-2
WEIGHT_DECAY_OF_MANY = 1e-4

LENGTHS = ("iterations", "epochs")
"""The fields that say how long to train."""

LEARNING_RATE = {"gradient_descent": 1.0, "momentum": 0.1}
"""The highest that is taken for units whose activation is bounded; see `_learning_rate`."""


@dataclass(frozen=True)
class Situation:
    """What a preset looks at.

    Attributes:
        preset: which one.
        task: what is learned.
        rows: to train on; gaps may leave a few less.
        sparse: whether there is a sparsity term.
    """

    preset: Preset
    task: Task
    rows: int
    sparse: bool

    @property
    def has_few_rows(self) -> bool:
        """Whether all rows are taken at every update."""
        return self.rows <= FEW_ROWS

    @property
    def hidden_activation(self) -> Activation:
        """Of hidden layers that give none."""
        if self.preset == "tutorial" or self.sparse:
            return "sigmoid"
        return "tanh" if self.has_few_rows else "relu"

    @property
    def output_activation(self) -> Activation:
        """Of an output layer that gives none."""
        if self.preset == "tutorial":
            return "sigmoid"
        return "softmax" if self.task == "classification" else "linear"

    def network_of(self, hidden: tuple[int, ...]) -> NetworkSpec:
        """A network with hidden layers of so many units."""
        layers = tuple(LayerSpec(units=units, activation=self.hidden_activation) for units in hidden)
        return NetworkSpec(layers=(*layers, LayerSpec(activation=self.output_activation)))

    def complete(self, network: NetworkSpec) -> NetworkSpec:
        """The same network, with every activation."""
        *hidden, output = network.layers
        layers = [_with(layer, self.hidden_activation) for layer in hidden]
        return NetworkSpec(layers=(*layers, _with(output, self.output_activation)))

    @property
    def usual_units(self) -> int:
        """Of a hidden layer, where nobody says how many: one for twenty rows, from 8 to 64."""
        return min(max(self.rows // 20, 8), 64)

    @property
    def usual_network(self) -> NetworkSpec:
        """Where none is given and nothing can be tried: a hidden layer, unless the rows are too few for one."""
        return self.network_of(() if self.rows < LEAST_ROWS else (self.usual_units,))

    def training(self, asked: TrainingSpec, network: NetworkSpec, inputs: int) -> TrainingSpec:
        """The training asked for, with everything that applies filled in.

        Args:
            asked: by the client.
            network: what is trained, complete.
            inputs: units of the input layer.
        """
        output = network.layers[-1].activation or self.output_activation
        if self.preset == "tutorial":
            return asked.with_defaults(output)
        chosen = self._usual(asked)
        chosen |= _learning_rate(chosen.get("optimizer", asked.optimizer), network, inputs)
        given = asked.model_fields_set | (set(LENGTHS) if says_how_long(asked) else set())
        open_fields = {name: value for name, value in chosen.items() if name not in given}
        return asked.model_copy(update=open_fields).with_defaults(output)

    def _usual(self, asked: TrainingSpec) -> dict[str, Any]:
        usual: dict[str, Any] = {
            "init": "normal" if "epsilon" in asked.model_fields_set else "uniform",
            "weight_decay": WEIGHT_DECAY_OF_FEW if self.has_few_rows else WEIGHT_DECAY_OF_MANY,
            "dtype": "float64" if self.has_few_rows else "float32",
        }
        if "optimizer" in asked.model_fields_set:
            return usual | _length_of(asked)
        if self.has_few_rows or asked.tolerance:
            return usual | {"optimizer": "lbfgs", "corrections": CORRECTIONS, "iterations": LBFGS_ITERATIONS}
        return usual | {"optimizer": "adam", "batch_size": BATCH_SIZE, "epochs": EPOCHS}


def says_how_long(training: TrainingSpec) -> bool:
    """Whether the client has said for how many iterations or epochs to train."""
    return "iterations" in training.model_fields_set or training.epochs is not None


def is_everything_chosen_by_auto(training: TrainingSpec) -> bool:
    """Whether the client has left the optimizer to the preset ``auto``."""
    return training.preset == "auto" and "optimizer" not in training.model_fields_set


def _with(layer: LayerSpec, activation: Activation) -> LayerSpec:
    return layer if layer.activation is not None else layer.model_copy(update={"activation": activation})


def _length_of(asked: TrainingSpec) -> dict[str, Any]:
    """How long an optimizer trains that the client has named."""
    if asked.optimizer == "lbfgs":
        return {"corrections": CORRECTIONS, "iterations": LBFGS_ITERATIONS}
    if asked.batch_size is not None:
        return {"epochs": EPOCHS}
    return {"iterations": ITERATIONS_OF_OTHERS}


def _learning_rate(optimizer: Optimizer, network: NetworkSpec, inputs: int) -> dict[str, Any]:
    """α of gradient descent and momentum, where it would diverge at the tutorial's.

    With a linear output on n standardized values J has a curvature of up to n + 1, and steps diverge above
    2/(n + 1). Half of that is taken, n being the width of the widest layer below the output.
    """
    highest = LEARNING_RATE.get(optimizer)
    if highest is None or all(layer.activation in ("sigmoid", "tanh") for layer in network.layers):
        return {}
    widest = max(inputs, *(layer.units or 0 for layer in network.layers[:-1]), 1)
    return {"learning_rate": min(highest, 1 / (widest + 1))}
