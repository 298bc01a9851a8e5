"""`Idempotency-Key`: a creating request that is sent again under its key is answered as the first time.

A creating route goes through `OnceDep`::

    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            … create …
            answer = turn.keep(session, Answer(201, …, {"Location": …}))
    return answered(answer)
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from sqlalchemy.orm import Session

from app.access.admission import Access
from app.access.state import STATE
from app.dependencies import DatabaseDep, SettingsDep
from domain.access import idempotency
from domain.access.idempotency import LEASE_SECONDS, Answer, Ownership
from domain.access.projects import Project
from infra.database import Database
from infra.errors import Unavailable

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Any text of the client's own, new for each request, such as a UUID. Sent again with the same "
        "request, it gets the first answer and creates nothing.",
    ),
]


@dataclass(frozen=True)
class Turn:
    """One go at a creating request.

    Attributes:
        first_answer: what the same request has been answered with before; None if it is new.
        ownership: the right to answer it; None for a request without key.
    """

    first_answer: Answer | None = None
    ownership: Ownership | None = None

    def keep(self, session: Session, answer: Answer) -> Answer:
        """Keep the answer for repetitions, in the transaction that creates the thing.

        Raises:
            Conflict: another process has taken the request over: create nothing.
        """
        if self.ownership is not None:
            idempotency.complete(session, self.ownership, answer)
        return answer


@dataclass(frozen=True)
class Once:
    """Sees to it that a creating request creates once.

    Attributes:
        database: where answers are kept.
        project: whose request it is.
        key: the header; None if there is none.
        route: method and path: what is asked for besides the content.
        keep_hours: how long answers are kept.
    """

    database: Database
    project: Project
    key: str | None
    route: str
    keep_hours: float

    @contextmanager
    def turn(self, content: str) -> Iterator[Turn]:
        """A go at a request with that content. If it ends without an answer, the key is free again.

        Raises:
            InvalidRequest: its key has come with another request.
            Conflict: the same request is being worked on.
        """
        if self.key is None:
            yield Turn()
            return
        fingerprint = hashlib.sha256(f"{self.route}\n{content}".encode()).hexdigest()
        with self.database.writing() as session:
            begun = idempotency.begin(session, self.project, self.key, fingerprint, self.keep_hours)
        if isinstance(begun, Answer):
            yield Turn(first_answer=begun)
            return
        try:
            with self._kept_alive(begun):
                yield Turn(ownership=begun)
        except BaseException:
            with suppress(Unavailable), self.database.writing() as session:  # else its lease ends by itself
                idempotency.give_up(session, begun)
            raise

    @contextmanager
    def _kept_alive(self, ownership: Ownership) -> Iterator[None]:
        """Renew the lease while the block runs, however long that takes."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(LEASE_SECONDS / 3):
                with suppress(Unavailable), self.database.writing() as session:
                    idempotency.renew(session, ownership)

        thread = threading.Thread(target=renew, name="idempotency lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def answered(answer: Answer) -> Response:
    """The response with that answer."""
    return Response(answer.body, answer.status, answer.headers, "application/json")


async def _once(
    request: Request, database: DatabaseDep, settings: SettingsDep, idempotency_key: IdempotencyKey = None
) -> Once:
    access: Access = getattr(request.state, STATE)
    route = f"{request.method} {request.url.path}"
    return Once(database, access.project, idempotency_key, route, settings.idempotency_hours)


OnceDep = Annotated[Once, Depends(_once)]
