"""`Idempotency-Key`: whatever a client sends again under its key, there is one dataset, one network, one job."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import func, select

from app.access import idempotency as turns
from domain.access import idempotency
from infra.database import Database
from infra.settings import Settings
from infra.tables import Dataset, IdempotencyRecord, Job, NetworkRow
from tests.support.apps import open_app
from tests.support.keys import bearing, make_key
from tests.support.service import Service

CSV = "a,b,label\n1,2,yes\n2,1,no\n3,5,yes\n4,4,no\n"
LAYERS = [{"units": 2}, {}]
TABLES = {"datasets": Dataset, "networks": NetworkRow, "jobs": Job}

Send = Callable[[dict[str, str], str], Response]
"""Sends a creating request with these headers; the text makes it another one."""


@pytest.fixture(params=["datasets", "networks", "jobs"])
def creating(request: pytest.FixtureRequest, service: Service) -> tuple[str, Send]:
    """Each resource that can be created, and how."""
    resource: str = request.param
    dataset_id = service.upload_csv(CSV)["id"] if resource == "jobs" else ""

    def send(headers: dict[str, str], name: str) -> Response:
        if resource == "datasets":
            return service.api.post(
                "/v1/datasets", files={"file": ("t.csv", CSV.encode())}, data={"name": name}, headers=headers
            )
        if resource == "networks":
            return service.api.post("/v1/networks", json={"name": name, "layers": LAYERS}, headers=headers)
        body = {
            "dataset_id": dataset_id,
            "targets": ["label"],
            "network": {"layers": LAYERS},
            "training": {"preset": "tutorial", "seed": len(name)},
        }
        return service.api.post("/v1/jobs", json=body, headers=headers)

    return resource, send


def count(database: Database, resource: str) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(TABLES[resource])) or 0


def under(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_sent_again_it_gets_the_first_answer_and_creates_nothing(
    creating: tuple[str, Send], database: Database
) -> None:
    resource, send = creating
    first = send(under("k-1"), "x")
    assert first.is_success, first.text
    for _ in range(3):
        again = send(under("k-1"), "x")
        assert (again.status_code, again.content) == (first.status_code, first.content)
        for name in ("location", "retry-after", "content-type"):
            assert again.headers.get(name) == first.headers.get(name)
    assert count(database, resource) == 1
    other = send(under("k-1"), "another")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert send(under("k-2"), "x").json()["id"] != first.json()["id"]
    assert send({}, "x").json()["id"] != first.json()["id"]


def test_a_refused_request_does_not_use_up_its_key(service: Service, database: Database) -> None:
    body = {"dataset_id": "ds_none", "targets": ["label"], "network": {"layers": LAYERS}}
    assert service.api.post("/v1/jobs", json=body, headers=under("k")).status_code == 404
    body["dataset_id"] = service.upload_csv(CSV)["id"]
    assert service.api.post("/v1/jobs", json=body, headers=under("k")).status_code == 202
    bad = service.api.post("/v1/datasets", files={"file": ("t.csv", b"a,b\n1\n")}, headers=under("d"))
    assert bad.json()["code"] == "ragged_row"
    good = service.api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, headers=under("d"))
    assert good.status_code == 201


def test_a_key_is_for_one_route_only(service: Service) -> None:
    assert service.api.post("/v1/networks", json={"name": "n", "layers": LAYERS}, headers=under("k")).is_success
    refused = service.api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, headers=under("k"))
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_projects_may_use_the_same_key(service: Service, database: Database) -> None:
    ids = {
        service.api.post(
            "/v1/networks",
            json={"name": project, "layers": LAYERS},
            headers=under("k") | bearing(make_key(database, project)),
        ).json()["id"]
        for project in ("red", "blue")
    }
    assert len(ids) == 2


def test_the_same_json_may_be_written_in_another_way(service: Service) -> None:
    json = under("k") | {"Content-Type": "application/json"}
    first = service.api.post("/v1/networks", content=b'{"name": "n", "layers": [{}]}', headers=json)
    again = service.api.post("/v1/networks", content=b'{"layers":[{}],"name":"n"}', headers=json)
    assert again.content == first.content


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "é", "a\tb"])
def test_what_is_no_key(service: Service, key: str) -> None:
    response = service.api.post(
        "/v1/networks", json={"name": "n", "layers": LAYERS}, headers=[(b"Idempotency-Key", key.encode())]
    )
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def at_once(send: Callable[[], Response], threads: int) -> list[Response]:
    start = threading.Barrier(threads)
    responses: list[Response] = []

    def one() -> None:
        start.wait()
        responses.append(send())

    running = [threading.Thread(target=one) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return responses


def test_of_many_at_once_one_creates(creating: tuple[str, Send], database: Database) -> None:
    resource, send = creating
    for _ in range(3):
        before = count(database, resource)
        headers = under(uuid4().hex)
        responses = at_once(lambda headers=headers: send(headers, "x"), 6)  # type: ignore[misc]
        statuses = Counter(response.status_code for response in responses)
        assert set(statuses) <= {201, 202, 409}, [response.text for response in responses]
        assert len({response.content for response in responses if response.is_success}) == 1
        for response in responses:
            if response.status_code == 409:
                assert response.json()["code"] == "request_in_progress"
                assert int(response.headers["retry-after"]) > 0
        assert count(database, resource) == before + 1
        assert send(headers, "x").is_success
        assert count(database, resource) == before + 1


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch, where: str) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The function of that name waits when it is called: one event says that it does, the other lets it go on."""
    reached, go_on = threading.Event(), threading.Event()
    module, _, name = where.rpartition(".")
    original = getattr(sys.modules[module], name)

    def waiting(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        reached.set()
        assert go_on.wait(30)
        return original(*arguments, **named)

    monkeypatch.setattr(where, waiting)
    try:
        yield reached, go_on
    finally:
        go_on.set()


def test_while_a_file_is_being_read_the_same_upload_is_told_to_wait(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upload() -> Response:
        return service.api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, headers=under("k"))

    answers: list[Response] = []
    with held(monkeypatch, "app.v1.datasets._create") as (reached, go_on):
        first = threading.Thread(target=lambda: answers.append(upload()))
        first.start()
        assert reached.wait(30)
        second = upload()
        assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
        go_on.set()
        first.join()
    assert answers[0].status_code == 201
    assert upload().content == answers[0].content
    assert count(database, "datasets") == 1


def test_a_lease_is_renewed_for_as_long_as_it_takes(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (idempotency, turns):
        monkeypatch.setattr(module, "LEASE_SECONDS", 0.3)

    def expiry() -> Any:  # noqa: ANN401
        with database.reading() as session:
            return session.scalar(select(IdempotencyRecord.lease_expires_at))

    with held(monkeypatch, "app.v1.datasets._create") as (reached, go_on):
        upload = threading.Thread(
            target=lambda: service.api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, headers=under("k"))
        )
        upload.start()
        assert reached.wait(30)
        seen = {expiry()}
        while len(seen) < 4:
            seen.add(expiry())
        go_on.set()
        upload.join()
    assert count(database, "datasets") == 1


CRASHING = """
import os, sys
from fastapi.testclient import TestClient
from domain.access import idempotency
from infra.settings import Settings
from tests.support.apps import open_app

def crash(*_):
    os._exit(9)

moment, dataset_id = sys.argv[1:]
if moment == "before the commit":
    complete = idempotency.complete
    idempotency.complete = lambda *arguments: (complete(*arguments), crash())
else:
    import app.v1.jobs
    app.v1.jobs.deliver = crash  # committed, and Redis knows nothing of it
with TestClient(open_app(Settings())) as api:
    body = {"dataset_id": dataset_id, "targets": ["label"], "network": {"layers": [{"units": 2}, {}]}}
    api.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k"})
"""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_process_that_dies_leaves_one_job_or_none_and_blocks_the_key_for_a_while_only(
    service: Service, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    dataset_id = service.upload_csv(CSV)["id"]
    variables = {f"BACKPROP_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    done = subprocess.run(
        [sys.executable, "-c", CRASHING, moment, dataset_id], env=os.environ | variables, check=False, timeout=60
    )
    assert done.returncode == 9
    committed = moment == "after the commit"
    assert count(database, "jobs") == committed
    body = {"dataset_id": dataset_id, "targets": ["label"], "network": {"layers": LAYERS}}

    def send() -> Response:
        return service.api.post("/v1/jobs", json=body, headers=under("k"))

    if not committed:
        assert send().status_code == 409
        with database.writing() as session:  # its lease runs out
            record = session.scalars(select(IdempotencyRecord)).one()
            record.lease_expires_at = record.expires_at.replace(year=2000)
    assert send().status_code == 202
    assert send().status_code == 202
    assert count(database, "jobs") == 1


def test_two_processes_at_once(settings: Settings, database: Database) -> None:
    """Two APIs over one database, as behind a balancer: threads of a process share no lock with another's."""
    with TestClient(open_app(settings)) as one, TestClient(open_app(settings)) as another:
        for _ in range(10):
            key = uuid4().hex
            turn = iter([one, another] * 3)
            lock = threading.Lock()

            def send(key: str = key, turn: Iterator[TestClient] = turn, lock: threading.Lock = lock) -> Response:
                with lock:
                    client = next(turn)
                return client.post("/v1/networks", json={"name": key, "layers": LAYERS}, headers=under(key))

            responses = at_once(send, 6)
            assert {response.status_code for response in responses} <= {201, 409}
            with database.reading() as session:
                assert session.scalar(select(func.count()).where(NetworkRow.name == key)) == 1
