"""How fast an attempt trains."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rate:
    """Counts an attempt's iterations, and the seconds that it trains.

    What comes before and after the training does not count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a training.

        Args:
            clock: gives seconds.
        """
        self._clock = clock
        self._began: tuple[float, int] | None = None
        self._ended: float | None = None

    def training_begins(self, iteration: int) -> None:
        """Count from now, and from this iteration."""
        self._began = (self._clock(), iteration)

    def training_ends(self) -> None:
        """Count the time until now."""
        self._ended = self._clock()

    @property
    def has_begun(self) -> bool:
        """Whether the attempt trains, or has trained."""
        return self._began is not None

    def at(self, iteration: int) -> float | None:
        """Iterations per second until this one; None before the second iteration."""
        if self._began is None:
            return None
        began, first = self._began
        seconds = (self._clock() if self._ended is None else self._ended) - began
        done = iteration - first
        return done / seconds if done > 0 and seconds > 0 else None
