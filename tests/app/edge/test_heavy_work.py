"""However many requests read much, the others are answered meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from fastapi.testclient import TestClient

from app.edge.heavy_work import READS_AT_A_TIME
from backprop.training import Record
from domain.jobs import costs
from infra.database import Database
from tests.support.faults import SOON
from tests.support.jobs import queued_job

READERS = 50


def test_cheap_requests_do_not_wait_for_fifty_heavy_ones(
    api: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = queued_job(database)
    with database.writing() as session:
        costs.add(session, job_id, [Record(k, 1.0, 1.0, 0.0) for k in range(100)])
    reading = threading.Semaphore(0)
    go_on = threading.Event()
    thin_rows = costs.thin_rows

    def slow_thin_rows(*arguments: object) -> list[Record]:
        reading.release()
        assert go_on.wait(SOON)
        return thin_rows(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(costs, "thin_rows", slow_thin_rows)
    with ThreadPoolExecutor(READERS + 3) as clients, ExitStack() as at_the_end:
        at_the_end.callback(go_on.set)
        heavy = [clients.submit(api.get, f"/v1/jobs/{job_id}/costs?points=10") for _ in range(READERS)]
        for _ in range(READS_AT_A_TIME):
            assert reading.acquire(timeout=SOON)
        assert not reading.acquire(timeout=0.2)  # the others wait for their turn
        cheap = [clients.submit(api.get, path) for path in ("/v1/networks", "/v1/models", "/readyz")]
        assert {each.result(SOON).status_code for each in cheap} == {200}
        assert not any(each.done() for each in heavy)
        go_on.set()
        assert {each.result(SOON).status_code for each in heavy} == {200}
