"""Columns of dates and times, in formats that have them, and how they are summarised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.datasets.reading.summaries import ColumnSummary
from infra.errors import InvalidRequest
from tests.support.uploads import parquet_file, take_in

BERLIN_WINTER = timezone(timedelta(hours=1))
NOON = datetime(2020, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([date(2020, 1, 31), None]), ["2020-01-31", None]),
        (pa.array([date(2020, 1, 31)], pa.date64()), ["2020-01-31"]),
        (pa.array([datetime(1969, 12, 31, 23, 59)], pa.timestamp("s")), ["1969-12-31T23:59:00Z"]),  # noqa: DTZ001
        (pa.array([NOON], pa.timestamp("us", "Europe/Berlin")), ["2020-01-31T12:00:00.123456Z"]),
        (
            pa.array([1, -1], pa.int64()).cast(pa.timestamp("ns")),
            ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z"],
        ),
        (pa.array([NOON.astimezone(BERLIN_WINTER)], pa.timestamp("ms", "+01:00")), ["2020-01-31T12:00:00.123000Z"]),
        (pa.array([time(12, 30)], pa.time32("s")), ["12:30:00"]),
        (pa.array([time(12, 30, 5, 250000)], pa.time64("ns")), ["12:30:05.250000"]),
        (pa.array([NOON]).dictionary_encode(), ["2020-01-31T12:00:00.123456Z"]),
    ],
)
def test_parquet_dates_and_times_are_moments(values: pa.Array, expected: list[Any]) -> None:
    taken = take_in("t.parquet", parquet_file(pa.table({"c": values})))
    assert (taken.types, [row[0] for row in taken.rows]) == (["datetime"], expected)


@pytest.mark.parametrize("year", [-9 * 10**10, 3 * 10**11])
def test_a_year_that_the_calendar_does_not_have_is_refused(year: int) -> None:
    seconds = pa.array([0, year], pa.int64()).cast(pa.timestamp("s"))
    with pytest.raises(InvalidRequest, match="Row 2, column 'c'") as refusal:
        take_in("t.parquet", parquet_file(pa.table({"c": seconds})))
    assert refusal.value.code == "datetime_out_of_range"


def test_json_strings_that_are_all_moments_are_moments() -> None:
    content = (
        '[{"d": "2020-01-31", "t": "12:30", "m": "2020", "x": "2020-01-31"}, {"d": null, "t": "13:30", "x": "soon"}]'
    )
    taken = take_in("t.json", content)
    assert taken.types == ["datetime", "datetime", "category", "category"]
    assert taken.rows[0] == ["2020-01-31", "12:30:00", "2020", "2020-01-31"]
    assert [column.times_of_day for column in taken.columns] == [False, True, False, False]


def summary_of(microseconds: Sequence[int | None], cut: int, times_of_day: bool = False) -> Any:  # noqa: ANN401
    summary = ColumnSummary("c", pa.timestamp("us"))
    for first in range(0, len(microseconds), cut):
        summary.add(pa.array(microseconds[first : first + cut], pa.int64()).cast(pa.timestamp("us")))
    return summary.column(times_of_day)


@pytest.mark.parametrize(
    ("first", "step", "count", "periods"),
    [
        ("2020-01-01T00:00", timedelta(days=1), 7, ()),
        ("2020-01-01T00:00", timedelta(days=1), 8, ("week",)),
        ("2020-01-01T00:00", timedelta(days=1), 366, ("year", "week")),
        ("2020-01-01T00:00", timedelta(hours=1), 24, ()),
        ("2020-01-01T00:00", timedelta(hours=1), 25, ("day",)),
        ("2020-01-06T00:00", timedelta(days=7), 60, ("year",)),
        ("2020-01-06T00:00", timedelta(hours=13), 800, ("year", "week", "day")),
        ("2020-01-06T00:00", timedelta(0), 5, ()),
    ],
)
def test_which_periods_moments_spread_over(first: str, step: timedelta, count: int, periods: tuple[str, ...]) -> None:
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    moments = [(begin + row * step) // timedelta(microseconds=1) for row in range(count)]
    assert summary_of(moments, 7).periods == periods


@pytest.mark.parametrize(("times", "periods"), [([0, 60], ("day",)), ([60, 60], ()), ([], ())])
def test_times_of_day_spread_over_the_day_unless_all_are_the_same(times: list[int], periods: tuple[str, ...]) -> None:
    column = summary_of([each * 1_000_000 for each in times] + [None], 1, times_of_day=True)
    assert (column.type, column.times_of_day, column.periods, column.missing) == ("datetime", True, periods, 1)


@settings(deadline=None)
@given(
    moments=st.lists(st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=1),  # noqa: DTZ001
    cut=st.integers(1, 30),
)
def test_the_range_is_that_of_the_present_moments_however_they_are_cut(
    moments: list[datetime | None], cut: int
) -> None:
    present = [moment for moment in moments if moment is not None]
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001
    microseconds = [None if each is None else (each - epoch) // timedelta(microseconds=1) for each in moments]
    column = summary_of(microseconds, cut)
    assert column.missing == len(moments) - len(present)
    if not present:
        assert (column.earliest, column.latest, column.periods) == (None, None, ())
    elif all(moment.time() == time(0) for moment in present):
        assert (column.earliest, column.latest) == (str(min(present).date()), str(max(present).date()))
    else:
        assert (column.earliest, column.latest) == (f"{min(present).isoformat()}Z", f"{max(present).isoformat()}Z")
    assert (column.minimum, column.categories) == (None, None)
