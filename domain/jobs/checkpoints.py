"""The checkpoints' repository: the last saved state of each job's training, in parts.

A state may have hundreds of megabytes, and writing that takes longer than an attempt is believed alive without a word.
So it is cut into parts, each written in a transaction of its own. They belong to a new generation, which becomes the
job's checkpoint with its last part: whoever reads a checkpoint reads a whole one. What is left of a generation that has
been replaced, or was never completed, is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from infra.database import transaction_time
from infra.tables import Checkpoint, CheckpointPart

PART_BYTES = 8 * 2**20
"""Bytes. A disk takes a part of this size in a tenth of a second, and most states have no more."""

STALE_PARTS_AT_ONCE = 8
"""Parts. One transaction removes so many. That takes as long as writing one."""


@dataclass(frozen=True)
class Part:
    """A part of a state on its way to the database.

    Attributes:
        generation: which parts belong together.
        number: its place among them, from 0.
        content: its bytes.
        completes: with the last part, the iteration that the state is of; None before.
    """

    generation: str
    number: int
    content: bytes
    completes: int | None


def cut(iteration: int, state: bytes) -> Iterator[Part]:
    """The parts of a new generation, in the order in which they are to be written."""
    generation = uuid4().hex
    last = max(0, len(state) - 1) // PART_BYTES
    for number in range(last + 1):
        content = state[number * PART_BYTES : (number + 1) * PART_BYTES]
        yield Part(generation, number, content, iteration if number == last else None)


def write(session: Session, job_id: str, part: Part) -> bool:
    """Write a part; the last one makes its generation the job's checkpoint. Writing it again changes nothing.

    Args:
        session: of a transaction that is guarded by `domain.jobs.attempts.reporting`.
        job_id: which job.
        part: the next one, or the last one once more, if it could not be told whether that was committed.

    Returns:
        Whether the job now has a checkpoint that is further on than the one before.
    """
    _remove_part(session, job_id, part.generation, part.number)
    session.execute(
        insert(CheckpointPart).values(
            job_id=job_id, generation=part.generation, number=part.number, content=part.content
        )
    )
    if part.completes is None:
        return False
    replaced = session.scalar(delete(Checkpoint).where(Checkpoint.job_id == job_id).returning(Checkpoint.iteration))
    session.execute(
        insert(Checkpoint).values(
            job_id=job_id, generation=part.generation, iteration=part.completes, created_at=transaction_time(session)
        )
    )
    if part.number == 0:
        remove_stale(session, job_id)
    return part.completes > (-1 if replaced is None else replaced)


def remove_stale(session: Session, job_id: str) -> None:
    """Remove some parts that no checkpoint is made of, `STALE_PARTS_AT_ONCE` at most. None is being written."""
    current = select(Checkpoint.generation).where(Checkpoint.job_id == job_id).scalar_subquery()
    stale = session.execute(
        select(CheckpointPart.generation, CheckpointPart.number)
        .where(CheckpointPart.job_id == job_id, CheckpointPart.generation != func.coalesce(current, ""))
        .limit(STALE_PARTS_AT_ONCE)
    ).all()
    for generation, number in stale:
        _remove_part(session, job_id, generation, number)


def remove_some(session: Session, job_id: str) -> bool:
    """Remove the checkpoint of a job that has been deleted, and some of its parts; tells whether more are left."""
    session.execute(delete(Checkpoint).where(Checkpoint.job_id == job_id))
    remove_stale(session, job_id)
    return session.scalar(select(CheckpointPart.number).where(CheckpointPart.job_id == job_id).limit(1)) is not None


def iteration_of(session: Session, job_id: str) -> int | None:
    """How far the job's checkpoint is; None if it has none."""
    return session.scalar(select(Checkpoint.iteration).where(Checkpoint.job_id == job_id))


def read(session: Session, job_id: str) -> bytes | None:
    """The state in the job's checkpoint; None if it has none."""
    parts = session.scalars(
        select(CheckpointPart.content)
        .join(
            Checkpoint,
            (Checkpoint.job_id == CheckpointPart.job_id) & (Checkpoint.generation == CheckpointPart.generation),
        )
        .where(Checkpoint.job_id == job_id)
        .order_by(CheckpointPart.number)
        .execution_options(yield_per=1)
    )
    state = bytearray()
    for part in parts:
        state += part
    return bytes(state) if state else None


def _remove_part(session: Session, job_id: str, generation: str, number: int) -> None:
    session.execute(
        delete(CheckpointPart).where(
            CheckpointPart.job_id == job_id, CheckpointPart.generation == generation, CheckpointPart.number == number
        )
    )
