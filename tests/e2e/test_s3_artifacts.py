"""Datasets in S3: everything that reads or writes them, on two servers, also while one is away."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Unavailable
from infra.processes import stop
from infra.settings import Settings
from tests.conftest import start_worker
from tests.support.apps import open_app
from tests.support.faults import ended, job_of
from tests.support.s3 import S3Server, moto, seaweedfs
from tests.support.service import Service, csv_text
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("s3")

BOUNDED = 25.0
"""Seconds within which a request is answered though the store is silent: three attempts of 3 s, and some."""


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from started(seaweedfs(tmp_path_factory.mktemp("weed")))


@pytest.fixture(scope="module")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from started(moto(tmp_path_factory.mktemp("moto")))


def started(server: S3Server) -> Iterator[S3Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["moto_server", "weed"])
def server(request: pytest.FixtureRequest) -> S3Server:
    server: S3Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite only: where datasets are has nothing to do with the database."""
    path = tmp_path / "test.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{path}"


def table() -> str:
    x = np.random.default_rng(0).normal(size=(200, 3))
    return csv_text(["a", "b", "c", "y"], np.column_stack([x, x.sum(axis=1)]).tolist())


def body(dataset: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "network": {"layers": [{"units": 4, "activation": "tanh"}, {"activation": "linear"}]},
        "holdout": 0.2,
        "training": {"preset": "tutorial", "iterations": 200},
    }


class Stack:
    """The API in this process and a real worker, with their datasets on a server."""

    def __init__(self, settings: Settings, server: S3Server, cleanup: ExitStack) -> None:
        self.settings = settings.model_copy(update={"artifacts_uri": server.uri, "reconcile_seconds": 0.3})
        client = TestClient(open_app(self.settings), raise_server_exceptions=False)
        self.api = cleanup.enter_context(client)
        database = Database(self.settings.resolved_database_url)
        cleanup.callback(database.close)
        self.service = Service(self.api, database, ArtifactStore(server.uri), self.settings)
        self._cleanup = cleanup

    def start_worker(self) -> subprocess.Popen[bytes]:
        worker = start_worker(self.settings)
        self._cleanup.callback(stop, worker)
        return worker


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_from_an_upload_to_a_prediction_and_away_again(
    settings: Settings, server: S3Server, cleanup: ExitStack
) -> None:
    stack = Stack(settings, server, cleanup)
    stack.start_worker()
    before = set(server.keys())
    dataset = stack.service.upload_csv(table())
    assert set(server.keys()) - before == {f"datasets/{dataset['id']}.parquet"}
    shown = stack.api.get(f"/v1/datasets/{dataset['id']}/preview", params={"rows": 2}).json()
    assert len(shown["rows"]) == 2
    job = ended(stack.service, stack.service.submit({**body(dataset), "gradient_check": True})["id"])
    assert (job["status"], job["attempt"]) == ("succeeded", 1), job
    assert stack.service.predict(job["model_id"], [{"a": 1, "b": 1, "c": 1}])
    assert stack.api.post(f"/v1/models/{job['model_id']}/gradient-check").status_code == 200
    assert stack.api.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert set(server.keys()) == before


def refused(stack: Stack, method: str, path: str, **request: Any) -> None:  # noqa: ANN401
    began = time.monotonic()
    response = stack.api.request(method, path, **request)
    assert (response.status_code, response.json()["code"]) == (503, "artifacts_unavailable"), response.text
    assert response.headers["Retry-After"]
    assert time.monotonic() - began < BOUNDED


def test_a_store_that_is_away_is_told_waited_for_and_used_again(
    weed: S3Server, settings: Settings, cleanup: ExitStack
) -> None:
    stack = Stack(settings, weed, cleanup)
    dataset = stack.service.upload_csv(table())
    before = set(weed.keys())
    weed.stop()
    refused(stack, "POST", "/v1/datasets", files={"file": ("more.csv", table().encode())})
    refused(stack, "GET", f"/v1/datasets/{dataset['id']}/preview")
    refused(stack, "DELETE", f"/v1/datasets/{dataset['id']}")
    stack.start_worker()
    waiting = stack.service.submit(body(dataset))["id"]
    unwanted = stack.service.submit(body(dataset))["id"]
    wait_for("an attempt", lambda: job_of(stack.service, waiting)["attempt"])
    time.sleep(4)  # twice as long as a worker waits before it asks the store again
    assert stack.api.post(f"/v1/jobs/{unwanted}/cancel").status_code == 200
    assert [job_of(stack.service, waiting)[name] for name in ("status", "error")] == ["running", None]

    weed.start()
    assert set(weed.keys()) == before  # what was refused left nothing
    job = ended(stack.service, waiting)
    assert (job["status"], job["attempt"]) == ("succeeded", 1), job
    assert stack.service.upload_csv(table())
    assert stack.api.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert job_of(stack.service, waiting)["status"] == "succeeded"


def test_a_job_that_waits_for_its_dataset_can_be_cancelled(
    weed: S3Server, settings: Settings, cleanup: ExitStack
) -> None:
    stack = Stack(settings, weed, cleanup)
    dataset = stack.service.upload_csv(table())
    weed.stop()
    try:
        stack.start_worker()
        job = stack.service.submit(body(dataset))["id"]
        wait_for("an attempt", lambda: job_of(stack.service, job)["attempt"])
        stack.api.post(f"/v1/jobs/{job}/cancel")
        assert ended(stack.service, job)["status"] == "cancelled"
    finally:
        weed.start()


def test_a_store_that_falls_silent_is_given_up(weed: S3Server, settings: Settings, cleanup: ExitStack) -> None:
    stack = Stack(settings, weed, cleanup)
    dataset = stack.service.upload_csv(table())
    with weed.silent():
        refused(stack, "GET", f"/v1/datasets/{dataset['id']}/preview")
    assert stack.api.get(f"/v1/datasets/{dataset['id']}/preview").status_code == 200


def test_the_api_starts_while_the_store_is_away(tmp_path: Path, settings: Settings, cleanup: ExitStack) -> None:
    stack = Stack(settings, moto(tmp_path), cleanup)  # not started
    assert stack.api.get("/readyz").status_code == 200
    refused(stack, "POST", "/v1/datasets", files={"file": ("table.csv", table().encode())})
    assert stack.api.get("/v1/datasets").json()["data"] == []


def test_a_large_file_arrives_whole_and_once(weed: S3Server, tmp_path: Path) -> None:
    store = ArtifactStore(weed.uri)
    file = tmp_path / "large"
    content = np.random.default_rng(0).bytes(25 * 2**20)
    file.write_bytes(content)
    before = set(weed.keys())
    store.add("large", file)
    assert set(weed.keys()) - before == {"large"}
    with store.reading("large") as stream:
        stream.seek(7)
        assert stream.read() == content[7:]
    store.delete("large")
    store.delete("large")
    assert not store.exists("large")
    with pytest.raises(FileNotFoundError), store.reading("large"):
        pass


@pytest.mark.parametrize("size", [10, 25 * 2**20])
@pytest.mark.parametrize("change", [("the-key", "another-key"), ("@bucket/", "@no-such-bucket/")])
def test_a_refusal_is_no_success(weed: S3Server, tmp_path: Path, size: int, change: tuple[str, str]) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(size))
    with pytest.raises(Unavailable) as refused:
        ArtifactStore(weed.uri.replace(*change)).add("a", file)
    assert refused.value.code == "artifacts_unavailable"
