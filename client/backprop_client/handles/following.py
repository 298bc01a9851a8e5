"""A job followed to its end: by its events, or by asking again and again where the service has no stream for us."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from backprop_client.errors import NotFound, ServerFailed, TooMany
from backprop_client.progress.curve import MOST_POINTS
from backprop_client.progress.watched import Watched
from backprop_client.resources.jobs import AsyncJobs, Jobs
from backprop_client.streams.events import Event
from backprop_client.wire.events import CostBatch, End
from backprop_client.wire.jobs import CostOut, JobOut

_MOST_COSTS_A_SECOND = 100
"""Costs. A picture that is drawn twice a second shows no more of a curve that grows."""

_NO_STREAM = (NotFound, TooMany, ServerFailed)
"""An older service has no streams, and each has a bound on how many it keeps open. Both answer other requests."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
"""Seconds between two requests. They become longer one by one, since a long training changes slowly."""


def followed(jobs: Jobs, watched: Watched) -> Iterator[None]:
    """Learn of a job until it has ended. Gives control back whenever something has become known."""
    try:
        for event in jobs.events(watched.job.id, points=MOST_POINTS, max_rate=_MOST_COSTS_A_SECOND):
            take(watched, event)
            yield
            if isinstance(event, End):
                break
    except _NO_STREAM:
        for pause in _pauses():
            job = jobs.get(watched.job.id)
            take_costs(watched, jobs.costs(job.id, after=_after(watched), points=MOST_POINTS).data)
            watched.take_job(job)
            yield
            if watched.has_ended:
                break
            time.sleep(pause)
    watched.take_job(jobs.get(watched.job.id))


async def followed_async(jobs: AsyncJobs, watched: Watched) -> AsyncIterator[None]:
    """As `followed`, in an event loop."""
    try:
        async for event in jobs.events(watched.job.id, points=MOST_POINTS, max_rate=_MOST_COSTS_A_SECOND):
            take(watched, event)
            yield
            if isinstance(event, End):
                break
    except _NO_STREAM:
        for pause in _pauses():
            job = await jobs.get(watched.job.id)
            take_costs(watched, (await jobs.costs(job.id, after=_after(watched), points=MOST_POINTS)).data)
            watched.take_job(job)
            yield
            if watched.has_ended:
                break
            await asyncio.sleep(pause)
    watched.take_job(await jobs.get(watched.job.id))


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


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.2, _LONGEST_PAUSE)
