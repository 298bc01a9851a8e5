"""Python's values as those of one column: all of one kind, with None for a missing one.

What is missing: None, NaN, and pandas's NA and NaT. Decimals and fractions become floats, moments are in UTC, and one
without a zone is taken to be. Integers among floats become floats. Of pandas's own, periods count as their beginnings,
and intervals, as `cut` makes them, as their text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

Kind = Literal["boolean", "integer", "number", "string", "moment", "time of day", "nothing"]

Value = bool | int | float | str | dt.datetime | dt.time | None

_TOGETHER: dict[frozenset[Kind], Kind] = {frozenset(("integer", "number")): "number"}
"""The kinds that make one together."""


@dataclass(frozen=True)
class PlainColumn:
    """A column of plain values.

    Attributes:
        kind: of all that are present; nothing if none is.
        values: one for each row, None where it is missing.
    """

    kind: Kind
    values: list[Value]


def plain_column(name: str, values: Iterable[object]) -> PlainColumn:
    """Values as a column of one kind.

    Raises:
        TypeError: a value is none that a table can have, or they are of several kinds; the message names the column.
        ValueError: a string is no Unicode text.
    """
    plain: list[Value] = []
    found: dict[Kind, int] = {}
    for row, value in enumerate(values):
        kind, value_of_kind = _plain(value, name, row)
        plain.append(value_of_kind)
        if kind != "nothing":
            found.setdefault(kind, row)
    kind = _kind_of_all(found, name)
    if kind == "integer" and any(each is not None and not -(2**63) <= each < 2**63 for each in plain):  # type: ignore[operator]
        kind = "number"
    if kind == "number":
        plain = [None if each is None else _as_float(each) for each in plain]
    return PlainColumn(kind, plain)


def _kind_of_all(found: dict[Kind, int], name: str) -> Kind:
    if len(found) < 2:
        return next(iter(found), "nothing")
    together = _TOGETHER.get(frozenset(found))
    if together is None:
        (first, row), (second, other_row), *_ = found.items()
        raise TypeError(
            f"Column {name!r} mixes kinds of values: {first} (row {row}) and {second} (row {other_row}). All of a "
            "column must be of one kind."
        )
    return together


def _plain(value: Any, name: str, row: int) -> tuple[Kind, Value]:  # noqa: ANN401
    if _is_missing(value):
        return "nothing", None
    if hasattr(value, "dtype") and hasattr(value, "item"):  # a scalar of NumPy's
        value = value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item()
    if type(value).__name__ == "Period":
        value = value.to_timestamp()
    if type(value).__name__ == "Interval":
        return "string", str(value)
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int):
        return "integer", int(value)
    if isinstance(value, float | Decimal | Fraction):
        return "number", _as_float(value)
    if isinstance(value, str):
        return "string", _checked(value, name, row)
    if isinstance(value, dt.datetime):
        return "moment", _in_utc(value)
    if isinstance(value, dt.date):
        return "moment", dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001  # all clocks are UTC's
    if isinstance(value, dt.time):
        return "time of day", value.replace(tzinfo=None)
    raise TypeError(
        f"Column {name!r}, row {row}: {type(value).__name__} is no type of a table's values. They may be numbers, "
        "booleans, strings, dates and times."
    )


def _is_missing(value: Any) -> bool:  # noqa: ANN401
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        return bool(value != value)  # NaN and NaT differ from themselves
    except (TypeError, ValueError):  # an array, which is refused where its type is
        return False


def _checked(text: str, name: str, row: int) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"Column {name!r}, row {row}: {text[:40]!r} is not Unicode text.") from error
    return str.__str__(text)


def _in_utc(moment: Any) -> dt.datetime:  # noqa: ANN401
    """A moment in UTC, without its zone. What pandas's has below microseconds is cut off."""
    if hasattr(moment, "to_pydatetime"):
        moment = moment.floor("us").to_pydatetime()
    offset = moment.utcoffset() or dt.timedelta()
    plain: dt.datetime = moment.replace(tzinfo=None, fold=0) - offset
    return plain


def _as_float(value: Any) -> float:  # noqa: ANN401
    try:
        return float(value)
    except OverflowError:  # which the service refuses, with row and column
        return float("inf") if value > 0 else float("-inf")
