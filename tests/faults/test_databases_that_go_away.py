"""A database that is away or full: jobs wait for it, or another attempt goes on, and nothing is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from backprop.training import Record
from domain.jobs import attempts, costs
from infra.database import Database
from infra.errors import Unavailable
from infra.settings import Settings
from migrations.commands import upgrade
from tests.support.faults import (
    SOON,
    StartWorker,
    assert_same_as_undisturbed,
    ended,
    job_body,
    job_of,
    progressed,
    row_of,
)
from tests.support.jobs import claimed, queued_job
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.service import Service
from tests.support.waiting import wait_for
from worker.attempt import attempt_job
from worker.shutdown import Shutdown

LEASE = 2.0
"""Seconds, for workers of which a single lease that ran out would fail the job: a busy machine takes no whole one."""


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module's own, to be stopped and started."""
    with running_postgres() as server:
        upgrade(server.url)
        yield server


class TestPostgresStopped:
    """The server is stopped in the middle of everything and started again."""

    @pytest.fixture
    def database_url(self, own_postgres: PostgresServer) -> str:
        """The database that goes away, in place of the parametrized one."""
        return own_postgres.url

    def test_a_job_goes_on_when_the_database_is_back(
        self, service: Service, new_worker: StartWorker, own_postgres: PostgresServer
    ) -> None:
        """Away for longer than a lease. One crash would end the job: an outage is none."""
        body = job_body(service)
        worker = new_worker(max_crashes=1, lease_seconds=LEASE)
        job = service.submit(body)
        progressed(service, job["id"], 100)
        own_postgres.stop()
        assert service.api.get(f"/v1/jobs/{job['id']}").json()["code"] == "database_unavailable"
        time.sleep(1.25 * LEASE)
        own_postgres.start()
        done = ended(service, job["id"])
        assert worker.poll() is None
        assert_same_as_undisturbed(service, body, done)

    @pytest.mark.parametrize("iterations", [0, 1_500])
    def test_a_job_that_ends_meanwhile_ends_when_the_database_is_back(
        self, service: Service, new_worker: StartWorker, own_postgres: PostgresServer, iterations: int
    ) -> None:
        body = job_body(service, iterations=iterations)
        new_worker(max_crashes=1, lease_seconds=LEASE)
        wait_for("the worker", lambda: row_of(service, ended(service, service.submit(body)["id"])["id"]))
        job = service.submit(body)
        own_postgres.stop()
        time.sleep(1.25 * LEASE)
        own_postgres.start()
        assert_same_as_undisturbed(service, body, ended(service, job["id"]))

    def test_a_worker_asked_to_end_meanwhile_does(
        self, service: Service, new_worker: StartWorker, own_postgres: PostgresServer
    ) -> None:
        body = job_body(service)
        worker = new_worker()
        job = service.submit(body)
        progressed(service, job["id"], 100)
        own_postgres.stop()
        try:
            worker.terminate()
            worker.wait(SOON)
        finally:
            own_postgres.start()
        new_worker()
        assert_same_as_undisturbed(service, body, ended(service, job["id"]))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_lost_amid_the_cost_rows_is_a_database_that_is_away(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with (
        pytest.raises(Unavailable),
        database.writing() as session,
        attempts.reporting(session, claim.owner, None, 10),
    ):
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        with database.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
        costs.add(session, job_id, [Record(k, 1.0, 0.5, 0.5) for k in range(100)])
    with database.writing() as session:
        costs.add(session, job_id, [Record(k, 1.0, 0.5, 0.5) for k in range(100)])


class Disk:
    """The room that a SQLite database has."""

    def __init__(self, engines: list[Engine]) -> None:
        self.pages = 0
        for engine in engines:
            event.listen(engine, "begin", self._limit)

    def _limit(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={self.pages or 2**32 - 2}")

    def fill(self, database: Database, spare: int) -> None:
        """Leave room for so many pages more."""
        with database.reading() as session:
            self.pages = int(session.scalar(text("PRAGMA page_count")) or 0) + spare


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_corrupts_nothing_and_is_waited_for(service: Service, settings: Settings) -> None:
    api_database: Database = service.api.app.state.services.database  # type: ignore[attr-defined]
    disk = Disk([service.database.engine, api_database.engine])
    body = job_body(service, iterations=2_000)
    job = service.submit(body)
    disk.fill(service.database, spare=60)  # room for the first costs and snapshots, and not for all costs

    def make_room() -> None:
        wait_for("a disk that is full", lambda: refusal(service) == (503, "storage_full"))
        stuck = job_of(service, job["id"])
        time.sleep(0.5)
        found.append((stuck["status"], job_of(service, job["id"])["iteration"]))
        disk.pages = 0

    found: list[tuple[str, int]] = []
    helper = threading.Thread(target=make_room)
    helper.start()
    attempt_job(job["id"], service.database, service.artifacts, settings, Shutdown())
    helper.join()
    assert found[0][0] == "running"
    assert found[0][1] < 2_000  # it could not write more, and did not end without
    assert_same_as_undisturbed(service, body, job_of(service, job["id"]))
    engine = create_engine(settings.resolved_database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    engine.dispose()


def refusal(service: Service) -> tuple[int, Any]:
    """What a client that wants to store something large is told."""
    answer = service.api.post(
        "/v1/networks",
        json={"name": "x" * 200, "layers": [{"units": 10, "activation": "tanh"}] * 99 + [{"activation": "tanh"}]},
    )
    return answer.status_code, answer.json().get("code")
