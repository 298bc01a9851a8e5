"""How pages write numbers, times and words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from markupsafe import Markup

DIGITS = 5
"""Significant digits of a number that is measured. A table of them can be read, and two trainings told apart."""


def number(value: float | None) -> str:
    """A number as people read it; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return count(value)
    return f"{value:.{DIGITS}g}".replace("-", "−")


def count(value: int | None) -> str:
    """A whole number, with thin spaces between thousands; a dash for none."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f").replace("-", "−")


def percent(share: float) -> str:
    """A share as a percentage, such as 41.5 %."""
    return f"{100 * share:.1f}\u202f%"


def file_size(size: int) -> str:
    """Bytes as people read them."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{count(size)} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def duration(seconds: float | None) -> str:
    """How long something takes: the two largest units of it; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {seconds % 60:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def moment(at: datetime | None) -> Markup:
    """A moment in UTC, which a script turns into the reader's own time; a dash for none."""
    if at is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def plural(counted: int, word: str, words: str | None = None) -> str:
    """How many of something there are, such as 1 row or 2 rows."""
    return f"{count(counted)} {word if counted == 1 else words or word + 's'}"


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "count": count,
    "percent": percent,
    "file_size": file_size,
    "duration": duration,
    "moment": moment,
    "plural": plural,
}
"""What templates call."""
