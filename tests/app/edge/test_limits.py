"""Limits of this server: each is a setting, and what exceeds it is told which."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from structlog.testing import capture_logs

from app.access.upload_slots import UploadSlots
from domain.access.projects import Project
from infra.errors import TooMany
from infra.settings import Settings
from tests.support.apps import open_app

CSV = b"a,b,label\n2,2,yes\n1,1,no\n3,5,yes\n4,4,no\n"

Limited = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def limited(settings: Settings) -> Limited:
    """Makes an API with these settings."""

    @contextmanager
    def make(**changes: Any) -> Iterator[TestClient]:  # noqa: ANN401
        app = open_app(settings.model_copy(update=changes))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return make


def upload(api: TestClient) -> str:
    dataset_id: str = api.post("/v1/datasets", files={"file": ("t.csv", CSV)}).json()["id"]
    return dataset_id


def submit(api: TestClient, dataset_id: str, **changes: Any) -> Response:  # noqa: ANN401
    body = {
        "dataset_id": dataset_id,
        "targets": ["label"],
        "network": {"layers": [{"units": 2}, {}]},
        "training": {"preset": "tutorial"},
    }
    return api.post("/v1/jobs", json=body | changes)


def assert_refused(response: Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert (status == 429) == ("retry-after" in response.headers)


def test_iterations(limited: Limited) -> None:
    with limited(max_iterations=10) as api:
        dataset_id = upload(api)
        assert submit(api, dataset_id, training={"iterations": 10}).status_code == 202
        refused = submit(api, dataset_id, training={"iterations": 11})
    assert_refused(refused, 413, "too_many_iterations")
    assert refused.json()["errors"][0]["path"] == "/training/iterations"


def test_parameters_and_memory(limited: Limited) -> None:
    with limited(max_parameters=10) as api:
        assert submit(api, upload(api)).status_code == 202  # 2-2-1 has nine
        refused = submit(api, upload(api), network={"layers": [{"units": 3}, {}]})
    assert_refused(refused, 413, "too_many_parameters")
    with limited(max_training_bytes=1000) as api:
        assert_refused(submit(api, upload(api)), 413, "training_too_large")


def test_queued_jobs(limited: Limited) -> None:
    with limited(max_queued_jobs=2) as api:
        dataset_id = upload(api)
        first = submit(api, dataset_id).json()["id"]
        assert submit(api, dataset_id).status_code == 202
        for _ in range(2):
            assert_refused(submit(api, dataset_id), 429, "too_many_queued_jobs")
        api.post(f"/v1/jobs/{first}/cancel")
        assert submit(api, dataset_id).status_code == 202


def test_of_many_jobs_at_once_no_more_are_queued_than_may_be(limited: Limited) -> None:
    with limited(max_queued_jobs=5) as api:
        dataset_id = upload(api)
        start = threading.Barrier(10)
        statuses: list[int] = []

        def one() -> None:
            start.wait()
            statuses.append(submit(api, dataset_id).status_code)

        threads = [threading.Thread(target=one) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [202] * 5 + [429] * 5
        assert len(api.get("/v1/jobs").json()["data"]) == 5


def test_uploads_at_a_time() -> None:
    slots = UploadSlots(2)
    red, blue = Project("red"), Project("blue")
    with slots.one_of(red), slots.one_of(red):
        for _ in range(2):
            with pytest.raises(TooMany) as refused, slots.one_of(red):
                pass
            assert refused.value.code == "too_many_uploads"
        with slots.one_of(blue):
            pass
    with slots.one_of(red):
        pass


def test_an_upload_that_finds_no_slot_is_refused_before_it_is_read(
    limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    with limited(max_uploads=1) as api:
        reached, go_on = threading.Event(), threading.Event()

        def waiting(*_arguments: object) -> None:
            reached.set()
            assert go_on.wait(30)
            raise RuntimeError("an upload that fails gives its slot back, too")

        monkeypatch.setattr("app.v1.datasets._create", waiting)
        first = threading.Thread(target=upload_quietly, args=(api,))
        with capture_logs():
            first.start()
            assert reached.wait(30)
            assert_refused(api.post("/v1/datasets", content=b"no form at all"), 429, "too_many_uploads")
            go_on.set()
            first.join()
        assert api.post("/v1/datasets", content=b"no form at all").json()["code"] == "multipart_required"


def upload_quietly(api: TestClient) -> None:
    api.post("/v1/datasets", files={"file": ("t.csv", CSV)})
