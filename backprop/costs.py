"""What a network's outputs cost, example by example: the data term of J, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.activations import Activation

Array = NDArray[Any]


@dataclass(frozen=True)
class CostFunction:
    """J(W,b;x,y) of an example, and its derivative.

    Attributes:
        name: by which trainings refer to it.
        measure: called with (activation, z, y, delta, scratch), the activation of the output layer and four arrays
            (rows, outputs) of one dtype. Turns z into a in place, puts ∂J/∂z into `delta`, overwrites `scratch`,
            and returns Σ J(W,b;x,y) over the rows.
    """

    name: str
    measure: Callable[[Activation, Array, Array, Array, Array], float]


def _squared_error(activation: Activation, z: Array, y: Array, delta: Array, scratch: Array) -> float:
    """½‖a − y‖², summed over outputs; δ = −(y − a) ⊙ f′(z)."""
    activation.apply(z)
    np.subtract(z, y, out=delta)
    cost = 0.5 * float(np.vdot(delta, delta))
    activation.times_derivative(delta, z, scratch)
    return cost


COST_FUNCTIONS = {cost.name: cost for cost in (CostFunction("squared_error", _squared_error),)}
