"""What a job says of the registry: under which name its model is registered, and whether an alias then moves to it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from backprop_client.wire.registry import AliasName, RegisteredName
from backprop_client.wire.strict_models import StrictModel

Split = Literal["training", "held_out"]

ComparableMetric = Literal[
    "accuracy",
    "balanced_accuracy",
    "matthews_correlation",
    "log_loss",
    "brier_score",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
    "rmse",
    "mae",
    "median_absolute_error",
    "r2",
    "r2_mean",
]
"""The metrics of which two can be compared: those that are one number, or have a mean, with a better end."""


class IfBetter(StrictModel):
    """What the new model must be better by than the one that the alias points to."""

    model_config = ConfigDict(frozen=True)

    metric: ComparableMetric = Field(
        description="As the model has it in its metrics; of metrics that have a value for each class, the mean. Of "
        "several targets, r2_mean only. log_loss, brier_score, rmse, mae and median_absolute_error are better the "
        "smaller they are, all others the greater."
    )
    split: Split = Field(default="held_out", description="On which rows it is measured, for each model its own.")


class Registration(StrictModel):
    """Under which name the job's model is to be registered."""

    model_config = ConfigDict(frozen=True)

    name: RegisteredName = Field(description="The registered model; it is made if there is none of that name.")
    alias: AliasName | None = Field(default=None, description="An alias that is then to point to the new version.")
    if_better: IfBetter | None = Field(
        default=None,
        description="The alias moves only if the new model is better than the one that it points to; of equal ones the "
        "old one keeps it. An alias that is not there yet is made in any case. Null: it always moves.",
    )

    @field_validator("if_better")
    @classmethod
    def _is_about_an_alias(cls, value: IfBetter | None, info: ValidationInfo) -> IfBetter | None:
        if value is not None and info.data.get("alias", "") is None:
            raise ValueError("has no effect without an alias")
        return value


class Registered(BaseModel):
    """What came of a registration."""

    name: str = Field(description="The registered model.")
    version: int = Field(description="The version that the job's model has become.")
    alias: str | None = Field(description="The alias that was asked for.")
    alias_taken: bool | None = Field(
        description="Whether the alias came to point to this version; null if none was asked for."
    )
    reason: str = Field(description="What has happened and why, in a sentence or two.")
