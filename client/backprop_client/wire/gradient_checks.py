"""The result of a gradient check."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DerivativeTwice(BaseModel):
    """One parameter's derivative of J, two ways."""

    kind: Literal["W", "b"] = Field(description="Whether it is a weight or a bias.")
    layer: int = Field(description="l of W(l) or b(l), from 1.")
    index: tuple[int, ...] = Field(description="[i, j] of W_ij, [i] of b_i, from 0 as in the downloaded weights.")
    numerical: float = Field(description="(J(θ + ε) − J(θ − ε)) / 2ε.")
    gradient: float = Field(description="By backpropagation.")

    def __str__(self) -> str:
        return f"{self.kind}{self.layer}{list(self.index)}"


class GradientCheckResult(BaseModel):
    """Backpropagation's gradient against a numerical one, both in float64, on a sample of parameters and examples."""

    model_config = ConfigDict(title="GradientCheck")

    relative_difference: float = Field(
        description="‖numerical − gradient‖ / ‖numerical + gradient‖ over the checked parameters. Near a minimum "
        "both are almost nothing, and it says little there."
    )
    worst: DerivativeTwice = Field(description="The parameter whose two derivatives differ most.")
    epsilon: float = Field(description="ε, the step to either side.")
    parameters: int = Field(description="How many parameters were checked.")
    examples: int = Field(description="On how many examples J was computed.")
    seed: int = Field(
        description="Of the sample: numpy.random.default_rng(seed) draws the examples, then the parameters, without "
        "replacement."
    )
