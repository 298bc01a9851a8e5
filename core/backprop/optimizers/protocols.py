"""What an optimizer is, what it works on, and what it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from backprop.objective import Cost

Array = NDArray[Any]


class Slope(Protocol):
    """J around the current parameters.

    Attributes:
        evaluations: how many there have been.
    """

    evaluations: int

    @property
    def vector(self) -> Array:
        """θ, (n,), which optimizers change in place."""

    @property
    def gradient(self) -> Array:
        """∇J at the θ of the last evaluation, (n,)."""

    def evaluate(self) -> Cost:
        """J at the current θ; leaves ∇J in `gradient`."""


class Optimizer(Protocol):
    """Takes one step after the other on a slope."""

    def step(self) -> Cost | None:
        """Move θ from where it was evaluated to the next iteration's, and evaluate there.

        Returns:
            J at the new θ, or None if no better θ can be found; then θ has not moved.
        """

    def state(self) -> dict[str, Array]:
        """What the optimizer remembers, as arrays that are copies; its constructor takes them back."""


class Hyperparameters(Protocol):
    """What optimizers read of a training."""

    @property
    def learning_rate(self) -> float:
        """α."""

    @property
    def momentum(self) -> float:
        """μ."""

    @property
    def corrections(self) -> int:
        """How many pairs of changes are remembered."""


class Start(NamedTuple):
    """Where an optimizer sets out.

    Attributes:
        cost: J at the slope's θ, where it has been evaluated.
        updates: how many θ has had.
        state: has what another optimizer of the same kind remembered, to go on from, among other arrays; empty for
            none.
    """

    cost: Cost
    updates: int
    state: Mapping[str, Array]


def remembered(state: Mapping[str, Array], name: str, like: Array) -> Array:
    """A vector out of a state, or zeros if the state is empty because nothing has happened yet."""
    if not state:
        return np.zeros_like(like)
    if name not in state or state[name].shape != like.shape or state[name].dtype != like.dtype:
        raise ValueError(f"not the state of this optimizer: {name} should be {like.shape} of {like.dtype}")
    return state[name].copy()
