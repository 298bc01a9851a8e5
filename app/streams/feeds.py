"""What one process reads of jobs for all of its streams: each thing once, however many of them want it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog

from app.edge.heavy_work import HeavyWork
from app.streams.messages import BATCH_ROWS, Message, job_body, messages_of
from domain.access.projects import Project
from domain.jobs import following
from domain.jobs.following import Place, ProjectNews, Situation
from infra.errors import Unavailable
from infra.tables import Job

PAGES_KEPT = 4
"""Pages of a job. Streams that are a little behind the first get them from here. Each has some 80 kilobytes."""

_PROGRESS = frozenset({"iteration", "cost", "rate", "updated_at", "lease_expires_at", "token", "crashes"})
"""The columns of a job's row that change with its progress, or that nobody sees."""

_FACTS = tuple(column.key for column in Job.__mapper__.column_attrs if column.key not in _PROGRESS)
"""All others."""

_log = structlog.get_logger(__name__)

Read = TypeVar("Read")


class Woken(Protocol):
    """What follows jobs."""

    def wake(self, subject: str) -> None:
        """Have it look at that job, or project."""


@dataclass(frozen=True)
class View:
    """How a job stands, as streams tell of it.

    Attributes:
        situation: the job's; None: it has been deleted.
        facts: what does not change with its progress, column by column.
        body: the event with the job as it was when the facts changed last.
    """

    situation: Situation | None
    facts: dict[str, Any]
    body: bytes


@dataclass(frozen=True)
class Page:
    """Some news of a job, encoded.

    Attributes:
        messages: in order.
        has_more: whether there was more when they were read.
    """

    messages: tuple[Message, ...]
    has_more: bool


class _ReadOnce(Generic[Read]):
    """Reads under way, which those who want the same wait for together."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[Read]] = {}

    async def read(self, key: Hashable, reading: Callable[[], Coroutine[Any, Any, Read]]) -> Read:
        """What the read under that key gives."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(reading())
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)  # the others still want it if this stream ends

    def _forget(self, key: Hashable, done: asyncio.Task[Read]) -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # nobody may be left to hear of it


class JobFeed:
    """What there is to tell of one job.

    Attributes:
        job_id: the job.
        streams: those that follow it.
    """

    def __init__(self, job_id: str, reads: HeavyWork) -> None:
        self.job_id = job_id
        self.streams: set[Woken] = set()
        self._reads = reads
        self._view: View | None = None
        self._looks = 0
        self._rung = False
        self._looking: asyncio.Task[None] | None = None
        self._pages: OrderedDict[Hashable, Page] = OrderedDict()
        self._page_reads: _ReadOnce[Page] = _ReadOnce()
        self._first_look: _ReadOnce[View] = _ReadOnce()

    @property
    def view(self) -> View:
        """How the job stood at the last look; there has been one."""
        assert self._view is not None  # noqa: S101  # streams wait for `ready` first
        return self._view

    async def ready(self) -> None:
        """Have looked at the job.

        Raises:
            Unavailable: the database cannot be reached.
        """
        if self._view is None:
            self._begin_with(await self._first_look.read("", lambda: self._reads.run(self._read_view)))

    def ring(self) -> None:
        """Look at the job, and wake the streams if anything is new."""
        self._rung = True
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_while_it_rings())

    async def page(self, place: Place, points: int | None) -> Page:
        """What follows that place; with `points`, all costs thinned to at most so many.

        Raises:
            Unavailable: the database cannot be reached.
        """
        key = _key(place, points)
        page = self._pages.get(key)
        if page is None:
            # A read that began before the last look may miss what that has seen.
            page = await self._page_reads.read(
                (key, self._looks), lambda: self._reads.run(self._read_page, place, points)
            )
            self._keep(place, points, page)
        return page

    def _keep(self, place: Place, points: int | None, page: Page) -> None:
        """Keep a page that is not empty. It stays right for ever: costs and events never change."""
        if page.messages:
            self._pages[_key(place, points)] = page
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)

    def _begin_with(self, view: View) -> None:
        if self._view is None:  # else it has rung meanwhile, and this is older
            self._view = view

    async def _look_while_it_rings(self) -> None:
        try:
            while self._rung:
                self._rung = False
                view, page = await self._reads.run(self._read_view_and_page, self._view)
                self._looks += 1
                if self._view is not None and self._view.situation is not None and page is not None:
                    self._keep(self._view.situation.newest, None, page)
                if self._view is None or _is_new(self._view, view):
                    self._view = view
                    for stream in tuple(self.streams):
                        stream.wake(self.job_id)
        except Unavailable as error:
            _log.warning("cannot look at a job that is followed", job=self.job_id, reason=error.message)
        except Exception:  # the next ring looks again
            _log.exception("cannot look at a job that is followed", job=self.job_id)
        finally:
            self._looking = None

    def _read_view(self) -> View:
        with self._reads.database.reading() as session:
            situation = following.situation(session, self.job_id)
        if situation is None:
            return View(None, {}, b"")
        facts = _facts(situation.job)
        if self._view is not None and self._view.facts == facts:
            return View(situation, facts, self._view.body)
        return View(situation, facts, job_body(situation.job))

    def _read_view_and_page(self, before: View | None) -> tuple[View, Page | None]:
        """How the job stands; and what all will want next that knew everything before."""
        view = self._read_view()
        if view.situation is None or before is None or before.situation is None:
            return view, None
        place = before.situation.newest
        return view, self._read_page(place, None) if view.situation.has_news_for(place) else None

    def _read_page(self, place: Place, points: int | None) -> Page:
        with self._reads.database.reading() as session:
            news = following.news(session, self.job_id, place, BATCH_ROWS, points)
        return Page(tuple(messages_of(self.job_id, place, news)), news.has_more)


class ProjectFeed:
    """Which jobs of one project take steps.

    Attributes:
        streams: those that follow all of the project's jobs.
    """

    def __init__(self, project: Project, reads: HeavyWork) -> None:
        self.streams: set[Woken] = set()
        self._project = project
        self._reads = reads
        self._rings = 0
        self._news_reads: _ReadOnce[ProjectNews] = _ReadOnce()

    def ring(self) -> None:
        """Wake the streams."""
        self._rings += 1
        for stream in tuple(self.streams):
            stream.wake(self._project)

    async def news(self, number: int) -> ProjectNews:
        """The steps past the event of that number.

        Raises:
            Unavailable: the database cannot be reached.
        """
        return await self._news_reads.read((number, self._rings), lambda: self._reads.run(self._read, number))

    def _read(self, number: int) -> ProjectNews:
        with self._reads.database.reading() as session:
            return following.project_news(session, self._project, number)


def _key(place: Place, points: int | None) -> Hashable:
    return place.iteration, place.sequence, points


def _facts(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in _FACTS}


def _is_new(before: View, now: View) -> bool:
    if before.situation is None or now.situation is None:
        return before.situation is not now.situation
    return before.situation.newest != now.situation.newest or before.facts != now.facts
