"""The recorder writes every record once and in order, whatever the database does meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import numpy as np
import pytest
from sqlalchemy.orm import Session

from backprop.network import Layer, Network, initial_parameters
from backprop.training import Record, Run, Training
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import control, costs
from domain.jobs import rows as jobs
from domain.jobs.transitions import Owner
from domain.life import Superseded
from infra.database import Database
from infra.errors import Unavailable
from tests.support.jobs import claimed, queued_job, requeue
from tests.support.runs import run_of
from tests.support.waiting import wait_for
from worker import buffer
from worker.interrupter import CancelRequested
from worker.recorder import Pace, Recorder
from worker.shutdown import Shutdown, ShutdownRequested
from worker.writer import DirectWriter, ProcessWriter, Writer

# Of Python 3.12 and newer. Work-horses, for whom the writer's process is made, have a single thread then.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

Writing = Callable[[Database, Owner, float], Writer]

PACE = Pace(flush_seconds=0.02, checkpoint_seconds=60.0, lease_seconds=10.0)


@pytest.fixture(params=[DirectWriter, ProcessWriter], ids=["by a thread", "by a process"])
def writing(request: pytest.FixtureRequest) -> Writing:
    """Who writes."""
    chosen: Writing = request.param
    return chosen


def record(iteration: int) -> Record:
    return Record(iteration, 1.0 / (iteration + 1), 0.5, 0.25)


def small_run() -> Run:
    network = Network(2, (Layer(3, "tanh"), Layer(1, "sigmoid")))
    X = np.random.default_rng(0).normal(size=(5, 2))
    run = run_of(
        network,
        Training(iterations=10),
        X,
        X[:, :1].copy(),
        parameters=initial_parameters(network, seed=0, dtype="float64"),
    )
    next(run.records())
    return run


def stored(database: Database, job_id: str) -> list[Record]:
    with database.reading() as session:
        return costs.list_rows(session, job_id, after=-1, limit=1_000_000)[0]


class Unreliable(Database):
    """A database that is away now and then: before the work, or after the commit, so that its answer is lost."""

    def __init__(self, database: Database, faults: str) -> None:
        self.engine = database.engine
        self._bell = None
        self._real = database
        self._faults = iter(faults)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """As the real one, but for the next fault: ``-`` none, ``b`` before, ``a`` after the commit."""
        fault = next(self._faults, "-")
        if fault == "b":
            raise Unavailable("database_unavailable", "away")
        with self._real.writing() as session:
            yield session
        if fault == "a":
            raise Unavailable("database_unavailable", "away")


def test_every_record_is_there_once_and_in_order(database: Database, writing: Writing) -> None:
    job_id = queued_job(database)
    records = [record(iteration) for iteration in range(25_000)]
    with Recorder(database, claimed(database, job_id), PACE, Shutdown(), writing) as recorder:
        recorder.training_begins(0)
        for each in records:
            recorder.add(each)
    assert stored(database, job_id) == records
    with database.reading() as session:
        job = jobs.get(session, DEFAULT_PROJECT, job_id)
    assert (job.iteration, job.cost) == (24_999, records[-1].cost)
    assert job.rate is not None
    assert job.rate > 0


@pytest.mark.parametrize("faults", ["b", "bbbb", "a", "ab-ba", "aaaa-b-a"])
def test_a_database_that_comes_and_goes_loses_and_doubles_nothing(
    database: Database, writing: Writing, faults: str
) -> None:
    job_id = queued_job(database)
    unreliable = Unreliable(database, faults)
    with Recorder(unreliable, claimed(database, job_id), PACE, Shutdown(), writing) as recorder:
        recorder.training_begins(0)
        for iteration in range(300):
            recorder.add(record(iteration))
            if iteration % 100 == 99:
                wait_for("the flush", lambda: not recorder._buffer)
    assert stored(database, job_id) == [record(iteration) for iteration in range(300)]


def test_a_superseded_attempt_is_told_and_writes_nothing_more(database: Database, writing: Writing) -> None:
    job_id = queued_job(database)
    run = small_run()
    with (
        pytest.raises(Superseded),
        Recorder(database, claimed(database, job_id), PACE, Shutdown(), writing) as recorder,
    ):
        recorder.training_begins(0)
        recorder.add(record(0))
        wait_for("the first flush", lambda: stored(database, job_id))
        requeue(database, job_id)
        claimed(database, job_id)
        recorder.add(record(1))
        wait_for("attention", lambda: recorder.needs_attention)
        recorder.attend(run, 1)
    assert stored(database, job_id) == []  # the new attempt starts from nothing, and the old one adds nothing


def test_what_cannot_be_written_ends_the_attempt(database: Database, writing: Writing) -> None:
    job_id = queued_job(database)
    with (
        pytest.raises(Exception, match=r"(?i)unique|duplicate"),
        Recorder(database, claimed(database, job_id), PACE, Shutdown(), writing) as recorder,
    ):
        recorder.training_begins(0)
        recorder.add(record(0))
        recorder.add(record(0))
    assert stored(database, job_id) == []


def test_cancel_reaches_the_training_thread_with_a_checkpoint(database: Database, writing: Writing) -> None:
    job_id = queued_job(database)
    run = small_run()
    with (
        pytest.raises(CancelRequested),
        Recorder(database, claimed(database, job_id), PACE, Shutdown(), writing) as recorder,
    ):
        recorder.training_begins(0)
        recorder.add(record(0))
        with database.writing() as session:
            control.request_cancel(session, DEFAULT_PROJECT, job_id)
        recorder.add(record(1))
        wait_for("attention", lambda: recorder.needs_attention)
        recorder.attend(run, 1)
    requeue(database, job_id)
    assert claimed(database, job_id).checkpoint is not None
    assert [each.iteration for each in stored(database, job_id)] == [0, 1]


def test_shutdown_reaches_the_training_thread_with_a_checkpoint(database: Database, writing: Writing) -> None:
    job_id = queued_job(database)
    shutdown = Shutdown()
    run = small_run()
    with (
        pytest.raises(ShutdownRequested),
        Recorder(database, claimed(database, job_id), PACE, shutdown, writing) as recorder,
    ):
        recorder.training_begins(0)
        recorder.add(record(0))
        shutdown.requested = True
        wait_for("attention", lambda: recorder.needs_attention)
        recorder.attend(run, 0)
    requeue(database, job_id)
    assert claimed(database, job_id).checkpoint is not None


def test_training_waits_when_the_database_is_away_for_too_long(
    database: Database, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "MOST_BUFFERED", 10)
    job_id = queued_job(database)
    unreliable = Unreliable(database, "b" * 20)
    went_on = threading.Event()
    with Recorder(unreliable, claimed(database, job_id), PACE, Shutdown(), writing) as recorder:
        recorder.training_begins(0)
        for iteration in range(11):
            recorder.add(record(iteration))
        wait_for("attention", lambda: recorder.needs_attention)
        run = small_run()

        def train() -> None:
            recorder.attend(run, 10)
            went_on.set()

        training = threading.Thread(target=train)
        training.start()
        assert not went_on.wait(0.1)
        training.join(30)
        assert went_on.is_set()
    assert len(stored(database, job_id)) == 11


def test_the_lease_is_kept_while_there_is_nothing_to_write(database: Database, writing: Writing) -> None:
    job_id = queued_job(database)
    expiries: set[datetime | None] = set()

    def renewed_often() -> bool:
        with database.reading() as session:
            expiries.add(jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at)
        return len(expiries) > 3

    with Recorder(database, claimed(database, job_id), Pace(0.02, 60.0, 0.4), Shutdown(), writing):
        wait_for("the lease to be renewed", renewed_often)
