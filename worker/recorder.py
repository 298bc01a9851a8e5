"""Streams an attempt's costs into the database while it trains, off the training thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from backprop.training import Record, Run
from domain.jobs import attempts
from domain.jobs.attempts import Claim, Progress
from domain.jobs.checkpoints import Part
from domain.jobs.transitions import Owner
from infra.database import Database
from infra.errors import Unavailable
from worker.buffer import Buffer
from worker.interrupter import Interrupter
from worker.keeper import Keeper
from worker.rate import Rate
from worker.shutdown import Shutdown
from worker.snapshots import Snapshots
from worker.writer import Batch, DirectWriter, Writer

MOST_ROWS_A_FLUSH = 5_000
"""Database rows of one transaction. So many are fast, and leave the database to others in between."""

STOP_SECONDS = 1.0
"""Seconds. An attempt that is to stop gets so long to write its state. Beyond that it stays with the last
checkpoint."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often an attempt writes.

    Attributes:
        flush_seconds: between two flushes of records.
        checkpoint_seconds: between two checkpoints, at the least.
        lease_seconds: how long the attempt is believed alive after a flush.
        max_snapshots: how many snapshots the job may have.
    """

    flush_seconds: float
    checkpoint_seconds: float
    lease_seconds: float
    max_snapshots: int = 0


class Recorder:
    """Writes what a running attempt makes: costs, progress and checkpoints, and keeps its lease.

    A flush is one transaction, or several where there is much to write.

    A context manager: inside, a thread flushes every `flush_seconds` and keeps the lease, whether or not there is
    anything new. When the block ends, whatever is left is flushed and the thread is gone.

    The training thread calls `add` for every record, and `attend` whenever `needs_attention` says so. So recording
    costs it one attribute read an iteration, besides the interpreter lock that both threads share.

    Attributes:
        needs_attention: whether the training thread is to call `attend`.
        snapshots: those of the weights, which the training thread takes.
    """

    def __init__(
        self,
        database: Database,
        claim: Claim,
        pace: Pace,
        shutdown: Shutdown,
        writing: Callable[[Database, Owner, float], Writer] = DirectWriter,
    ) -> None:
        self.needs_attention = False
        self.snapshots = Snapshots(pace.max_snapshots)
        self._database = database
        self._writer = writing(database, claim.owner, pace.lease_seconds)
        self._owner = claim.owner
        self._pace = pace
        self._interrupter = Interrupter(shutdown)
        self._buffer = Buffer()
        self.add = self._buffer.add
        self._keeper = Keeper(pace.checkpoint_seconds)
        self._closing = threading.Event()
        self._last_commit_is_uncertain = False
        self._rate = Rate()
        self._last_report = time.monotonic()
        self._thread = threading.Thread(target=self._flush_until_closed, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        """Start flushing."""
        self._writer.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Flush what is left and stop.

        Raises:
            Superseded: another attempt has the job, and nothing more of this one was written.
            Exception: whatever else kept the records from being written.
        """
        self._closing.set()
        self._thread.join()
        self._writer.__exit__(kind, error, traceback)
        if self._interrupter.failure is not None and kind is None:
            raise self._interrupter.failure

    def training_begins(self, iteration: int) -> None:
        """Note from when and where the rate is counted."""
        self._rate.training_begins(iteration)

    def attend(self, run: Run, iteration: int) -> None:
        """Do what the flushing thread needs from the training thread, between two iterations.

        Args:
            run: the training, suspended after the record of `iteration` has been added.
            iteration: the last one recorded.

        Raises:
            CancelRequested, ShutdownRequested: stop; the checkpoint of `iteration` will be flushed.
            Superseded: stop; another attempt has the job.
            Exception: stop; records cannot be written, for a reason that waiting does not mend.
        """
        self.needs_attention = False
        if self._interrupter.failure is None and self._is_worth_saving():
            self._keeper.take(run, iteration)
        if (reason := self._interrupter.reason) is not None:
            raise reason
        self._buffer.wait_for_room(lambda: self._interrupter.failure is not None)

    def training_ends(self, run: Run, iteration: int) -> None:
        """Keep the final state, from which the job can be resumed, or ended again if that fails."""
        self._rate.training_ends()
        self._keeper.take(run, iteration)

    def _is_worth_saving(self) -> bool:
        if self._interrupter.shutdown_requested:
            return self._keeper.seconds_of_another <= STOP_SECONDS
        return self._interrupter.cancel_requested or self._keeper.is_due

    def _flush_until_closed(self) -> None:
        done = False
        while not done:
            closing = self._closing.wait(self._pace.flush_seconds)
            if self._interrupter.failure is None:
                try:
                    self._flush()
                except Unavailable as error:
                    _log.warning(
                        "the job keeps its records until the database takes them",
                        job=self._owner.job_id,
                        reason=error.message,
                    )
                    self._last_commit_is_uncertain = True
                    closing = closing and self._interrupter.shutdown_requested  # then another attempt will do it again
                    time.sleep(self._pace.flush_seconds)
                except Exception as error:  # told to the training thread, which ends the attempt
                    self._interrupter.failure = error
            done = closing
            self.needs_attention = (
                self._interrupter.reason is not None or self._keeper.is_due or self._buffer.is_too_full
            )
            if not self._keeper.is_taking:
                self._interrupter.interrupt()
            self._buffer.look_again()

    def _flush(self) -> None:
        """Write everything recorded so far, in transactions of bounded size, and renew the lease.

        Records leave the buffer only after the commit, so that a flush that fails loses none.
        """
        part = self._next_part()  # taken before the records, so that every record up to its state is among them
        waiting = len(self._buffer)
        if waiting == 0 and part is None and not self.snapshots and not self._lease_wears_out():
            with self._database.reading() as session:
                self._interrupter.cancel_requested = attempts.is_cancel_requested(session, self._owner)
            return
        while waiting > MOST_ROWS_A_FLUSH:
            waiting -= self._write(MOST_ROWS_A_FLUSH)
        self._write(waiting, part)
        while (part := self._next_part()) is not None and part.number > 0:
            self._write(MOST_ROWS_A_FLUSH, part)
        while self._keeper.has_stale_parts and not self._interrupter.shutdown_requested:
            self._write(MOST_ROWS_A_FLUSH, removes_stale_parts=True)
            self._keeper.stale_parts_removed()

    def _next_part(self) -> Part | None:
        """The next part of a checkpoint, unless the attempt is to stop and has no time for what is left of it."""
        if self._interrupter.shutdown_requested and self._keeper.seconds_left > STOP_SECONDS:
            self._keeper.give_up()
        return self._keeper.next_part()

    def _write(self, rows_at_most: int, part: Part | None = None, *, removes_stale_parts: bool = False) -> int:
        """Write the oldest records, and a part of a checkpoint; tells how many records that were."""
        began = time.monotonic()
        rows = self._buffer.first(rows_at_most)
        taken = self.snapshots.waiting()
        self._interrupter.cancel_requested = self._writer.write(
            Batch(
                rows,
                self._progress(rows),
                self._last_commit_is_uncertain,
                part,
                removes_stale_parts,
                taken,
                self.snapshots.most,
            )
        )
        self.snapshots.written(len(taken))
        self._last_commit_is_uncertain = False
        self._last_report = time.monotonic()
        self._buffer.remove_first(len(rows))
        if part is not None:
            self._keeper.written(part, self._last_report - began)
        return len(rows)

    def _lease_wears_out(self) -> bool:
        return time.monotonic() - self._last_report > self._pace.lease_seconds / 4

    def _progress(self, rows: list[Record]) -> Progress | None:
        if not rows or not self._rate.has_begun:
            return None
        last = rows[-1]
        return Progress(last.iteration, last.cost, self._rate.at(last.iteration))
