"""When a delivery is tried again that has failed."""

from __future__ import annotations

import random
from datetime import timedelta

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""Between a try and the next: ten tries in three days and a half, as Standard Webhooks proposes."""

JITTER = 0.1
"""Share of a delay. So much longer or shorter it is, lest all that failed at once come again at once."""

BUSY = frozenset({429, 502, 504})
"""Statuses of receivers that have too much to do."""

BUSY_DELAY = timedelta(minutes=1)
"""Such a receiver is left alone for so long at least."""

LONGEST_WISH = timedelta(days=1)
"""A receiver that asks to be left alone for longer is tried after that."""


def next_delay(tries: int, status: int | None, retry_after: float | None) -> timedelta | None:
    """How long until the next try; None if there is to be none.

    Args:
        tries: how many there have been.
        status: of the last answer; None if there was none.
        retry_after: seconds that the receiver has asked for, infinitely many at most; None if it has not.
    """
    if tries > len(DELAYS):
        return None
    delay = DELAYS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret
    if status in BUSY:
        delay = max(delay, BUSY_DELAY)
    if retry_after is not None:
        wish = min(retry_after, LONGEST_WISH.total_seconds())  # while it is a number: a timedelta has an end
        delay = max(delay, timedelta(seconds=wish))
    return delay
