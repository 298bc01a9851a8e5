"""Numbers that may not be known, and None where they are not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def finite(value: float) -> float | None:
    """The value; None where it is not a finite number."""
    return value if math.isfinite(value) else None


def quotients(above: Floats, below: Floats) -> list[float | None]:
    """The quotients of arrays (n,); None where that is 0/0, or beyond double precision."""
    with np.errstate(all="ignore"):
        return [finite(value) for value in (above / below).tolist()]


def mean_of_known(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return finite(sum(known) / len(known)) if known else None


def of_classes(values: Sequence[float | None]) -> dict[str, Any]:
    """A metric of each class, in the order of the classes, with the mean of those that are known."""
    return {"mean": mean_of_known(values), "by_class": list(values)}
