"""What training minimises: J(W,b), as the sum of its terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from backprop.costs import COST_FUNCTIONS
from backprop.network import Network

Array = NDArray[Any]


class Cost(NamedTuple):
    """J(W,b), split into its terms.

    Attributes:
        data: (1/m) Σ J(W,b;x,y), or (1/Σw) Σ w J(W,b;x,y) if the examples have weights.
        decay: (λ/2) Σ W².
        sparsity: β Σ KL(ρ‖ρ̂).
    """

    data: float
    decay: float
    sparsity: float

    @property
    def total(self) -> float:
        """J(W,b)."""
        return self.data + self.decay + self.sparsity


@dataclass(frozen=True)
class Objective:
    """J(W,b) = (1/m) Σ J(W,b;x,y) + (λ/2) Σ W² + β Σ_j KL(ρ‖ρ̂_j).

    Where examples have weights, the first term is (1/Σw) Σ w J(W,b;x,y). The others have no weights in them.

    ρ̂_j is the mean over the m examples of hidden unit j's activation, KL(ρ‖ρ̂_j) = ρ log(ρ/ρ̂_j) +
    (1−ρ) log((1−ρ)/(1−ρ̂_j)), and the sum is over the units of all hidden layers: the tutorial's sparse autoencoder.
    KL and its derivative are taken at what `mean_activations` gives, which is never 0 or 1.

    Attributes:
        cost: name of J(W,b;x,y).
        weight_decay: λ. Biases are not decayed.
        sparsity: ρ, the mean activation that hidden units are drawn to.
        sparsity_weight: β; 0 for no such term.

    Raises:
        ValueError: no such cost, λ or β negative or not finite, or ρ not strictly between 0 and 1.
    """

    cost: str = "squared_error"
    weight_decay: float = 0.0
    sparsity: float = 0.01
    sparsity_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.cost not in COST_FUNCTIONS:
            raise ValueError(f"the cost is one of {', '.join(COST_FUNCTIONS)}, not {self.cost!r}")
        for name, value in (("weight_decay", self.weight_decay), ("sparsity_weight", self.sparsity_weight)):
            if not 0 <= value < np.inf:
                raise ValueError(f"{name} is a number from 0 up, not {value}")
        if not 0 < self.sparsity < 1:
            raise ValueError(f"sparsity is a number between 0 and 1, not {self.sparsity}")

    def check(self, network: Network) -> None:
        """Refuse a network that this cannot be the objective of.

        Raises:
            ValueError: cross-entropy of outputs that are not probabilities, or sparsity without hidden units, or with
                hidden units whose mean activation is not between 0 and 1.
        """
        output = network.layers[-1].activation
        allowed = COST_FUNCTIONS[self.cost].activations
        if output not in allowed:
            raise ValueError(f"{self.cost} goes with an output layer of {' or '.join(allowed)}, not {output}")
        hidden = {layer.activation for layer in network.layers[:-1]}
        if self.sparsity_weight and hidden != {"sigmoid"}:
            raise ValueError("sparsity needs hidden layers, all of them sigmoid")

    def sparsity_cost(self, mean_activations: list[Array]) -> float:
        """β Σ_j KL(ρ‖ρ̂_j), given ρ̂ of each hidden layer, (s_l,)."""
        rho = self.sparsity
        divergences = (
            rho * np.log(rho / mean) + (1 - rho) * np.log((1 - rho) / (1 - mean)) for mean in mean_activations
        )
        return self.sparsity_weight * sum(float(divergence.sum()) for divergence in divergences)

    def sparsity_delta(self, mean_activations: Array, dtype: DTypeLike) -> Array:
        """β(−ρ/ρ̂ + (1−ρ)/(1−ρ̂)), what every δ of a hidden layer gets inside its bracket, (s_l,), of that dtype.

        Beyond the dtype's range it is the largest number of it: times f′(z) = 0 infinity would be no number.
        """
        rho = self.sparsity
        slope: Array = -rho / mean_activations + (1 - rho) / (1 - mean_activations)
        largest = np.finfo(dtype).max
        return np.clip(self.sparsity_weight * slope, -largest, largest).astype(dtype)


def mean_activations(sums: Array, m: int, dtype: DTypeLike) -> Array:
    """ρ̂ of a layer's units, (s_l,), float64, from the sums over m examples of their activations, which are of a dtype.

    A mean below the least normal number of the dtype, or above 1 − eps, is moved there. At 0 and 1, where rounding may
    bring it, KL(ρ‖ρ̂) and its derivative would be infinite.
    """
    limits = np.finfo(dtype)
    means: Array = np.clip(sums.astype(np.float64) / m, float(limits.tiny), 1 - float(limits.eps))
    return means
