"""A training, to be worked with."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backprop_client.errors import BackpropError
from backprop_client.handles.costs import Costs, plotted
from backprop_client.handles.following import followed, followed_async, take_costs
from backprop_client.handles.model import AsyncModel, Model
from backprop_client.handles.outcomes import no_success
from backprop_client.progress.curve import MOST_POINTS
from backprop_client.progress.displays import display_for
from backprop_client.progress.html import job_card
from backprop_client.progress.watched import Watched
from backprop_client.progress.words import how_to_come_back, line
from backprop_client.streams.following import AsyncEventStream, EventStream
from backprop_client.wire.jobs import CostOut, EventOut, JobOut, Status

if TYPE_CHECKING:
    from backprop_client.handles.working import AsyncWorking, Working

_MOST_COSTS = 10_000
"""Costs of a page. No more are given at a time."""

_PLOTTED_POINTS = 2_000
"""Points. No drawing shows more."""


class KnownJob:
    """What is known of a training job.

    Attributes:
        data: all that the service has told of it when it was last asked.
    """

    data: JobOut

    @property
    def id(self) -> str:
        """By which the service knows it."""
        return self.data.id

    @property
    def status(self) -> Status:
        """Where it was when the service was last asked: see `refresh`."""
        return self.data.status

    def __repr__(self) -> str:
        return f"{type(self).__name__}({line(Watched(self.data))})"


class Job(KnownJob):
    """A training job."""

    def __init__(self, client: Working, data: JobOut) -> None:
        self._client = client
        self.data = data

    def refresh(self) -> Job:
        """Ask the service how it stands now; gives the job itself."""
        self.data = self._client.jobs.get(self.id)
        return self

    def cancel(self) -> Job:
        """Ask it to end. What it has done is kept."""
        self.data = self._client.jobs.cancel(self.id)
        return self

    def resume(self, iterations: int | None = None) -> Job:
        """Let it go on that has ended, to so many iterations in all; None for as many as before."""
        self.data = self._client.jobs.resume(self.id, iterations=iterations)
        return self

    def history(self) -> list[EventOut]:
        """The steps of its life, the oldest first."""
        return list(self._client.jobs.history(self.id))

    def events(self) -> EventStream:
        """Follow it live: iterate over how it stands, its costs, its steps and its end."""
        return self._client.jobs.events(self.id)

    def costs(self, points: int | None = None) -> Costs:
        """J(W,b) of every iteration so far.

        Args:
            points: so many of them that show the course of all, extremes included; None for all.
        """
        page = self._client.jobs.costs(self.id, points=points, limit=_MOST_COSTS)
        return Costs(page.data if points is not None else page)

    def plot(self, axes: Any = None) -> Any:  # noqa: ANN401
        """Draw its costs with matplotlib; gives the axes.

        Args:
            axes: where to draw; None: in a new figure.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return plotted(self.costs(_PLOTTED_POINTS), self.data.name or self.id, axes)

    def wait(self, progress: bool = True, timeout: float | None = None) -> Model:
        """Follow it until it has ended; gives the model.

        Ctrl-C stops the waiting and not the training.

        Args:
            progress: whether to show how it goes: in a notebook as a picture, in a terminal as a bar if Rich is
                installed, else as a line from time to time on the standard error.
            timeout: seconds; None for no limit.

        Raises:
            JobFailed, JobCancelled: it has no model.
            TimeoutError: it goes on after that time.
            KeyboardInterrupt: somebody has pressed Ctrl-C; it says how to come back.
        """
        try:
            self._follow(progress, timeout)
        except KeyboardInterrupt:
            # Of this very type, or Python would not end as other programs do that are interrupted.
            raise KeyboardInterrupt(how_to_come_back(self.id)) from None
        failure = no_success(self.data)
        if failure is not None:
            raise failure
        return self.model()

    def _follow(self, progress: bool, timeout: float | None) -> None:
        watched = Watched(self.refresh().data)
        display = display_for(progress)
        try:
            for _ in followed(self._client.jobs, watched, timeout):
                display.show(watched)
        finally:
            display.close(watched)
            self.data = watched.job

    def model(self) -> Model:
        """The model of a job that has succeeded.

        Raises:
            ValueError: it has none yet.
        """
        return Model(self._client, self._client.models.get(_model_id(self.data)))

    def _repr_html_(self) -> str:
        watched = Watched(self.data)
        with suppress(BackpropError):  # what is known already is better than nothing
            watched.take_job(self.refresh().data)
            take_costs(watched, self._client.jobs.costs(self.id, points=MOST_POINTS).data)
        return job_card(watched)


class AsyncJob(KnownJob):
    """A training job whose methods are awaited. `Job` describes them."""

    def __init__(self, client: AsyncWorking, data: JobOut) -> None:
        self._client = client
        self.data = data

    async def refresh(self) -> AsyncJob:
        """Ask the service how it stands now; gives the job itself."""
        self.data = await self._client.jobs.get(self.id)
        return self

    async def cancel(self) -> AsyncJob:
        """Ask it to end. What it has done is kept."""
        self.data = await self._client.jobs.cancel(self.id)
        return self

    async def resume(self, iterations: int | None = None) -> AsyncJob:
        """Let it go on that has ended, to so many iterations in all; None for as many as before."""
        self.data = await self._client.jobs.resume(self.id, iterations=iterations)
        return self

    async def history(self) -> list[EventOut]:
        """The steps of its life, the oldest first."""
        return [event async for event in self._client.jobs.history(self.id)]

    def events(self) -> AsyncEventStream:
        """Follow it live: iterate over how it stands, its costs, its steps and its end."""
        return self._client.jobs.events(self.id)

    async def costs(self, points: int | None = None) -> Costs:
        """J(W,b) of every iteration so far, or of so many that show the course of all."""
        page = await self._client.jobs.costs(self.id, points=points, limit=_MOST_COSTS)
        rows: Iterable[CostOut] = page.data if points is not None else [row async for row in page]
        return Costs(rows)

    async def plot(self, axes: Any = None) -> Any:  # noqa: ANN401
        """Draw its costs with matplotlib; gives the axes."""
        return plotted(await self.costs(_PLOTTED_POINTS), self.data.name or self.id, axes)

    async def wait(self, progress: bool = True, timeout: float | None = None) -> AsyncModel:
        """Follow it until it has ended; gives the model. Who stops waiting does not stop the training."""
        watched = Watched((await self.refresh()).data)
        display = display_for(progress)
        try:
            async for _ in followed_async(self._client.jobs, watched, timeout):
                display.show(watched)
        finally:
            display.close(watched)
            self.data = watched.job
        failure = no_success(self.data)
        if failure is not None:
            raise failure
        return await self.model()

    async def model(self) -> AsyncModel:
        """The model of a job that has succeeded."""
        return AsyncModel(self._client, await self._client.models.get(_model_id(self.data)))

    def _repr_html_(self) -> str:
        return job_card(Watched(self.data))


def _model_id(job: JobOut) -> str:
    if job.model_id is None:
        raise ValueError(f"{job.id} has no model: it is {job.status}.")
    return job.model_id
