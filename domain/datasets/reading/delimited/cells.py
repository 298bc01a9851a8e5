"""What single cells say, one at a time: numbers, moments and words for a missing value.

Whole columns are read by the same patterns (`numbers`, `moments`); here is what a request for predictions needs.

A number has digits, at most one decimal sign and an exponent if need be. It may have a sign, also U+2212, and either
one of `CURRENCIES` or a ``%``, which divides it by 100. Its thousands may be apart, in proper groups of three: by one
of three kinds of space, an apostrophe, or the one of comma and point that is not the decimal sign. Leading zeros make
no number: ``007`` is a code.

A moment is a date (``2020-01-31``, ``2020-01``), a date and time (``T`` or a space between them, seconds and fractions
if need be, ``Z`` or an offset) or a time of day (``12:30``), as ISO 8601 writes them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from backprop_client.wire.datasets import MISSING, SPACES, Decimal

MISSING_AMONG_VALUES = (*("?", "None", "none", "-", ".", "\\N", "NaT", "#NA", "#VALUE!", "#DIV/0!", "missing", "nil"),)
"""These do where all others of the column are numbers, booleans or moments. In a column of words they are words."""

TRUE = ("true", "True", "TRUE")
FALSE = ("false", "False", "FALSE")

CURRENCIES = "$€£¥₹"

MINUS = "\u2212"
"""What typesetters write for a hyphen before a number."""

_GAPS = " \u00a0\u202f'\u2019"
"""These may be between the thousands, whatever the decimal sign is."""

MomentForm = Literal["date", "local", "offset", "time"]
"""How a moment is written: a date, a date and time without or with its offset from UTC, a time of day."""

_DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_MONTH = "[0-9]{4}-(?:0[1-9]|1[0-2])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"

MOMENT_PATTERNS: dict[MomentForm, str] = {
    "date": f"{_DATE}|{_MONTH}",
    "local": f"{_DATE}[T ]{_TIME}",
    "offset": f"{_DATE}[T ]{_TIME}{_OFFSET}",
    "time": _TIME,
}
"""What the whole of a cell matches. The 31st of every month does: the calendar is asked later."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # all clocks here are UTC's
_MICROSECOND = timedelta(microseconds=1)
_FRACTION = re.compile(r"\.([0-9]{1,6})[0-9]*")


def number_pattern(decimal: Decimal) -> str:
    """What the whole of a cell matches that is a number, without spaces around it.

    It is understood by `re` and by RE2 alike.
    """
    point = re.escape(decimal)
    apart = "|".join(f"(?:{gap}[0-9]{{3}})+" for gap in (*_GAPS, re.escape(_other(decimal))))
    digits = rf"(?:[1-9][0-9]{{0,2}}(?:{apart})|0|[1-9][0-9]*)"
    size = rf"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)"
    number = f"{size}(?:[eE][+-]?[0-9]+)?"
    sign, currency, gap = f"[+{MINUS}-]?", f"[{CURRENCIES}]", "[ \u00a0\u202f]?"
    return (
        f"{sign}{size}{gap}%|{sign}{number}(?:{gap}{currency})?|(?:{sign}{currency}{gap}|{currency}{gap}{sign}){number}"
        "|[+-]?(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])"
    )


def not_in_plain_numbers(decimal: Decimal) -> str:
    """Which characters of a number are for people only, as a pattern's class."""
    return f"[{_GAPS}{_other(decimal)}{CURRENCIES}%+]"


def number_in(text: str, decimal: Decimal) -> float | None:
    """The number that a cell holds; None if it holds none. It may be infinite or NaN if the cell says so."""
    text = text.strip(SPACES)
    if not _NUMBERS[decimal].fullmatch(text):
        return None
    plain = _NOT_PLAIN[decimal].sub("", text).replace(MINUS, "-").replace(decimal, ".")
    # A float64 of 12.3 divided by 100 may be another one than the nearest to 0.123.
    return float(f"{plain}e-2" if "%" in text else plain)


def datetime_in(text: str, times_of_day: bool) -> float | None:
    """The moment that a cell holds, in seconds since 1970 UTC; None if it holds none.

    Args:
        text: the cell.
        times_of_day: whether it is to be a time without a date. It counts from midnight.
    """
    microseconds = microseconds_in(text, times_of_day)
    return None if microseconds is None else microseconds / 1e6


def microseconds_in(text: str, times_of_day: bool) -> int | None:
    """The same in microseconds."""
    text = text.strip(SPACES)
    forms: tuple[MomentForm, ...] = ("time",) if times_of_day else ("date", "local", "offset")
    if not any(_MOMENTS[form].fullmatch(text) for form in forms):
        return None
    if times_of_day:
        text = f"1970-01-01T{text}"
    elif len(text) == len("2020-01"):
        text = f"{text}-01"
    # Python 3.11 takes fractions of any length; none takes more than microseconds of them.
    text = _FRACTION.sub(lambda match: f".{match[1]:0<6}", text)
    try:
        moment = datetime.fromisoformat(text)
        clock = moment.replace(tzinfo=None) - (moment.utcoffset() or timedelta())
    except (ValueError, OverflowError):  # the 30th of February; an offset that leaves the calendar
        return None
    return (clock - _EPOCH) // _MICROSECOND


def is_missing_word(text: str, among_numbers: bool, given: tuple[str, ...]) -> bool:
    """Whether a cell stands for a missing value.

    Args:
        text: the cell.
        among_numbers: whether its column is one of numbers, booleans or moments.
        given: further words, which the client has named.
    """
    text = text.strip(SPACES)
    return text in MISSING or text in given or (among_numbers and text in MISSING_AMONG_VALUES)


def _other(decimal: Decimal) -> Decimal:
    """Of comma and point the one that is not the decimal sign."""
    return "," if decimal == "." else "."


_DECIMALS: tuple[Decimal, Decimal] = (".", ",")
_NUMBERS = {decimal: re.compile(number_pattern(decimal)) for decimal in _DECIMALS}
_NOT_PLAIN = {decimal: re.compile(not_in_plain_numbers(decimal)) for decimal in _DECIMALS}
_MOMENTS = {form: re.compile(pattern) for form, pattern in MOMENT_PATTERNS.items()}
