"""All streams of one process: what they follow, how they hear of changes, and when they end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
import structlog

from app.access.admission import Access
from app.edge.heavy_work import READS_AT_A_TIME, HeavyWork
from app.streams.feeds import JobFeed, ProjectFeed
from app.streams.listening import Stream
from app.streams.response import EventStream
from domain.access.projects import Project
from infra.bell import Change, channel
from infra.errors import Forbidden, TooMany, Unauthenticated, Unavailable
from infra.settings import Settings

LOOK_SECONDS = 5.0
"""Seconds. So often all that is followed is looked at, in case the bell has not rung for something."""

LOOK_SECONDS_WITHOUT_BELL = 1.0
"""Seconds. And so often while Redis is away."""

BELL_SECONDS = 1.0
"""Seconds. When Redis is away, it is tried again after so long."""

CHECK_SECONDS = 0.5
"""Seconds. So often the keys of open streams are looked at. They are known for a second besides (`admission`), and a
stream is to end within two of the revocation."""

RETRY_SECONDS = 5
"""Seconds. A client with too many streams is told to try again after so long."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Permission:
    """What a stream goes on by.

    Attributes:
        access: what its request was allowed.
        identify: finds out what it is allowed now; raises what the gate would refuse it with.
    """

    access: Access
    identify: Callable[[], Awaitable[Access]]

    async def is_lost(self) -> bool:
        """Whether the same request would be refused now."""
        try:
            access = await self.identify()
        except (Unauthenticated, Forbidden):
            return True
        except Unavailable:  # nobody can tell; it is asked again soon
            return False
        return access.project != self.access.project or not access.scopes & {"read", "admin"}


class Hub:
    """The streams of this process. For one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet: that begins with the first stream."""
        self.reads = HeavyWork(settings.resolved_database_url, READS_AT_A_TIME)
        self._redis_url = settings.redis_url
        self._channel = channel(settings)
        self._most_streams = settings.max_event_streams
        self._counts: Counter[str | None] = Counter()
        self._jobs: dict[str, JobFeed] = {}
        self._projects: dict[Project, ProjectFeed] = {}
        self._open: dict[EventStream, Permission] = {}
        self._hears_the_bell = False
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, job_id: str, stream: Stream) -> JobFeed:
        """The job's feed, which wakes the stream from now on.

        Raises:
            Unavailable: the database cannot be reached.
        """
        self._begin()
        feed = self._jobs.get(job_id)
        if feed is None:
            feed = self._jobs[job_id] = JobFeed(job_id, self.reads)
        feed.streams.add(stream)
        try:
            await feed.ready()
        except BaseException:
            self.leave(job_id, stream)
            raise
        return feed

    def leave(self, job_id: str, stream: Stream) -> None:
        """Wake it no more."""
        feed = self._jobs.get(job_id)
        if feed is not None:
            feed.streams.discard(stream)
            if not feed.streams:
                del self._jobs[job_id]

    def join_project(self, project: Project, stream: Stream) -> ProjectFeed:
        """The project's feed, which wakes the stream from now on."""
        self._begin()
        feed = self._projects.get(project)
        if feed is None:
            feed = self._projects[project] = ProjectFeed(project, self.reads)
        feed.streams.add(stream)
        return feed

    def leave_project(self, project: Project, stream: Stream) -> None:
        """Wake it no more."""
        feed = self._projects.get(project)
        if feed is not None:
            feed.streams.discard(stream)
            if not feed.streams:
                del self._projects[project]

    def take_a_place(self, key_id: str | None) -> None:
        """Count another stream of a key, until `give_back_a_place`.

        Raises:
            TooMany: it has as many as it may (code ``too_many_event_streams``).
        """
        if self._counts[key_id] >= self._most_streams:
            raise TooMany(
                "too_many_event_streams",
                f"This key has {self._most_streams:,} streams of events open, and no more are at a time "
                "(BACKPROP_MAX_EVENT_STREAMS). One stream can follow several jobs: /v1/events?job=…&job=….",
                retry_after=RETRY_SECONDS,
            )
        self._counts[key_id] += 1

    def give_back_a_place(self, key_id: str | None) -> None:
        """Let the key have another stream."""
        self._counts[key_id] -= 1
        if not self._counts[key_id]:
            del self._counts[key_id]

    def answer(self, stream: Stream, permission: Permission) -> EventStream:
        """The answer that sends the stream, for as long as the permission lasts. It gives the key's place back."""

        def on_end() -> None:
            stream.close()
            self._open.pop(answer, None)
            self.give_back_a_place(permission.access.key_id)

        answer = EventStream(stream.pieces(), on_end)
        self._open[answer] = permission
        return answer

    def end_all(self) -> None:
        """End all streams: this process is about to end. Clients go on with another one."""
        for answer in tuple(self._open):
            answer.end()

    async def close(self) -> None:
        """Let go of everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.reads.database.close()

    def _begin(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._for_ever(each))
                for each in (self._listen_to_the_bell, self._look_now_and_then, self._check_permissions)
            ]

    async def _for_ever(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except Exception:  # streams depend on it
                _log.exception("looking after the streams of events failed")
                await asyncio.sleep(BELL_SECONDS)

    async def _listen_to_the_bell(self) -> None:
        try:
            async with redis.asyncio.Redis.from_url(self._redis_url) as client, client.pubsub() as subscription:
                await subscription.subscribe(self._channel)
                async for message in subscription.listen():
                    if message["type"] == "subscribe":
                        self._hears_the_bell = True
                        self._ring_everywhere()  # for what it has not heard before
                    elif message["type"] == "message":
                        self._heard(Change.from_text(message["data"].decode()))
        except (redis.RedisError, OSError) as error:
            if self._hears_the_bell:
                _log.warning("Redis is away; streams of events look by themselves", reason=str(error))
        finally:
            self._hears_the_bell = False
        await asyncio.sleep(BELL_SECONDS)

    async def _look_now_and_then(self) -> None:
        await asyncio.sleep(LOOK_SECONDS if self._hears_the_bell else LOOK_SECONDS_WITHOUT_BELL)
        self._ring_everywhere()

    async def _check_permissions(self) -> None:
        await asyncio.sleep(CHECK_SECONDS)
        by_access: dict[Access, Permission] = {each.access: each for each in self._open.values()}
        lost = await asyncio.gather(*(each.is_lost() for each in by_access.values()))
        refused = {access for access, is_lost in zip(by_access, lost, strict=True) if is_lost}
        for answer, permission in tuple(self._open.items()):
            if permission.access in refused:
                answer.end()

    def _heard(self, change: Change) -> None:
        if (feed := self._jobs.get(change.job_id)) is not None:
            feed.ring()
        if change.project is not None and (project := self._projects.get(Project(change.project))) is not None:
            project.ring()

    def _ring_everywhere(self) -> None:
        for feed in self._jobs.values():
            feed.ring()
        for project in self._projects.values():
            project.ring()
