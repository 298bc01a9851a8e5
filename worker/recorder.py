"""Streams an attempt's costs into the database while it trains, off the training thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from backprop.codec import to_bytes
from backprop.training import Record, Run
from infra import jobs
from infra.database import Database
from infra.errors import Unavailable
from infra.jobs import Claim, Progress
from worker.shutdown import Shutdown, ShutdownRequested
from worker.writer import Batch, DirectWriter, Ownership, Writer

MOST_BUFFERED = 500_000
"""Records held while the database is away; beyond that training waits rather than filling the memory."""

MOST_ROWS_A_FLUSH = 5_000
"""Rows of one transaction: large enough to be fast, small enough to leave the database to others in between."""

PATIENCE_SECONDS = 0.8
"""How long an attempt that is to stop may take to end its iteration; beyond that it goes back to the checkpoint."""

_log = structlog.get_logger(__name__)


class CancelRequested(Exception):
    """Somebody asked for the job to be cancelled. What was learnt so far is in the checkpoint."""


@dataclass(frozen=True)
class Pace:
    """How often an attempt writes.

    Attributes:
        flush_seconds: between two flushes of records.
        checkpoint_seconds: between two checkpoints.
        lease_seconds: how long the attempt is believed alive after a flush.
    """

    flush_seconds: float
    checkpoint_seconds: float
    lease_seconds: float


class Recorder:
    """Has a running attempt written: cost rows, progress, lease and checkpoints, a flush in one transaction.

    A context manager: inside, a thread flushes every `flush_seconds` and keeps the lease, whether or not there is
    anything new. When the block ends, whatever is left is flushed and the thread is gone.

    The training thread calls `add` for every record, and `attend` whenever `needs_attention` says so: one attribute
    read an iteration is all that recording costs it, besides the interpreter lock that both threads share.
    """

    def __init__(
        self,
        database: Database,
        claim: Claim,
        pace: Pace,
        shutdown: Shutdown,
        writing: Callable[[Database, Ownership], Writer] = DirectWriter,
    ) -> None:
        self.needs_attention = False
        self._database = database
        self._writer = writing(database, Ownership(claim.job.id, claim.token, pace.lease_seconds))
        self._job_id = claim.job.id
        self._token = claim.token
        self._pace = pace
        self._shutdown = shutdown
        # The training thread appends, the flushing thread copies from the front and deletes there: all are atomic.
        self._records: list[Record] = []
        self.add = self._records.append
        self._state: tuple[int, bytes] | None = None
        self._flushed = threading.Condition()
        self._closing = threading.Event()
        self._failure: Exception | None = None
        self._last_commit_is_uncertain = False
        self._cancel_requested = False
        self._is_saving = False
        self._to_stop_since: float | None = None
        self._began: tuple[float, int] | None = None
        self._ended: float | None = None
        self._last_report = time.monotonic()
        self._last_checkpoint = time.monotonic()
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
        if self._failure is not None and kind is None:
            raise self._failure

    def training_begins(self, iteration: int) -> None:
        """Note from when and where the rate is counted."""
        self._began = (time.monotonic(), iteration)

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
        if self._failure is not None:
            raise self._failure
        stopping = self._cancel_requested or self._shutdown.requested
        if stopping or self._checkpoint_is_due():
            self._save(run, iteration)
        if self._cancel_requested:
            raise CancelRequested
        if self._shutdown.requested:
            raise ShutdownRequested
        with self._flushed:
            self._flushed.wait_for(lambda: len(self._records) < MOST_BUFFERED or self._failure)

    def training_ends(self, run: Run, iteration: int) -> None:
        """Keep the final state, from which the job can be resumed, or ended again if that fails."""
        self._ended = time.monotonic()
        self._save(run, iteration)

    def _save(self, run: Run, iteration: int) -> None:
        self._is_saving = True  # which is nothing to be interrupted at
        self._state = (iteration, to_bytes(run.state()))
        self._last_checkpoint = time.monotonic()
        self._is_saving = False

    def _checkpoint_is_due(self) -> bool:
        return time.monotonic() - self._last_checkpoint >= self._pace.checkpoint_seconds

    def _flush_until_closed(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.wait(self._pace.flush_seconds)
            if self._failure is None:
                try:
                    self._flush()
                except Unavailable as error:
                    _log.warning(
                        "the job keeps its records until the database takes them",
                        job=self._job_id,
                        reason=error.message,
                    )
                    self._last_commit_is_uncertain = True
                    closing = closing and self._shutdown.requested  # then another attempt will do it again
                    time.sleep(self._pace.flush_seconds)
                except Exception as error:  # told to the training thread, which ends the attempt
                    self._failure = error
            self.needs_attention = (
                self._reason_to_stop() is not None or self._checkpoint_is_due() or len(self._records) > MOST_BUFFERED
            )
            self._interrupt()
            with self._flushed:
                self._flushed.notify_all()

    def _reason_to_stop(self) -> Exception | None:
        if self._failure is not None:
            return self._failure
        if self._cancel_requested:
            return CancelRequested()
        return ShutdownRequested() if self._shutdown.requested else None

    def _interrupt(self) -> None:
        """Make the main thread stop: at once if it does not train, else once it has had its time to attend."""
        reason = self._reason_to_stop()
        if reason is None or self._is_saving:
            return
        now = time.monotonic()
        if self._to_stop_since is None:
            self._to_stop_since = now
        self._shutdown.interrupt(reason, training=now - self._to_stop_since > PATIENCE_SECONDS)

    def _flush(self) -> None:
        """Write everything recorded so far, in transactions of bounded size, and renew the lease.

        Records leave the queue only after the commit, so that a flush that fails loses none.
        """
        state = self._state  # taken before the records, so that every record up to it is among them
        waiting = len(self._records)
        if waiting == 0 and state is None and not self._lease_wears_out():
            with self._database.reading() as session:
                self._cancel_requested = jobs.is_cancel_requested(session, self._job_id, self._token)
            return
        written = 0
        while True:
            rows = self._records[: min(waiting - written, MOST_ROWS_A_FLUSH)]
            written += len(rows)
            last = written == waiting
            self._write(rows, state if last else None)
            del self._records[: len(rows)]
            if last:
                break
        if self._state is state:
            self._state = None

    def _write(self, rows: list[Record], state: tuple[int, bytes] | None) -> None:
        self._cancel_requested = self._writer.write(
            Batch(rows, self._progress(rows), state, again=self._last_commit_is_uncertain)
        )
        self._last_commit_is_uncertain = False
        self._last_report = time.monotonic()

    def _lease_wears_out(self) -> bool:
        return time.monotonic() - self._last_report > self._pace.lease_seconds / 4

    def _progress(self, rows: list[Record]) -> Progress | None:
        if not rows or self._began is None:
            return None
        began, start = self._began
        last = rows[-1]
        seconds = (self._ended or time.monotonic()) - began
        done = last.iteration - start
        return Progress(last.iteration, last.cost, done / seconds if done > 0 else None)
