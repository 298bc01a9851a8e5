"""A curve that grows, of which a bounded number of points is kept."""

from __future__ import annotations

MOST_POINTS = 400
"""Points. A picture of a few hundred pixels shows no more; twice as many are kept before half of them go."""


class Curve:
    """The costs of iterations, thinned evenly as they become many. The first and the newest are always there."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, float]] = []
        self._newest: tuple[int, float] | None = None
        self._every = 1

    def add(self, iteration: int, cost: float) -> None:
        """Take a cost in; iterations ascend."""
        self._newest = (iteration, cost)
        if self._kept and iteration < self._kept[-1][0] + self._every:
            return
        self._kept.append(self._newest)
        if len(self._kept) > 2 * MOST_POINTS:
            self._kept = self._kept[::2]
            self._every = (self._kept[-1][0] - self._kept[0][0]) // (len(self._kept) - 1)

    @property
    def newest(self) -> tuple[int, float] | None:
        """The newest iteration and its cost."""
        return self._newest

    @property
    def points(self) -> list[tuple[int, float]]:
        """Iterations and costs, ascending."""
        if self._newest is None or self._kept[-1] == self._newest:
            return list(self._kept)
        return [*self._kept, self._newest]
