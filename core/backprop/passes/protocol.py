"""What a run trains with, wherever its examples are and whoever computes."""

from __future__ import annotations

from typing import Protocol

from backprop.network import Parameters
from backprop.optimizers.protocols import Slope


class HeldOut(Protocol):
    """J of the examples that a training does not learn from."""

    def evaluate(self) -> float:
        """(1/m′) Σ J(W,b;x,y) at the current parameters. To be called within `computing`."""


class Pass(Slope, Protocol):
    """Takes a training's examples through its network: J and ∇J at the current parameters, as often as wanted.

    A pass belongs to one run. The run puts its start into `parameters`, and its optimizer moves them in place.
    `evaluations` decides which mini-batch is next, so a run that goes on from a state sets it before it evaluates.
    """

    @property
    def parameters(self) -> Parameters:
        """The current ones; `vector` is theirs."""

    @property
    def held_out(self) -> HeldOut | None:
        """Measures the held-out examples, if there are any."""

    @property
    def updates_per_epoch(self) -> int:
        """How many evaluations take each example once: 1, unless they are made on mini-batches."""
