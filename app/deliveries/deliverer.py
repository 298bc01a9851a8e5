"""Delivers to webhooks, in a thread of every API process: whichever has time takes what is due.

It looks every now and then, and when a try has ended: the database has all, so whoever is alive goes on where a process
that died has left off.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import httpx2
import structlog

from app.deliveries.sending import deliver, new_client
from domain.webhooks import deliveries
from domain.webhooks.deliveries import Due
from infra.database import Database
from infra.errors import Unavailable

AT_A_TIME = 16
"""Deliveries that one process tries at the same time. A slow receiver holds up no more than its own."""

LOOK_SECONDS = 1.0
"""Seconds. No delivery that is due waits longer for somebody to look, unless all are busy."""

FORGET_SECONDS = 3_600.0
"""Seconds. So often old deliveries are deleted. Their age is counted in days."""

_log = structlog.get_logger(__name__)


class Deliverer:
    """Delivers until it is closed. What is under way then is tried again by somebody else, under the same id."""

    def __init__(self, database_url: str, private_too: bool) -> None:
        """Deliver nothing before `start`.

        Args:
            database_url: of the service.
            private_too: whether to deliver to private networks and to this machine.
        """
        self._database_url = database_url
        self._private_too = private_too
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._forget_from = 0.0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing further. This waits for nobody's answer."""
        self._ended.set()

    def _run(self) -> None:
        asyncio.run(self._deliver())

    async def _deliver(self) -> None:
        database = Database(self._database_url)
        trying: set[asyncio.Task[None]] = set()
        async with new_client() as client:
            while not self._ended.is_set():
                for due in await self._asked(lambda: self._taken(database, AT_A_TIME - len(trying))) or ():
                    task = asyncio.create_task(self._try(client, database, due))
                    trying.add(task)
                    task.add_done_callback(trying.discard)
                await _until_a_place_is_free(trying)
            for task in trying:
                task.cancel()
            await asyncio.gather(*trying, return_exceptions=True)
        database.close()

    async def _try(self, client: httpx2.AsyncClient, database: Database, due: Due) -> None:
        outcome = await deliver(client, due, self._private_too)
        if outcome.error is not None:
            _log.info("a webhook was not told", webhook=due.webhook.id, delivery=due.id, reason=outcome.error)

        def record() -> None:
            with database.writing() as session:
                deliveries.record(session, due, outcome)

        await self._asked(record)

    def _taken(self, database: Database, most: int) -> list[Due]:
        if most <= 0:
            return []
        with database.reading() as session:
            seconds = deliveries.seconds_until_due(session)
        if time.monotonic() >= self._forget_from:
            self._forget_from = time.monotonic() + FORGET_SECONDS
            with database.writing() as session:
                deliveries.forget_old(session)
        if seconds is None or seconds > 0:
            return []
        with database.writing() as session:
            return deliveries.take_due(session, most)

    async def _asked(self, question: Callable[[], list[Due] | None]) -> list[Due] | None:
        """What the database answers; None if it cannot be asked now."""
        try:
            return await asyncio.to_thread(question)
        except Unavailable:
            return None
        except Exception:  # what goes wrong once must not be the last that is delivered
            _log.exception("delivering to webhooks failed")
            return None


async def _until_a_place_is_free(trying: set[asyncio.Task[None]]) -> None:
    """Until one of the tries ends, or `LOOK_SECONDS` are over."""
    if trying:
        await asyncio.wait(trying, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    else:
        await asyncio.sleep(LOOK_SECONDS)
