"""What comes back in time: at which point of a year, a week or a day a moment is.

All is in UTC. A period's phase is the share of it that has passed, from 0 up to but not including 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Period = Literal["year", "week", "day"]

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS

FIRST_MONDAY = 4 * DAY_SECONDS
"""Seconds since 1970, which began on a Thursday."""


def phase(period: Period, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of its period that has passed at each moment.

    Args:
        period: the calendar year, the week from Monday 00:00 on, or the day from midnight on.
        seconds: since 1970-01-01 00:00 UTC, shape (rows,); finite.

    Returns:
        Phases in [0, 1), of the same shape.
    """
    return PERIODS[period](seconds)


def _of_year(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    years = np.floor(seconds).astype("datetime64[s]").astype("datetime64[Y]")
    begin = _seconds_since_1970(years)
    end = _seconds_since_1970((years + np.timedelta64(1, "Y")).astype("datetime64[Y]"))
    return _share(seconds - begin, end - begin)


def _seconds_since_1970(years: NDArray[np.datetime64]) -> NDArray[np.float64]:
    return years.astype("datetime64[s]").astype(np.int64).astype(np.float64)


def _of_week(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return _share(np.mod(seconds - FIRST_MONDAY, WEEK_SECONDS), WEEK_SECONDS)


def _of_day(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return _share(np.mod(seconds, DAY_SECONDS), DAY_SECONDS)


def _share(passed: NDArray[np.float64], length: NDArray[np.float64] | int) -> NDArray[np.float64]:
    # A moment just before the end may be rounded up to it, and there the next period begins.
    return np.mod(passed / length, 1.0)


PERIODS: dict[Period, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "year": _of_year,
    "week": _of_week,
    "day": _of_day,
}
"""The phase of each period, the longest first."""
