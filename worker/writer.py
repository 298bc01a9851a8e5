"""Who writes an attempt's records into the database: the thread that asks for it, or a process beside it.

The smallest trainings make 30,000 records a second. A thread that writes them holds the interpreter lock, which the
training needs too. A process beside it does not.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from types import TracebackType
from typing import Protocol, Self

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from backprop.training import Record
from domain.jobs import attempts, checkpoints, costs, snapshots
from domain.jobs.attempts import Progress
from domain.jobs.checkpoints import Part
from domain.jobs.snapshots import Snapshot
from domain.jobs.transitions import Owner
from domain.life import Superseded
from infra.database import Database
from infra.errors import Unavailable
from infra.processes import die_with_parent

_log = structlog.get_logger(__name__)

ANSWER_SECONDS = 60.0
"""Seconds. This is longer than a database may take for a transaction before it counts as away."""


class WritingFailed(Exception):
    """Records cannot be written, for a reason that waiting does not mend."""


@dataclass(frozen=True)
class Batch:
    """What is written in one transaction.

    Attributes:
        rows: costs, in order.
        progress: how far the attempt is with them, if anything is to be told.
        again: some of the rows may be there already, from a commit whose success could not be told.
        part: of a checkpoint, if there is one to be written.
        removes_stale_parts: whether parts are removed that no checkpoint is made of.
        snapshots: of the weights, in order.
        most_snapshots: how many the job may have.
    """

    rows: Sequence[Record]
    progress: Progress | None
    again: bool
    part: Part | None = None
    removes_stale_parts: bool = False
    snapshots: Sequence[Snapshot] = ()
    most_snapshots: int = 0


class Writer(Protocol):
    """Writes batches, one at a time, while its context lasts."""

    def __enter__(self) -> Self:
        """Make ready."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave nothing behind."""

    def write(self, batch: Batch) -> bool:
        """Write a batch and renew the lease; tells whether somebody asked to cancel.

        Raises:
            Superseded: another attempt has the job, and nothing was written.
            Unavailable: nothing, or all of it, was written.
            WritingFailed: nothing was written, nor will it be.
        """


class DirectWriter:
    """Writes in the calling thread."""

    def __init__(self, database: Database, owner: Owner, lease_seconds: float) -> None:
        self._database = database
        self._owner = owner
        self._lease_seconds = lease_seconds

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def write(self, batch: Batch) -> bool:
        """As `Writer.write`."""
        job_id = self._owner.job_id
        try:
            with (
                self._database.writing() as session,
                attempts.reporting(session, self._owner, batch.progress, self._lease_seconds) as cancelling,
            ):
                if batch.rows:
                    if batch.again:
                        costs.remove_from(session, job_id, batch.rows[0].iteration)
                    costs.add(session, job_id, batch.rows)
                if batch.part is not None:
                    attempts.save_checkpoint(session, job_id, batch.part)
                for snapshot in batch.snapshots:
                    snapshots.write(session, job_id, snapshot, batch.most_snapshots)
                if batch.removes_stale_parts:
                    checkpoints.remove_stale(session, job_id)
        except DBAPIError as error:
            raise WritingFailed(str(error.orig)) from None  # its own text has all the rows in it
        except psycopg.Error as error:
            raise WritingFailed(str(error)) from error
        return cancelling


class ProcessWriter:
    """Writes in a process of its own, forked when the context begins, with connections of its own.

    Begin it while the process has a single thread and no open transaction: connections are closed before the fork, as
    neither SQLite's nor PostgreSQL's may be used on both sides of one.

    If that process dies, or gives no answer for longer than any database may take, nobody knows whether its batch was
    written (Unavailable). The calling thread writes those that follow.
    """

    def __init__(self, database: Database, owner: Owner, lease_seconds: float) -> None:
        self._database = database
        self._direct = DirectWriter(database, owner, lease_seconds)
        self._connection: Connection | None = None
        self._process: ForkProcess | None = None

    def __enter__(self) -> Self:
        """Start the process."""
        self._database.close()
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(self._direct, theirs, ours, os.getpid()), name="writer")
        try:
            process.start()
        except OSError as error:  # no memory, or no process, to spare
            _log.warning("no process to write the records; the training's own does", reason=str(error))
            ours.close()
        else:
            self._connection, self._process = ours, process
        theirs.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process."""
        self._end()

    def write(self, batch: Batch) -> bool:
        """As `Writer.write`."""
        if self._connection is None:
            return self._direct.write(batch)
        try:
            _send_batch(self._connection, batch)
            if not self._connection.poll(ANSWER_SECONDS):
                raise TimeoutError
            answer: _Answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._end(at_once=True)
            raise Unavailable("database_unavailable", "The process that writes to the database has died.") from error
        return answer.result()

    def _end(self, *, at_once: bool = False) -> None:
        if self._connection is not None and self._process is not None:
            self._connection.close()  # which it takes as the end
            self._connection = None
            if at_once:
                self._process.kill()
            self._process.join()


@dataclass(frozen=True)
class _Answer:
    """What became of a batch: exceptions, taken apart for the way between two processes.

    Attributes:
        cancel_requested: if all went well.
        failure: otherwise what kind, and what it is made of.
    """

    cancel_requested: bool = False
    failure: Callable[..., Exception] | None = None
    reasons: tuple[str, ...] = ()

    def result(self) -> bool:
        """What `Writer.write` gives, or raises."""
        if self.failure is not None:
            raise self.failure(*self.reasons)
        return self.cancel_requested

    @classmethod
    def of(cls, writer: DirectWriter, batch: Batch) -> Self:
        """Write the batch."""
        try:
            return cls(writer.write(batch))
        except Superseded:
            return cls(failure=Superseded)
        except Unavailable as error:
            return cls(failure=Unavailable, reasons=(error.code, error.message))
        except WritingFailed as error:
            return cls(failure=WritingFailed, reasons=(str(error),))


def _serve(writer: DirectWriter, connection: Connection, other_end: Connection, parent: int) -> None:
    """Write what comes, until the parent closes the connection or dies."""
    for number in (signal.SIGTERM, signal.SIGINT):  # the parent is asked to stop, and has more to write then
        signal.signal(number, signal.SIG_IGN)
    die_with_parent(parent)
    other_end.close()  # so that the end of the parent's is the end
    with suppress(EOFError, OSError):
        while True:
            connection.send(_Answer.of(writer, _receive_batch(connection)))


def _send_batch(connection: Connection, batch: Batch) -> None:
    """The rows as one flat list, since pickling them one by one takes ten times as long; a part's content as it is."""
    part = batch.part
    described = None if part is None else (part.generation, part.number, part.completes)
    rows = list(chain.from_iterable(batch.rows))
    taken = [tuple(snapshot) for snapshot in batch.snapshots]
    connection.send(
        (rows, batch.progress, batch.again, described, batch.removes_stale_parts, taken, batch.most_snapshots)
    )
    if part is not None:
        connection.send_bytes(part.content)


def _receive_batch(connection: Connection) -> Batch:
    values, progress, again, described, removes_stale_parts, taken, most_snapshots = connection.recv()
    rows = [Record(*row) for row in zip(*[iter(values)] * len(Record._fields), strict=True)]
    part = None
    if described is not None:
        generation, number, completes = described
        part = Part(generation, number, connection.recv_bytes(), completes)
    shots = tuple(Snapshot(*each) for each in taken)
    return Batch(rows, progress, again, part, removes_stale_parts, shots, most_snapshots)
