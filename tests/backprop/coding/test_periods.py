from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.coding.periods import PERIODS, Period, phase

MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _start_and_end(period: Period, moment: datetime) -> tuple[datetime, datetime]:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return midnight, midnight + timedelta(days=1)
    if period == "week":
        monday = midnight - timedelta(days=moment.weekday())
        return monday, monday + timedelta(days=7)
    new_year = midnight.replace(month=1, day=1)
    return new_year, new_year.replace(year=new_year.year + 1)


@pytest.mark.parametrize("period", PERIODS)
@given(MOMENTS)
def test_is_how_far_the_calendar_says(period: Period, moment: datetime) -> None:
    start, end = _start_and_end(period, moment)
    (found,) = phase(period, np.array([moment.timestamp()]))
    assert 0 <= found < 1
    assert found == pytest.approx((moment - start) / (end - start), abs=1e-6)


@pytest.mark.parametrize("period", PERIODS)
def test_no_moment_has_no_phase(period: Period) -> None:
    assert np.isnan(phase(period, np.array([np.nan, 0.0]))).tolist() == [True, False]
