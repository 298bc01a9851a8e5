"""A checkpoint is read whole or not at all, whatever of it and of others has been written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from domain.jobs import checkpoints
from domain.jobs.checkpoints import Part, cut
from infra.database import Database
from infra.tables import CheckpointPart
from tests.support.jobs import queued_job


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "PART_BYTES", 10)


@given(state=st.binary(max_size=45))
def test_the_parts_of_a_state_are_the_state(state: bytes) -> None:
    parts = list(cut(7, state))
    assert b"".join(part.content for part in parts) == state
    assert [part.number for part in parts] == list(range(len(parts)))
    assert len({part.generation for part in parts}) == 1
    assert [part.completes for part in parts] == [None] * (len(parts) - 1) + [7]
    assert all(len(part.content) == checkpoints.PART_BYTES for part in parts[:-1])


def write(database: Database, job_id: str, part: Part) -> bool:
    with database.writing() as session:
        return checkpoints.write(session, job_id, part)


def saved(database: Database, job_id: str) -> tuple[int | None, bytes | None]:
    with database.reading() as session:
        return checkpoints.iteration_of(session, job_id), checkpoints.read(session, job_id)


def stored_parts(database: Database, job_id: str) -> int:
    with database.reading() as session:
        query = select(func.count()).select_from(CheckpointPart).where(CheckpointPart.job_id == job_id)
        return session.scalar(query) or 0


def test_a_checkpoint_is_the_old_one_until_the_new_one_is_whole(database: Database) -> None:
    job_id = queued_job(database)
    assert saved(database, job_id) == (None, None)
    first, second = bytes(range(35)), bytes(range(100, 128))
    for number, part in enumerate(cut(3, first)):
        assert saved(database, job_id) == (None, None)
        assert write(database, job_id, part) == (number == 3)
    for part in cut(9, second):
        assert saved(database, job_id) == (3, first)
        write(database, job_id, part)
    assert saved(database, job_id) == (9, second)


def test_a_part_that_is_written_again_changes_nothing(database: Database) -> None:
    job_id = queued_job(database)
    state = bytes(range(25))
    for part in cut(3, state):
        write(database, job_id, part)
        write(database, job_id, part)
    assert saved(database, job_id) == (3, state)
    assert stored_parts(database, job_id) == 3


def test_only_a_checkpoint_that_is_further_on_is_progress(database: Database) -> None:
    job_id = queued_job(database)
    assert [write(database, job_id, next(cut(k, b"state"))) for k in (0, 0, 5, 5, 4, 6)] == [
        True, False, True, False, False, True,
    ]  # fmt: skip


def test_what_was_replaced_or_never_completed_is_removed_bit_by_bit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "STALE_PARTS_AT_ONCE", 2)
    job_id, other = queued_job(database), queued_job(database)
    never_completed = list(cut(2, bytes(35)))[:-1]
    for part in (*cut(1, bytes(25)), *never_completed, *cut(3, bytes(range(28)))):
        write(database, job_id, part)
    for part in cut(1, bytes(25)):
        write(database, other, part)
    for left in (3 + 3 + 3, 7, 5, 3, 3):
        assert stored_parts(database, job_id) == left
        with database.writing() as session:
            checkpoints.remove_stale(session, job_id)
    assert saved(database, job_id) == (3, bytes(range(28)))
    assert saved(database, other) == (1, bytes(25))


def test_a_small_state_replaces_a_small_one_at_once(database: Database) -> None:
    job_id = queued_job(database)
    for iteration in range(3):
        write(database, job_id, next(cut(iteration, b"state")))
        assert stored_parts(database, job_id) == 1
