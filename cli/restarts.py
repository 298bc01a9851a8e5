"""When something that has died is started again, and when it is given up."""

from __future__ import annotations

from collections import deque

MOST_DEATHS = 6
"""Deaths within `WINDOW_SECONDS`. After so many, another start would not help."""

WINDOW_SECONDS = 60.0
"""Seconds. A death that lies back longer has nothing to do with the next one."""

FIRST_DELAY = 0.5
"""Seconds. The first start after a death is at once. The second in a row waits so long, and each further one twice as
long as the one before."""


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
