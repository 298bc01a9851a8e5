"""What one stream sends: of named jobs, or of all of a project."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from app.streams import event_ids
from app.streams.feeds import JobFeed, ProjectFeed
from app.streams.messages import KEEP_ALIVE, Message, end_body, opening
from domain.access.projects import Project
from domain.jobs.following import Place
from infra.errors import Unavailable

KEEP_ALIVE_SECONDS = 15.0
"""Seconds. So long a stream is silent at most. Proxies close connections that are silent for a minute or so."""

AWAY_SECONDS = 1.0
"""Seconds. When the database is away, a stream tries again after so long."""

FEWEST_POINTS = 4
"""Rows. A curve is not thinned to fewer: the first, the least, the greatest and the last."""

MOST_POINTS = 10_000
"""Rows. A curve is not thinned to more."""


@dataclass(frozen=True)
class Thinning:
    """How costs are thinned.

    Attributes:
        points: to how many rows those that are there when a stream begins; None: all come.
        max_rate: how many rows of a job come in a second at most; None: all that there are.
    """

    points: int | None = None
    max_rate: int | None = None


class JobListener:
    """One job of one stream.

    Attributes:
        feed: the job's.
        place: where the stream is with it.
        is_behind: whether `messages` has more to give at once.
        seconds: after how many more may be sent, if `max_rate` forbids it until then; else None.
        is_over: whether the job has been deleted, and the stream has been told.
    """

    def __init__(self, feed: JobFeed, place: Place, thinning: Thinning) -> None:
        self.feed = feed
        self.place = place
        self.is_behind = False
        self.seconds: float | None = None
        self.is_over = False
        self._points = thinning.points
        self._rate = thinning.max_rate
        self._most_allowed = max(FEWEST_POINTS, self._rate or 0)
        self._allowed = float(self._most_allowed)
        self._allowed_at = time.monotonic()
        self._body: bytes | None = None

    @property
    def is_done(self) -> bool:
        """Whether the job has ended and the stream knows all of it, or it has been deleted."""
        situation = self.feed.view.situation
        if situation is None:
            return self.is_over
        is_the_last_end = situation.newest.sequence <= self.place.sequence
        return situation.has_ended and self.place.knows_end and is_the_last_end

    async def messages(self) -> list[Message]:
        """What is to be sent next; empty if there is nothing right now.

        Raises:
            Unavailable: the database cannot be reached.
        """
        self.is_behind, self.seconds = False, None
        situation = self.feed.view.situation
        if situation is None:
            return self._end_of_a_deleted_job()
        found: list[Message] = []
        if self._body is None:
            found += self._job_if_it_changed()
        has_news = situation.has_news_for(self.place)
        if has_news:
            found += await self._news(situation.newest.iteration - self.place.iteration)
            has_news = self.is_behind or self.seconds is not None
        found += self._job_if_it_changed()
        if situation.has_ended and not has_news and not self.place.knows_end:
            self.place = replace(self.place, knows_end=True)
            found.append(Message(end_body(self.feed.job_id, situation), self.place))
        return found

    def _job_if_it_changed(self) -> list[Message]:
        view = self.feed.view
        if self._body is view.body or view.situation is None:
            return []
        self._body = view.body
        return [Message(view.body, self.place)]

    async def _news(self, waiting: int) -> tuple[Message, ...]:
        """Some of what there is, as far as `max_rate` allows.

        Args:
            waiting: costs that there are, if none has been thinned away.
        """
        points = self._points
        if self._rate is not None and waiting > self._allowance():
            if self._allowed < FEWEST_POINTS:
                self.seconds = (FEWEST_POINTS - self._allowed) / self._rate
                return ()
            points = min(_power_of_two_below(self._allowed), MOST_POINTS, points or MOST_POINTS)
        page = await self.feed.page(self.place, points)
        self._points = None
        if page.messages:
            self.place = page.messages[-1].place
            self._allowed -= sum(message.rows for message in page.messages)
            newest = self.feed.view.situation
            self.is_behind = page.has_more or (newest is not None and newest.has_news_for(self.place))
        return page.messages

    def _allowance(self) -> float:
        """Rows that may be sent now."""
        now = time.monotonic()
        gained = (now - self._allowed_at) * (self._rate or 0)
        self._allowed = min(self._most_allowed, self._allowed + gained)
        self._allowed_at = now
        return self._allowed

    def _end_of_a_deleted_job(self) -> list[Message]:
        if self.is_over:
            return []
        self.is_over = True
        self.place = replace(self.place, knows_end=True)
        return [Message(end_body(self.feed.job_id, None), self.place)]


class Feeds(Protocol):
    """Where a stream gets feeds. Whatever it has joined, it leaves at its end."""

    async def join(self, job_id: str, stream: Stream) -> JobFeed:
        """The job's feed, which wakes the stream from now on."""

    def leave(self, job_id: str, stream: Stream) -> None:
        """Wake it no more."""

    def join_project(self, project: Project, stream: Stream) -> ProjectFeed:
        """The project's feed, which wakes the stream from now on."""

    def leave_project(self, project: Project, stream: Stream) -> None:
        """Wake it no more."""


