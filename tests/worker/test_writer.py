"""The process that writes for an attempt: nothing is lost on the way to it, nor when it dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.training import Record
from domain.jobs.attempts import Progress
from domain.jobs.checkpoints import Part
from domain.jobs.snapshots import Snapshot
from infra.database import Database
from tests.support.jobs import claimed, queued_job
from tests.support.waiting import wait_for
from tests.worker.test_recorder import PACE, record, stored
from worker import writer as writing
from worker.recorder import Recorder
from worker.shutdown import Shutdown
from worker.writer import Batch, ProcessWriter, _receive_batch, _send_batch

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

FLOATS = st.floats(allow_nan=False)
RECORDS = st.builds(
    Record, st.integers(0, 2**53), FLOATS, FLOATS, FLOATS, FLOATS, st.none() | FLOATS, st.integers(0, 2**53)
)


def writers() -> list[BaseProcess]:
    return [child for child in multiprocessing.active_children() if child.name == "writer"]


@given(
    rows=st.lists(RECORDS),
    progress=st.none() | st.builds(Progress, st.integers(0, 2**53), FLOATS, st.none() | FLOATS),
    again=st.booleans(),
    part=st.none() | st.builds(Part, st.text(), st.integers(0, 2**31), st.binary(), st.none() | st.integers(0, 2**53)),
    removes_stale_parts=st.booleans(),
    snapshots=st.lists(st.builds(Snapshot, st.integers(0, 2**53), FLOATS, st.text(), st.binary())),
)
def test_a_batch_comes_through_the_pipe_as_it_is(
    rows: list[Record],
    progress: Progress | None,
    again: bool,
    part: Part | None,
    removes_stale_parts: bool,
    snapshots: list[Snapshot],
) -> None:
    batch = Batch(rows, progress, again, part, removes_stale_parts, tuple(snapshots), len(snapshots))
    here, there = multiprocessing.Pipe()
    with here, there:
        _send_batch(here, batch)
        assert _receive_batch(there) == batch


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_signal_to_the_process_loses_or_doubles_anything(database: Database, number: signal.Signals) -> None:
    """Killed, it leaves the rest to the recorder's thread; asked to end, it goes on until the recorder ends it."""
    job_id = queued_job(database)
    records = [record(iteration) for iteration in range(20_000)]
    with Recorder(database, claimed(database, job_id), PACE, Shutdown(), ProcessWriter) as recorder:
        recorder.training_begins(0)
        for each in records[:10_000]:
            recorder.add(each)
        wait_for("the first flush", lambda: stored(database, job_id))
        (writer,) = writers()
        os.kill(writer.pid or 0, number)
        for each in records[10_000:]:
            recorder.add(each)
        wait_for("the last flush", lambda: len(stored(database, job_id)) == len(records))
        assert (writers() == []) == (number == signal.SIGKILL)
    assert stored(database, job_id) == records
    assert writers() == []


def test_a_process_that_gives_no_answer_is_ended_and_loses_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ANSWER_SECONDS", 0.5)
    job_id = queued_job(database)
    records = [record(iteration) for iteration in range(2_000)]
    with Recorder(database, claimed(database, job_id), PACE, Shutdown(), ProcessWriter) as recorder:
        recorder.training_begins(0)
        (writer,) = writers()
        os.kill(writer.pid or 0, signal.SIGSTOP)
        for each in records:
            recorder.add(each)
        wait_for("the thread to write", lambda: len(stored(database, job_id)) == len(records))
        assert writers() == []
    assert stored(database, job_id) == records


def test_where_no_process_can_be_forked_the_thread_writes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no process to spare")

    job_id = queued_job(database)
    monkeypatch.setattr(os, "fork", refuse)
    with Recorder(database, claimed(database, job_id), PACE, Shutdown(), ProcessWriter) as recorder:
        recorder.training_begins(0)
        recorder.add(record(0))
    assert stored(database, job_id) == [record(0)]


def test_it_ends_with_the_recorder_when_training_fails(database: Database) -> None:
    job_id = queued_job(database)
    with (
        pytest.raises(ZeroDivisionError),
        Recorder(database, claimed(database, job_id), PACE, Shutdown(), ProcessWriter) as recorder,
    ):
        recorder.training_begins(0)
        recorder.add(record(0))
        raise ZeroDivisionError
    assert writers() == []
    assert stored(database, job_id) == [record(0)]
