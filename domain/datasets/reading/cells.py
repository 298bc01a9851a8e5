"""Single cells of text."""

from __future__ import annotations

from datetime import UTC, datetime, time

from domain.datasets.reading.narrowing import MISSING


def number_in(text: str, decimal: str) -> float | None:
    """The number that a cell holds; None if it holds none."""
    try:
        return float(text.replace(",", ".") if decimal == "," else text)
    except ValueError:
        return None


def datetime_in(text: str, times_of_day: bool) -> float | None:
    """Seconds since 1970 in UTC of the moment that a cell holds; None if it holds none."""
    try:
        if times_of_day:
            moment = datetime.combine(datetime(1970, 1, 1, tzinfo=UTC), time.fromisoformat(text.strip()), UTC)
        else:
            moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def is_missing_word(text: str, among_numbers: bool, given: tuple[str, ...]) -> bool:  # noqa: ARG001
    """Whether a cell says that its value is missing."""
    return text.strip() in (*MISSING, *given)