class Stream:
    """What one client is sent, piece by piece. While there is nothing, it waits and holds no thread.

    A client that is slow keeps only the piece that it has not taken: what follows is read when it is ready for more.
    """

    def __init__(self, feeds: Feeds, thinning: Thinning) -> None:
        self._feeds = feeds
        self._thinning = thinning
        self._listeners: dict[str, JobListener] = {}
        self._woken: set[str] = set()
        self._wakes = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Whether nothing will follow."""
        raise NotImplementedError

    @property
    def event_id(self) -> str:
        """Where the stream is."""
        raise NotImplementedError

    def wake(self, subject: str) -> None:
        """Have it look at that job, or project."""
        self._woken.add(subject)
        self._wakes.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """All that the client is sent, until the stream is done."""
        yield opening(self.event_id)
        while not self.is_done:
            try:
                for subject in self._take_woken():
                    if piece := await self._piece(subject):
                        yield piece
            except Unavailable:
                await asyncio.sleep(AWAY_SECONDS)
                self._wake_all()
            if not self._woken and not self.is_done:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await self._wakes.wait()
                except TimeoutError:
                    yield KEEP_ALIVE

    def close(self) -> None:
        """Follow nothing any more."""
        for job_id in tuple(self._listeners):
            self._forget(job_id)

    async def _follow(self, job_id: str, place: Place) -> JobListener:
        """Follow a job from that place on. Raises Unavailable: the database cannot be reached."""
        feed = await self._feeds.join(job_id, self)
        listener = self._listeners[job_id] = JobListener(feed, place, self._thinning)
        self.wake(job_id)
        return listener

    def _forget(self, job_id: str) -> None:
        del self._listeners[job_id]
        self._feeds.leave(job_id, self)

    async def _piece(self, subject: str) -> bytes:
        """What is to be sent of a job."""
        listener = self._listeners.get(subject)
        if listener is None:
            return b""
        messages = await listener.messages()
        if listener.is_behind:
            self.wake(subject)
        elif listener.seconds is not None:
            asyncio.get_running_loop().call_later(listener.seconds, self.wake, subject)
        # Each has the id of the place behind it: a client may lose the rest.
        places = self._places()
        return b"".join(message.with_id(self._event_id(places | {subject: message.place})) for message in messages)

    def _places(self) -> dict[str, Place]:
        return {job_id: listener.place for job_id, listener in self._listeners.items()}

    def _event_id(self, places: Mapping[str, Place]) -> str:
        raise NotImplementedError

    def _take_woken(self) -> list[str]:
        woken = list(self._woken)
        self._woken.clear()
        self._wakes.clear()
        return woken

    def _wake_all(self) -> None:
        for job_id in self._listeners:
            self.wake(job_id)


class NamedStream(Stream):
    """The stream of some jobs. It is done when all of them have ended."""

    @property
    def is_done(self) -> bool:
        """Whether all jobs have ended, and the client has been told."""
        return all(listener.is_done for listener in self._listeners.values())

    @property
    def event_id(self) -> str:
        """Where the stream is."""
        return self._event_id(self._places())

    async def begin(self, places: Mapping[str, Place]) -> None:
        """Follow these jobs from these places on. Raises Unavailable: the database cannot be reached."""
        for job_id, place in places.items():
            await self._follow(job_id, place)

    def listener(self, job_id: str) -> JobListener:
        """What follows that job."""
        return self._listeners[job_id]

    def _event_id(self, places: Mapping[str, Place]) -> str:
        return event_ids.of_named(places)


class ProjectStream(Stream):
    """The stream of all jobs of a project. It is never done.

    It follows the jobs that workers have begun, and those that take steps. A job is followed no more when it waits for
    its first worker or has ended, and nothing has been told of it that is past the stream's number: where the stream is
    with it then follows from its next event.
    """

    def __init__(
        self, feeds: Feeds, thinning: Thinning, project: Project, number: int, covered: Mapping[str, int]
    ) -> None:
        """Follow nothing yet.

        Args:
            feeds: where to get feeds.
            thinning: of costs.
            project: whose jobs.
            number: of the last event that the client knows of, whatever job it is of.
            covered: of the jobs that it begins with, the sequence number of the last event that is not past `number`.
        """
        super().__init__(feeds, thinning)
        self._project = project
        self._number = number
        self._next_number = number
        self._covered = dict(covered)  # and, once it is told, of those past `number` but not past `_next_number`
        self._feed: ProjectFeed | None = None

    @property
    def is_done(self) -> bool:
        """Never."""
        return False

    @property
    def event_id(self) -> str:
        """Where the stream is."""
        return self._event_id(self._places())

    async def begin(self, places: Mapping[str, Place]) -> None:
        """Follow the project, and these jobs from these places on. Raises Unavailable: the database is away."""
        self._feed = self._feeds.join_project(self._project, self)
        for job_id, place in places.items():
            await self._follow(job_id, place)
        self.wake(self._project)

    def close(self) -> None:
        """Follow nothing any more."""
        super().close()
        self._feeds.leave_project(self._project, self)

    def _event_id(self, places: Mapping[str, Place]) -> str:
        return event_ids.of_project(self._number, places)

    async def _piece(self, subject: str) -> bytes:
        if subject == self._project:
            await self._look_at_the_project()
            return b""
        piece = await super()._piece(subject)
        self._move_on()
        return piece

    async def _look_at_the_project(self) -> None:
        if self._next_number != self._number:  # it is looked at again when the client knows of these
            return
        assert self._feed is not None  # noqa: S101  # it has begun
        news = await self._feed.news(self._number)
        self._next_number = news.number
        if not news.events:  # what comes from now on was not there when the stream began
            self._thinning = replace(self._thinning, points=None)
        for event in news.events:
            if event.job_id not in self._listeners:
                before = Place(-1 if event.iteration is None else event.iteration, event.sequence - 1)
                await self._follow(event.job_id, before)
            self._covered[event.job_id] = event.sequence
        self._move_on()

    def _move_on(self) -> None:
        """Let the number be that of the last step told, if all before it have been; and forget what needs no place."""
        if any(
            listener.place.sequence < self._covered.get(job_id, 0) and not listener.is_over
            for job_id, listener in self._listeners.items()
        ):
            return
        if self._number != self._next_number:
            self._number = self._next_number
            self.wake(self._project)  # there may be more
        for job_id, listener in tuple(self._listeners.items()):
            if listener.is_over or (
                listener.place.sequence == self._covered.get(job_id) and _has_nothing_under_way(listener)
            ):
                self._forget(job_id)
                self._covered.pop(job_id, None)

    def _wake_all(self) -> None:
        super()._wake_all()
        self.wake(self._project)


def _has_nothing_under_way(listener: JobListener) -> bool:
    """Whether the job waits for its first worker, or has ended and the client knows it."""
    situation = listener.feed.view.situation
    if situation is None or situation.newest.sequence != listener.place.sequence:
        return False  # the look at the job may be older than the stream's place
    return listener.is_done or (situation.job.attempt == 0 and not situation.has_ended)


def _power_of_two_below(number: float) -> int:
    """The largest one that is not above a number of at least 1: many streams then want the same."""
    return 1 << (int(number).bit_length() - 1)
