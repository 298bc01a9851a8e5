"""What comes back in time, and how far through it a moment is."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Period = Literal["year", "week", "day"]

PERIODS: tuple[Period, ...] = ("year", "week", "day")

DAY = 86_400.0
"""Seconds. UTC as computers count it has no leap seconds."""

_WEEK = 7 * DAY
_FIRST_MONDAY = 4 * DAY
"""Seconds since 1970, which began on a Thursday."""


def phase(period: Period, seconds: Floats) -> Floats:
    """How far through the period each moment is.

    - day: mod(s, 86400) / 86400, from midnight on;
    - week: mod(s − 345600, 604800) / 604800, from Monday on;
    - year: (s − start) / (end − start) of the calendar year that the moment is in.

    Args:
        period: which.
        seconds: (m,) float64 since 1970 in UTC; NaN for no moment.

    Returns:
        (m,) float64 in [0, 1]; NaN for no moment.
    """
    if period == "day":
        return np.mod(seconds, DAY) / DAY
    if period == "week":
        return np.mod(seconds - _FIRST_MONDAY, _WEEK) / _WEEK
    years = np.floor(seconds).astype("datetime64[s]").astype("datetime64[Y]")
    start, end = _seconds(years), _seconds(years + 1)
    return (seconds - start) / (end - start)


def _seconds(moments: NDArray[np.datetime64]) -> Floats:
    seconds = moments.astype("datetime64[s]")
    return np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64).astype(np.float64))
