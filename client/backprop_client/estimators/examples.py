"""What an estimator learns from, as named columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backprop_client.tables.table import name_of

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """Rows to learn from.

    Attributes:
        names: of the inputs.
        X: (m, inputs).
        targets: what is to be predicted, by name: numbers, or of a classification the position of each row's class;
            none for a reconstruction.
        classes: of a classification, sorted, as they are known to the caller; None for other tasks.
        class_weight: ``balanced``, or the weight of each class; None if they weigh alike.
        weight_name: what the column of weights is called.
        weights: how much each row counts, (m,); None if all count alike.
    """

    names: tuple[str, ...]
    X: Floats
    targets: dict[str, Array]
    classes: Array | None
    class_weight: Literal["balanced"] | tuple[float, ...] | None
    weight_name: str
    weights: Floats | None

    def named_as(self, names: tuple[str, ...], targets: tuple[str, ...]) -> Examples:
        """The same rows under other names, by position."""
        renamed = dict(zip(targets, self.targets.values(), strict=True))
        weight_name = free_name(self.weight_name, [*names, *targets])
        return replace(self, names=names, targets=renamed, weight_name=weight_name)

    @property
    def columns(self) -> dict[str, Array]:
        """All of them, by name; of classes their positions."""
        columns: dict[str, Array] = {name: self.X[:, place] for place, name in enumerate(self.names)}
        columns |= self.targets
        if self.weights is not None:
            columns[self.weight_name] = self.weights
        return columns


def names_of_inputs(feature_names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """What the input columns are called: as the caller's, if the service can call them so; else they are counted."""
    if feature_names is not None:
        names = tuple(name_of(name, place) for place, name in enumerate(feature_names, start=1))
        if names == tuple(feature_names) and len(set(names)) == len(names):
            return names
    return tuple(f"column_{place}" for place in range(1, count + 1))


def names_of_targets(y: Any, count: int, taken: Sequence[str], usual: str) -> tuple[str, ...]:  # noqa: ANN401
    """What the target columns are called: as the caller's series or frame says, or `usual`; never as an input is.

    Args:
        y: as the caller gave it.
        count: how many targets there are.
        taken: the names of the inputs.
        usual: what a target is called that has no name.
    """
    told = getattr(y, "columns", None) if count > 1 or getattr(y, "ndim", 1) == 2 else [getattr(y, "name", None)]
    if told is not None and len(told) == count and all(isinstance(name, str) and name for name in told):
        names = tuple(name_of(name, place) for place, name in enumerate(told, start=1))
        if len({*names, *taken}) == count + len(taken):
            return names
    if count == 1:
        return (free_name(usual, taken),)
    return tuple(free_name(f"{usual}_{place}", taken) for place in range(1, count + 1))


def free_name(name: str, taken: Sequence[str]) -> str:
    """The name, with as many underscores behind it as make it differ from those that are taken."""
    while name in taken:
        name += "_"
    return name
