"""Idempotency records: of any number of owners one commits, a dead one does not block, and old records go."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from domain.access import idempotency
from domain.access.idempotency import Answer, Ownership
from domain.access.projects import Project
from infra.database import Database
from infra.errors import Conflict, InvalidRequest
from infra.tables import IdempotencyRecord

RED = Project("red")
ANSWER = Answer(201, b'{"id": "x"}', {"Location": "/v1/x"})


def begin(database: Database, key: str = "k", fingerprint: str = "f", project: Project = RED) -> Ownership | Answer:
    with database.writing() as session:
        return idempotency.begin(session, project, key, fingerprint, keep_hours=24)


def owned(begun: Ownership | Answer) -> Ownership:
    assert isinstance(begun, Ownership)
    return begun


def complete(database: Database, ownership: Ownership) -> None:
    with database.writing() as session:
        idempotency.complete(session, ownership, ANSWER)


def change(database: Database, **values: Any) -> None:  # noqa: ANN401
    with database.writing() as session:
        session.execute(update(IdempotencyRecord).values(values))


def records(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(IdempotencyRecord)) or 0


def past() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_the_same_request_gets_the_first_answer(database: Database) -> None:
    complete(database, owned(begin(database)))
    assert begin(database) == begin(database) == ANSWER


def test_another_request_under_the_key_is_refused(database: Database) -> None:
    ownership = owned(begin(database))
    with pytest.raises(InvalidRequest) as refused:
        begin(database, fingerprint="other")
    assert refused.value.code == "idempotency_key_reused"
    complete(database, ownership)
    with pytest.raises(InvalidRequest):
        begin(database, fingerprint="other")
    assert begin(database) == ANSWER


def test_projects_do_not_share_keys(database: Database) -> None:
    complete(database, owned(begin(database)))
    owned(begin(database, project=Project("blue"), fingerprint="other"))


def test_a_request_in_progress_is_told_as_such(database: Database) -> None:
    owned(begin(database))
    with pytest.raises(Conflict) as refused:
        begin(database)
    assert (refused.value.code, refused.value.retry_after) == ("request_in_progress", 1)


def test_a_key_that_was_given_up_is_free(database: Database) -> None:
    first = owned(begin(database))
    with database.writing() as session:
        idempotency.give_up(session, first)
    assert records(database) == 0
    owned(begin(database, fingerprint="other"))


def test_an_answer_cannot_be_given_up(database: Database) -> None:
    first = owned(begin(database))
    complete(database, first)
    with database.writing() as session:
        idempotency.give_up(session, first)
    assert begin(database) == ANSWER


def test_of_a_dead_owner_and_its_successor_only_the_successor_commits(database: Database) -> None:
    dead = owned(begin(database))
    change(database, lease_expires_at=past())
    successor = owned(begin(database))
    with pytest.raises(Conflict):
        complete(database, dead)
    with database.writing() as session:
        idempotency.give_up(session, dead)  # changes nothing either
    complete(database, successor)
    assert begin(database) == ANSWER


def test_an_owner_that_renews_is_not_taken_for_dead(database: Database) -> None:
    owner = owned(begin(database))
    change(database, lease_expires_at=past())
    with database.writing() as session:
        idempotency.renew(session, owner)
    with pytest.raises(Conflict):
        begin(database)


def test_an_answer_is_kept_for_its_time_only(database: Database) -> None:
    complete(database, owned(begin(database)))
    change(database, expires_at=past())
    owned(begin(database, fingerprint="other"))


def test_old_records_go_when_new_ones_come(database: Database) -> None:
    for number in range(3):
        complete(database, owned(begin(database, f"k{number}")))
    change(database, expires_at=past())
    begin(database, "new")
    assert records(database) == 1


def test_what_its_owner_still_works_on_is_not_cleared_away(database: Database) -> None:
    ownership = owned(begin(database))
    change(database, expires_at=past())
    begin(database, "another")
    complete(database, ownership)
    assert records(database) == 2


@pytest.mark.parametrize("before", ["nothing", "a dead owner", "an expired answer"])
def test_of_many_at_once_one_owns_the_key(database: Database, before: str) -> None:
    if before != "nothing":
        first = owned(begin(database))
        if before == "an expired answer":
            complete(database, first)
        change(database, lease_expires_at=past(), expires_at=past())
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def attempt() -> None:
        start.wait()
        try:
            outcomes.append(type(begin(database)).__name__)
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Ownership"] + ["request_in_progress"] * 7
