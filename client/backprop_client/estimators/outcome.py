"""What a training leaves, whoever has carried it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from backprop_client.estimators.local import LocalModel

Array = NDArray[Any]
Floats = NDArray[np.float64]

FITTED = "_fitted"
"""The attribute of an estimator that holds its model."""


@dataclass(frozen=True)
class Layers:
    """A network with its weights, as plain arrays.

    Attributes:
        W: weights, (s_{l+1}, s_l), of each layer but the first.
        b: biases, (s_{l+1},).
        activations: of each layer but the first.
    """

    W: tuple[Array, ...]
    b: tuple[Array, ...]
    activations: tuple[str, ...]


class FittedModel(Protocol):
    """A trained model that answers for rows X, (m, inputs) float64 without gaps."""

    def codes(self, X: Floats) -> NDArray[np.intp]:
        """The position of the class of each row among the classes, (m,)."""

    def scores(self, X: Floats) -> Floats:
        """How strongly each class is voted for, (m, classes), from 0 to 1."""

    def numbers(self, X: Floats) -> Floats:
        """The targets of each row, or its inputs as a reconstruction has them, (m, targets), in their own units."""

    def here(self) -> LocalModel:
        """The same model in this process.

        Raises:
            ImportError: the core is not installed.
        """

    def layers(self) -> Layers:
        """Its network, layer by layer."""

    def code(self, X: Floats, layer: int) -> Floats:
        """The activations of a hidden layer, (m, units): what the network makes of each row. 2 is the first."""

    def decoded(self, code: Floats, layer: int) -> Floats:
        """What the network makes of activations of a hidden layer, as `numbers` has it."""


@dataclass(frozen=True)
class Outcome:
    """A training that has ended.

    Attributes:
        model: that it leaves.
        costs: J(W,b) after k updates, from k = 0 on.
        held_out: of the iterations at which the held-out rows were measured, their cost.
        best_iteration: how many updates the model has had.
        stopped_by: what ended the training early; None if nothing did.
        seed: everything random came from.
        weight_decay: λ.
        ids: what the service calls what it has made: ``job_id``, ``model_id``, ``dataset_id``; none in this process.
    """

    model: FittedModel
    costs: list[float]
    held_out: dict[int, float]
    best_iteration: int
    stopped_by: str | None
    seed: int
    weight_decay: float
    ids: dict[str, str] = field(default_factory=dict)


def attributes_of(model: FittedModel) -> dict[str, Any]:
    """The attributes of an estimator that hold and show its model, by name."""
    layers = model.layers()
    return {
        FITTED: model,
        "coefs_": [np.ascontiguousarray(W.T) for W in layers.W],
        "intercepts_": list(layers.b),
        "activations_": list(layers.activations),
        "n_layers_": len(layers.W) + 1,
        "n_outputs_": len(layers.b[-1]),
    }


class Follower(Protocol):
    """Is told how a training goes.

    Attributes:
        is_heard: whether anybody wants to know of single iterations.
    """

    @property
    def is_heard(self) -> bool:
        """See above."""

    def begin(self, iterations: int, every: int) -> None:
        """It is to have so many iterations, of which `every` are an epoch."""

    def record(self, iteration: int, model: Callable[[], FittedModel] | None) -> bool:
        """The parameters have had so many updates. `model` gives the model as it is now, where that can be had.

        Returns:
            Whether the training is to stop here.
        """
