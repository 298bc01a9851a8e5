"""A job followed to its end: by its events, or by asking again and again where the service has no stream for us."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress

from backprop_client.errors import NotFound, ServerFailed, TooMany
from backprop_client.progress.curve import MOST_POINTS
from backprop_client.progress.watched import Watched
from backprop_client.progress.words import duration, how_to_come_back
from backprop_client.resources.jobs import AsyncJobs, Jobs
from backprop_client.streams.events import Event
from backprop_client.wire.events import CostBatch
from backprop_client.wire.jobs import CostOut, JobOut

_MOST_COSTS_A_SECOND = 100
"""Costs. A picture that is drawn twice a second shows no more of a curve that grows."""

_NO_STREAM = (NotFound, TooMany, ServerFailed)
"""An older service has no streams, and each has a bound on how many it keeps open. Both answer other requests."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
"""Seconds between two requests. They become longer one by one, since a long training changes slowly."""


def followed(jobs: Jobs, watched: Watched, timeout: float | None) -> Iterator[None]:
    """Learn of a job until it has ended. Gives control back whenever something has become known.

    Args:
        jobs: ask the service.
        watched: is told of the job.
        timeout: seconds; a stream may be silent for longer, so the job is asked for again and again. None for no limit.

    Raises:
        TimeoutError: the job goes on after that time.
    """
    if timeout is None:
        with suppress(*_NO_STREAM):
            for event in jobs.events(watched.job.id, points=MOST_POINTS, max_rate=_MOST_COSTS_A_SECOND):
                take(watched, event)
                yield
            watched.take_job(jobs.get(watched.job.id))
            return
    patience = _Patience(timeout)
    while True:
        job = jobs.get(watched.job.id)
        take_costs(watched, jobs.costs(job.id, after=_after(watched), points=MOST_POINTS).data)
        watched.take_job(job)
        yield
        if watched.has_ended:
            return
        time.sleep(patience.next_pause(job))


async def followed_async(jobs: AsyncJobs, watched: Watched, timeout: float | None) -> AsyncIterator[None]:
    """As `followed`, in an event loop."""
    if timeout is None:
        with suppress(*_NO_STREAM):
            async for event in jobs.events(watched.job.id, points=MOST_POINTS, max_rate=_MOST_COSTS_A_SECOND):
                take(watched, event)
                yield
            watched.take_job(await jobs.get(watched.job.id))
            return
    patience = _Patience(timeout)
    while True:
        job = await jobs.get(watched.job.id)
        take_costs(watched, (await jobs.costs(job.id, after=_after(watched), points=MOST_POINTS)).data)
        watched.take_job(job)
        yield
        if watched.has_ended:
            return
        await asyncio.sleep(patience.next_pause(job))


def take(watched: Watched, event: Event) -> None:
    """Take in what a stream tells."""
    if isinstance(event, JobOut):
        watched.take_job(event)
    elif isinstance(event, CostBatch):
        watched.take_costs(event.iteration, event.cost, event.held_out_cost)


def take_costs(watched: Watched, costs: Sequence[CostOut]) -> None:
    """Take in costs that follow those before."""
    watched.take_costs(
        [each.iteration for each in costs], [each.cost for each in costs], [each.held_out_cost for each in costs]
    )


def _after(watched: Watched) -> int | None:
    newest = watched.curve.newest
    return None if newest is None else newest[0]


class _Patience:
    """How long to wait until a job is asked for again."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._began = time.monotonic()
        self._pause = _FIRST_PAUSE

    def next_pause(self, job: JobOut) -> float:
        """Seconds.

        Raises:
            TimeoutError: the time is over.
        """
        pause = self._pause
        self._pause = min(pause * 1.2, _LONGEST_PAUSE)
        if self._timeout is None:
            return pause
        left = self._began + self._timeout - time.monotonic()
        if left <= 0:
            raise TimeoutError(
                f"{job.id} is still {job.status} after {duration(self._timeout)}. {how_to_come_back(job.id)}"
            )
        return min(pause, left)
