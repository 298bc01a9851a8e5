"""How much each row of a job counts in J: by a column of weights, by its class, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.class_weights import balanced_weights
from backprop_client.wire.columns import Column, Labels
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import ClassWeight, JobSpec, ResolvedClassWeight, Task
from domain.datasets.names import composed
from domain.jobs.columns import LARGEST_NUMBER, QUANTITIES, Chosen
from domain.jobs.problems import Problems

Array = NDArray[Any]
Floats = NDArray[np.float64]

IS_NO_INPUT = "It holds the weights of the rows."
"""Why a column is left out."""

PATH = "/weights"
CLASS_PATH = "/class_weight"

WEIGHT_BYTES = 8
"""Bytes. A worker holds weights in double precision."""


def column_of_weights(
    spec: JobSpec, columns: tuple[Column, ...], targets: list[Chosen], problems: Problems
) -> Column | None:
    """The column of weights, if the job names one; all that is wrong with it is a problem."""
    if spec.weights is None:
        return None
    name = composed(spec.weights)
    column = next((column for column in columns if composed(column.name) == name), None)
    if column is None:
        problems.add("unknown_column", PATH, f"The dataset has no column {name!r}.")
    elif column.name in {target.column.name for target in targets}:
        problems.add(
            "column_is_target", PATH, f"Column {name!r} is a target, and cannot be the weights of the rows too."
        )
    else:
        check_weights(column, PATH, problems)
    return column


def check_weights(column: Column, path: str, problems: Problems) -> None:
    """Weights are numbers from 0 up, one for each row, and some are above 0."""
    name = column.name
    if column.type not in QUANTITIES:
        reason = f"Column {name!r} is of type {column.type}, and weights are numbers."
    elif column.missing:
        reason = f"Column {name!r} has no value in {column.missing} rows, and every row needs a weight."
    elif (column.minimum or 0.0) < 0:
        reason = f"Column {name!r} goes down to {column.minimum:g}, and weights are numbers from 0 up."
    elif not column.maximum:
        reason = f"Column {name!r} is 0 in every row: nothing would be learned."
    elif column.maximum > LARGEST_NUMBER:
        reason = f"Column {name!r} holds numbers beyond {LARGEST_NUMBER:g}, which cannot be summed up."
    else:
        return
    problems.add("unusable_weights", path, reason)


def class_weight_of(
    spec: JobSpec, task: Task | None, classes: Labels | None, problems: Problems
) -> ResolvedClassWeight | None:
    """`balanced`, or a weight for each class in the order of the classes: 1 for those that are not named."""
    given = spec.class_weight
    if given is None:
        return None
    if task not in ("classification", None):
        problems.add("class_weight_needs_classes", CLASS_PATH, f"There are no classes to weigh: the task is {task}.")
    if given == "balanced" or classes is None:
        return "balanced"
    weights: dict[bool | int | str, float] = {}
    for each in given:
        label = next((label for label in classes if _is_named(label, each.label)), None)
        if label is None:
            known = ", ".join(map(repr, classes[:5])) + (", …" if len(classes) > 5 else "")
            problems.add(
                "unknown_class", CLASS_PATH, f"The target has no class {each.label!r}; its classes are {known}."
            )
        elif label in weights:
            problems.add("duplicate_class", CLASS_PATH, f"Class {label!r} is given two weights.")
        else:
            weights[label] = each.weight
    resolved = tuple(ClassWeight(label=label, weight=weights.get(label, 1.0)) for label in classes)
    if not any(each.weight for each in resolved):
        problems.add("unusable_weights", CLASS_PATH, "Every class has the weight 0: nothing would be learned.")
    return resolved


def _is_named(label: bool | int | str, given: bool | int | str) -> bool:
    """Whether the label is meant: itself, or as JSON writes it (``true``, ``7``), since names of fields are texts."""
    if isinstance(given, str) and not isinstance(label, str):
        return given == (str(label).lower() if isinstance(label, bool) else str(label))
    return type(given) is type(label) and given == label


def vectors_of_weights(column: Column | None, class_weight: ResolvedClassWeight | None) -> int:
    """How many weights a worker holds for each row while it trains: the column's, and times that of its class."""
    return (column is not None) + (class_weight is not None)


def weights_of_classes(given: ResolvedClassWeight, counts: NDArray[np.integer]) -> Floats:
    """The weight of each class, (K,).

    Args:
        given: as the job has it.
        counts: n_k, training rows of each class, (K,).
    """
    if given != "balanced":
        return np.array([each.weight for each in given])
    return balanced_weights(counts)


def rows_weights(job: ResolvedJob, batch: Mapping[str, Array]) -> Floats | None:
    """The weights of a batch's rows as their column has them, (m,); None if the job has no such column."""
    return None if job.weights is None else np.asarray(batch[job.weights], np.float64)


def used_columns(job: ResolvedJob) -> list[str]:
    """The columns that the examples and their weights are made of."""
    names = [column.name for column in job.inputs] + [column.name for column in job.targets]
    return names if job.weights is None or job.weights in names else [*names, job.weights]
