"""The metrics of several models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from backprop_client.wire.registration import ComparableMetric, Split
from domain.registry.comparing import BETTER
from infra.tables import Model

SPLITS: tuple[Split, ...] = tuple(reversed(get_args(Split)))
"""Those that tell more come first."""


@dataclass(frozen=True)
class Compared:
    """One metric of several models.

    Attributes:
        split: on which rows it is measured, for each model its own.
        name: of the metric, and of the target where there are several.
        better: which end of it is the better one.
        values: of the models, in their order; None for one that does not have it.
        best: the places of the best values among them; none where all that have it are equal.
    """

    split: Split
    name: str
    better: str
    values: Sequence[float | None]
    best: frozenset[int]


def compared(models: Sequence[Model]) -> list[Compared]:
    """All that can be compared of some models, by the metrics that a list has of each."""
    table = []
    for split in SPLITS:
        of_models = [_figures(model.task, model.listed_metrics.get(split)) for model in models]
        for name, metric in {name: metric for figures in of_models for name, (metric, _) in figures.items()}.items():
            values = [figures[name][1] if name in figures else None for figures in of_models]
            table.append(Compared(split, name, BETTER[metric], values, _best(values, metric)))
    return table


def _figures(task: str, of_split: dict[str, Any] | None) -> dict[str, tuple[ComparableMetric, float]]:
    """The metrics that are single numbers; of those that each class has, the mean; of several targets, each one's."""
    figures: dict[str, tuple[ComparableMetric, float]] = {}
    for metric in BETTER:
        value = (of_split or {}).get(metric)
        if isinstance(value, int | float):
            figures[metric] = metric, value
        elif isinstance(value, dict) and task == "classification":
            if value["mean"] is not None:
                figures[metric] = metric, value["mean"]
        elif isinstance(value, dict):
            of_targets = {target: number for target, number in value.items() if number is not None}
            figures |= {f"{metric} of {target}": (metric, number) for target, number in of_targets.items()}
    return figures


def _best(values: Sequence[float | None], metric: ComparableMetric) -> frozenset[int]:
    known = [value for value in values if value is not None]
    if len(set(known)) < 2:
        return frozenset()
    best = max(known) if BETTER[metric] == "greater" else min(known)
    return frozenset(place for place, value in enumerate(values) if value == best)
