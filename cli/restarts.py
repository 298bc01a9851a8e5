"""When something that has died is started again, and when it is given up."""

from __future__ import annotations

from collections import deque

MOST_DEATHS = 6
"""Within `WINDOW_SECONDS`: then another start would not help."""

WINDOW_SECONDS = 60.0
"""A death that lies back longer than this has nothing to do with the next one."""

FIRST_DELAY = 0.5
"""Seconds before the second start in a row; before each further one twice as long. The first is at once."""


class Restarts:
    """The deaths of one process."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque()

    def next_delay(self, now: float) -> float | None:
        """How long to wait before the process is started again; None to give it up.

        Args:
            now: when it has died, in seconds by any clock that does not go back.
        """
        while self._deaths and now - self._deaths[0] > WINDOW_SECONDS:
            self._deaths.popleft()
        before = len(self._deaths)
        self._deaths.append(now)
        if before + 1 >= MOST_DEATHS:
            return None
        return FIRST_DELAY * 2 ** (before - 1) if before else 0.0
