"""Which of two models is better by one of their metrics."""

from __future__ import annotations

from typing import Literal

from backprop_client.wire.registration import ComparableMetric, IfBetter
from infra.tables import Model

BETTER: dict[ComparableMetric, Literal["greater", "smaller"]] = {
    "accuracy": "greater",
    "balanced_accuracy": "greater",
    "matthews_correlation": "greater",
    "log_loss": "smaller",
    "brier_score": "smaller",
    "precision": "greater",
    "recall": "greater",
    "f1": "greater",
    "roc_auc": "greater",
    "average_precision": "greater",
    "rmse": "smaller",
    "mae": "smaller",
    "median_absolute_error": "smaller",
    "r2": "greater",
    "r2_mean": "greater",
}
"""Which end of each metric is the better one."""

OF_PROBABILITIES: tuple[ComparableMetric, ...] = ("log_loss", "brier_score")
"""Metrics that take scores for probabilities, and are not known where these need not add up to 1."""

OF_ONE_TARGET: tuple[ComparableMetric, ...] = ("rmse", "mae", "median_absolute_error", "r2")
"""Metrics that each target has for itself. Those of several targets come in several units and cannot be added up."""

OF_TASK: dict[str, tuple[ComparableMetric, ...]] = {
    "classification": tuple(each for each in BETTER if each not in (*OF_ONE_TARGET, "r2_mean")),
    "regression": (*OF_ONE_TARGET, "r2_mean"),
    "reconstruction": ("r2_mean",),
}
"""The metrics that models of each task have as one number, or can have."""


def value_of(model: Model, by: IfBetter) -> float | None:
    """The model's metric as one number, of classes their mean; None where it has none, or not as one number."""
    of_split = model.metrics.get(by.split)
    if of_split is None or by.metric not in OF_TASK[model.task]:
        return None
    value = of_split.get(by.metric)
    if isinstance(value, dict):
        if model.task == "classification":
            value = value["mean"]
        else:
            value = next(iter(value.values())) if len(value) == 1 else None
    return None if value is None else float(value)


def is_better(new: float, old: float, metric: ComparableMetric) -> bool:
    """Whether `new` is better than `old`, and not only as good."""
    return new > old if BETTER[metric] == "greater" else new < old
