from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_client.wire.datasets import MISSING, Decimal
from domain.datasets.reading.delimited.cells import (
    CURRENCIES,
    MISSING_AMONG_VALUES,
    datetime_in,
    is_missing_word,
    number_in,
)
from domain.datasets.reading.delimited.moments import moments_in
from domain.datasets.reading.delimited.readings import Cells, NumberReading

DECIMALS: list[Decimal] = [".", ","]
OFFSETS = st.integers(-14 * 60 + 1, 14 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
LIKE_MOMENTS = r"[0-9]{4}-[01][0-9](-[0-3][0-9])?([T ][0-2][0-9]:[0-5][0-9](Z|[+-]1[0-5]:00)?)?"
LIKE_NUMBERS = st.text("0123456789.,'- +%$€eE\u00a0\u202f\u2212", max_size=9)


def grouped(digits: str, gap: str) -> str:
    """Digits with something between their thousands."""
    return f"{int(digits):,}".replace(",", gap)


@given(
    whole=st.integers(0, 10**12),
    fraction=st.text("0123456789", max_size=4),
    gap=st.sampled_from(["", " ", "\u00a0", "\u202f", "'", "\u2019", "other"]),
    sign=st.sampled_from(["", "-", "+", "\u2212"]),
    mark=st.sampled_from(["", "%", " %", *CURRENCIES]),
    mark_first=st.booleans(),
)
@pytest.mark.parametrize("decimal", DECIMALS)
def test_a_number_as_people_write_it_is_its_value(
    decimal: Decimal, whole: int, fraction: str, gap: str, sign: str, mark: str, mark_first: bool
) -> None:
    gap = {"other": "," if decimal == "." else "."}.get(gap, gap)
    digits = grouped(str(whole), gap) + (decimal + fraction if fraction else "")
    text = f"{sign}{mark}{digits}" if mark_first and "%" not in mark else f"{sign}{digits}{mark}"
    exponent = "e-2" if "%" in mark else ""
    plain = float(f"{'-' if sign in ('-', chr(0x2212)) else ''}{whole}.{fraction or 0}{exponent}")
    assert number_in(f" {text}\u00a0", decimal) == plain


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "007",
            "-01",
            "0x1F",
            "1,23",
            "12,34,567",
            "1,2345",
            "0,123",
            "1_000",
            "1 2",
            "$5€",
            "$5%",
            "--1",
            "1e",
        ),
        *("5 -", "1,234 567", "1e5%", "(5)", "1.2.3"),
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert number_in(text, ".") is None


@settings(max_examples=400)
@given(text=LIKE_NUMBERS | st.floats().map(repr) | st.integers().map(str))
@pytest.mark.parametrize("decimal", DECIMALS)
def test_a_single_cell_is_the_number_that_a_column_of_it_is(decimal: Decimal, text: str) -> None:
    column = pa.array([text])
    cells = Cells(column if text not in MISSING else pa.array([None], pa.string()))
    reading = NumberReading(decimal)
    alone = number_in(text, decimal)
    if cells.values.null_count:
        assert is_missing_word(text, among_numbers=True, given=())
    elif reading.holds(cells):
        (value,) = reading.values(cells).to_pylist()
        assert alone is not None
        assert float(value) == alone or (math.isnan(value) and math.isnan(alone))
    else:
        assert alone is None


@given(
    moment=st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001
    offset=st.none() | OFFSETS,
    between=st.sampled_from("T "),
    more_digits=st.text("0123456789", max_size=3),
)
def test_a_moment_is_what_the_calendar_says_alone_and_in_a_column(
    moment: datetime, offset: timezone | None, between: str, more_digits: str
) -> None:
    written = moment.replace(tzinfo=offset).isoformat(between, "microseconds")
    text = written[:26] + more_digits + written[26:]
    expected = moment.replace(tzinfo=offset or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert datetime_in(text, times_of_day=False) == (expected // timedelta(microseconds=1)) / 1e6
    column = moments_in(pa.array([text]))
    assert column is not None
    assert column.cast(pa.int64()).to_pylist() == [expected // timedelta(microseconds=1)]


@settings(max_examples=400)
@given(text=st.from_regex(LIKE_MOMENTS, fullmatch=True))
def test_a_single_cell_is_a_moment_if_a_column_of_it_is_one(text: str) -> None:
    alone = datetime_in(text, times_of_day=False)
    column = moments_in(pa.array([text]))
    assert (alone is None) == (column is None)
    if column is not None:
        assert column.cast(pa.int64())[0].as_py() / 1e6 == alone


@pytest.mark.parametrize(
    ("text", "times_of_day", "seconds"),
    [
        ("2020-01", False, 1577836800.0),
        ("1970-01-02", False, 86400.0),
        ("12:30", True, 45000.0),
        (" 00:00:05.25 ", True, 5.25),
        ("12:30", False, None),
        ("1970-01-02", True, None),
        ("2020", False, None),
        ("2021-02-29", False, None),
        ("24:00", True, None),
        ("0000-01-01", False, None),
        ("0001-01-01T00:00+01:00", False, None),
        ("2020-01-01T12:30 ", False, 1577881800.0),
        ("", False, None),
    ],
)
def test_what_is_a_moment(text: str, times_of_day: bool, seconds: float | None) -> None:
    assert datetime_in(text, times_of_day) == seconds


def test_which_words_stand_for_a_missing_value() -> None:
    assert all(is_missing_word(f" {word}\t", among_numbers=False, given=()) for word in MISSING)
    assert not any(is_missing_word(word, among_numbers=False, given=()) for word in MISSING_AMONG_VALUES)
    assert all(is_missing_word(word, among_numbers=True, given=()) for word in MISSING_AMONG_VALUES)
    assert is_missing_word("-999", among_numbers=False, given=("-999",))
    assert not is_missing_word("0", among_numbers=True, given=("-999",))
