from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.coding.periods import PERIODS, Period, phase
from backprop_client.wire import columns

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 30)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


def seconds_of(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)


def phase_by_calendar(period: Period, moment: datetime) -> float:
    """The same from Python's calendar."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return (moment - midnight) / timedelta(days=1)
    if period == "week":
        return (moment - midnight + timedelta(days=moment.weekday())) / timedelta(days=7)
    begin = midnight.replace(month=1, day=1)
    return (moment - begin) / (begin.replace(year=moment.year + 1) - begin)


@given(moments=st.lists(MOMENTS, max_size=8))
@pytest.mark.parametrize("period", get_args(Period))
def test_a_phase_is_the_share_of_the_period_that_the_calendar_says(period: Period, moments: list[datetime]) -> None:
    moments = [moment for moment in moments if moment.year < 9999]
    phases = phase(period, np.array([seconds_of(moment) for moment in moments], dtype=np.float64))
    # A float64 of seconds tells 30 µs apart in the year 9999.
    expected = np.array([phase_by_calendar(period, moment) for moment in moments])
    apart = np.abs(phases - expected)
    assert np.minimum(apart, 1 - apart).max(initial=0) < 1e-9


@given(seconds=st.floats(-6e10, 2.5e11))
@pytest.mark.parametrize("period", get_args(Period))
def test_a_phase_is_within_the_period(period: Period, seconds: float) -> None:
    (found,) = phase(period, np.array([seconds]))
    assert 0 <= found < 1


def test_every_period_has_its_phase() -> None:
    assert tuple(PERIODS) == get_args(Period) == get_args(columns.Period)
