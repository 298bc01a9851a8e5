"""What is known of a job that is being followed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from backprop_client.progress.curve import Curve
from backprop_client.wire.jobs import JobOut, Status

ENDED: tuple[Status, ...] = ("succeeded", "failed", "cancelled")

_RATE_SECONDS = 5.0
"""Seconds. The speed is that of so long; much longer would not show that it has changed."""


class Watched:
    """A job as far as it is known: its own words, its costs so far, and how fast they come.

    Attributes:
        job: as the service has last told it.
        curve: J of the iterations.
        held_out: J of the held-out rows, where it was measured.
    """

    def __init__(self, job: JobOut, now: Callable[[], float] = time.monotonic) -> None:
        self.job = job
        self.curve = Curve()
        self.held_out = Curve()
        self._now = now
        self._seen: deque[tuple[float, int]] = deque()

    def take_job(self, job: JobOut) -> None:
        """What the service now says of the job."""
        self.job = job

    def take_costs(self, iterations: list[int], costs: list[float], held_out: list[float | None] | None) -> None:
        """Costs that follow those before; column by column."""
        for iteration, cost in zip(iterations, costs, strict=True):
            self.curve.add(iteration, cost)
        for iteration, measured in zip(iterations, held_out or [], strict=held_out is not None):
            if measured is not None:
                self.held_out.add(iteration, measured)
        if iterations:
            self._seen.append((self._now(), iterations[-1]))
            while len(self._seen) > 2 and self._seen[-1][0] - self._seen[0][0] > _RATE_SECONDS:
                self._seen.popleft()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.job.status in ENDED

    @property
    def iteration(self) -> int | None:
        """The last iteration whose cost is known; None before the first."""
        newest = self.curve.newest
        told = self.job.iteration
        return told if newest is None else newest[0] if told is None else max(newest[0], told)

    @property
    def cost(self) -> float | None:
        """J there."""
        newest = self.curve.newest
        return self.job.cost if newest is None else newest[1]

    @property
    def held_out_cost(self) -> float | None:
        """J of the held-out rows when they were last measured."""
        newest = self.held_out.newest
        return None if newest is None else newest[1]

    @property
    def rate(self) -> float | None:
        """Iterations a second; None until there is a way to tell."""
        if len(self._seen) > 1:
            (before, first), (after, last) = self._seen[0], self._seen[-1]
            if after > before and last > first:
                return (last - first) / (after - before)
        return self.job.rate

    @property
    def seconds_left(self) -> float | None:
        """At this rate, until the last iteration; None unless it is running."""
        if self.job.status != "running" or not self.rate or self.iteration is None:
            return None
        return max(0, self.job.iterations - self.iteration) / self.rate

    @property
    def trials(self) -> tuple[int, int] | None:
        """How many trials there have been, and of how many at most; None where none are under way."""
        selection = self.job.selection
        if self.job.status != "running" or self.iteration is not None:
            return None
        if selection is None or selection.chosen is not None:
            return None
        done = sum(len(candidate.deviances) for candidate in selection.candidates)
        return done, len(selection.candidates) * selection.folds

    @property
    def share(self) -> float:
        """How much of the present work is done, from 0 to 1."""
        if self.job.status == "succeeded":
            return 1.0
        if self.trials:
            return self.trials[0] / max(1, self.trials[1])
        return (self.iteration or 0) / max(1, self.job.iterations)
