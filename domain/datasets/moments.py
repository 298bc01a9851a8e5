"""Moments as people read them: ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pyarrow as pa

from backprop_client.wire.columns import Column

MOMENT = pa.timestamp("us")
"""Microseconds since 1970 UTC: how moments are stored. Times of day are on 1970-01-01."""

IsoForm = Literal["date", "time", "moment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

FIRST_MOMENT = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LAST_MOMENT = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""Microseconds since 1970 UTC. Years of ISO 8601 have four digits, and Python's calendar begins with the year 1."""


def iso(microseconds: int, form: IsoForm) -> str:
    """A moment, given in microseconds since 1970 UTC, within the years 1 to 9999."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    if form == "date":
        return moment.date().isoformat()
    if form == "time":
        return moment.time().isoformat()
    return moment.replace(tzinfo=None).isoformat() + "Z"


def form_of(column: Column) -> IsoForm:
    """In which form the values of a column of moments are shown: its earliest value has it."""
    if column.times_of_day:
        return "time"
    return "moment" if column.earliest and "T" in column.earliest else "date"
