"""What a request may do, found out by its key.

A process knows a key that it has looked up for `KNOWN_SECONDS`, and so asks the database about it once in that time,
however many requests come. The same goes for whether any key has ever been made.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio

from domain.access import keys
from domain.access.keys import SCOPES
from domain.access.projects import DEFAULT_PROJECT, Project
from infra.database import Database
from infra.errors import ServiceError, Unauthenticated

KNOWN_SECONDS = 1.0
"""Seconds. A key that is revoked is let in so long at most. So is a request without a key when the first has been
made."""

QUESTIONS_AT_A_TIME = 4
"""Questions to the database. They have threads of their own, so that they do not wait for requests that take long."""

MOST_KNOWN = 10_000
"""Keys. When so many are known, all are forgotten. Each takes less than a kilobyte."""


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Access:
    """What a request may do.

    Attributes:
        project: whose datasets, networks, jobs and models it sees.
        scopes: what it may do with them.
        key_id: of its key; None if it has none.
    """

    project: Project
    scopes: frozenset[str]
    key_id: str | None


WITHOUT_KEY = Access(DEFAULT_PROJECT, frozenset(SCOPES), None)
"""What requests without a key may do, where these are let in."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A key that was a good one when the database was asked.

    Attributes:
        access: what it allows.
        again_from: from when on the database is asked again ahead of time, by the monotonic clock.
        until: when it must be asked again, likewise.
    """

    access: Access
    again_from: float
    until: float


class Admission:
    """The keys that this process knows. For one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = anyio.CapacityLimiter(QUESTIONS_AT_A_TIME)
        self._questions: dict[bytes, asyncio.Task[Any]] = {}
        self._unheard: set[asyncio.Task[None]] = set()
        self._known: dict[bytes, _Known] = {}
        self._no_key_until = 0.0
        self._no_key_again_from = 0.0
        self._a_key_was_made = False

    async def of_key(self, text: str) -> Access:
        """What the key allows that a client has sent.

        Raises:
            Unauthenticated: see `domain.access.keys.authenticate`.
            Unavailable: the database cannot be asked.
        """
        digest = hashlib.sha256(text.encode()).digest()  # no key is kept in memory
        known = self._known.get(digest)
        if known is None or time.monotonic() >= known.until:
            known = await self._asked(digest, text)
        return known.access

    def known_already(self, text: str) -> Access | None:
        """The same if the database need not be asked; None if it must be, or the key is no good one.

        A key that is used all the time is always known: the database is asked again before it must be.
        """
        digest = hashlib.sha256(text.encode()).digest()
        known = self._known.get(digest)
        now = time.monotonic()
        if known is None or now >= known.until:
            return None
        if now >= known.again_from and digest not in self._questions:
            self._in_the_background(self._asked(digest, text))
        return known.access

    def lets_in_without_key(self) -> bool:
        """Whether `no_key_was_ever_made`, as far as is known without asking the database."""
        now = time.monotonic()
        if self._a_key_was_made or now >= self._no_key_until:
            return False
        if now >= self._no_key_again_from and b"" not in self._questions:
            self._in_the_background(self._asked_for_any())
        return True

    async def no_key_was_ever_made(self) -> bool:
        """Whether requests may come without one, where these are let in at all.

        Raises:
            Unavailable: the database cannot be asked.
        """
        if not self._a_key_was_made and time.monotonic() >= self._no_key_until:
            await self._asked_for_any()
        return not self._a_key_was_made

    async def _asked(self, digest: bytes, text: str) -> _Known:
        try:
            known = await self._asked_once(digest, lambda: self._looked_up(text))
        except Unauthenticated:
            self._known.pop(digest, None)
            raise
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[digest] = known
        return known

    async def _asked_for_any(self) -> None:
        asked_at = time.monotonic()
        self._a_key_was_made = await self._asked_once(b"", self._any_ever)
        self._no_key_again_from = asked_at + KNOWN_SECONDS / 2
        self._no_key_until = asked_at + KNOWN_SECONDS

    async def close(self) -> None:
        """Wait for what the database has been asked in the background."""
        await asyncio.gather(*self._unheard)

    def _in_the_background(self, question: Coroutine[Any, Any, object]) -> None:
        """Have a question asked whose answer nobody waits for."""

        async def asked() -> None:
            with suppress(ServiceError):  # the next request that must ask meets it again
                await question

        task = asyncio.create_task(asked())
        self._unheard.add(task)  # one that nothing holds may be collected before its end
        task.add_done_callback(self._unheard.discard)

    async def _asked_once(self, subject: bytes, question: Callable[[], Result]) -> Result:
        """What the database answers, to all requests that want to know the same meanwhile."""
        asking = self._questions.get(subject)
        if asking is None:
            asking = asyncio.create_task(anyio.to_thread.run_sync(question, limiter=self._threads))
            asking.add_done_callback(lambda asked: self._forget(subject, asked))
            self._questions[subject] = asking
        answer: Result = await asyncio.shield(asking)  # the others still want it if this client leaves
        return answer

    def _forget(self, subject: bytes, asked: asyncio.Task[Any]) -> None:
        del self._questions[subject]
        if not asked.cancelled():
            asked.exception()  # nobody may be left to hear of it

    def _looked_up(self, text: str) -> _Known:
        asked_at = time.monotonic()
        with self._database.reading() as session:
            key = keys.authenticate(session, text)
        seconds = KNOWN_SECONDS
        if key.expires_at is not None:
            seconds = min(seconds, (key.expires_at - datetime.now(UTC)).total_seconds())
        access = Access(Project(key.project), frozenset(key.scopes), key.id)
        return _Known(access, asked_at + KNOWN_SECONDS / 2, asked_at + seconds)

    def _any_ever(self) -> bool:
        with self._database.reading() as session:
            return keys.any_ever(session)
