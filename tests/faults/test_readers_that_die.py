"""The processes that read uploads: they end with the API, however that ends, and the API not with them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import psutil
import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from tests.support.api_process import ApiProcess, running_api
from tests.support.apps import open_app
from tests.support.faults import SOON, has_ended
from tests.support.waiting import wait_for

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TABLE = b"[" + b"[1,2]," * 1_000_000 + b"[1,2]]"
"""Some seconds to read, in Python code and under its lock."""


@pytest.fixture
def api_process(settings: Settings) -> Iterator[ApiProcess]:
    with running_api(settings.model_copy(update={"max_readings": 3})) as api:
        yield api


def fork_server_of(api: ApiProcess) -> psutil.Process:
    (server,) = psutil.Process(api.process.pid).children()
    return server


def upload(api: ApiProcess) -> threading.Thread:
    """An upload that nobody waits for."""

    def post() -> None:
        with suppress(httpx2.TransportError):  # the API is ended
            api.client.post("/v1/datasets", files={"file": ("t.json", TABLE)})

    thread = threading.Thread(target=post)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_all_end_with_the_api(api_process: ApiProcess, settings: Settings, number: signal.Signals) -> None:
    server = fork_server_of(api_process)
    uploads = [upload(api_process) for _ in range(2)]
    wait_for("the readers", lambda: len(server.children()) == 2)
    readers = server.children()
    api_process.process.send_signal(number)
    api_process.process.wait(SOON)
    for process in (server, *readers):
        wait_for("the end of what it started", lambda process=process: has_ended(process))  # type: ignore[misc]
    for thread in uploads:
        thread.join()
    with TestClient(open_app(settings)) as client:
        assert client.get("/v1/datasets").json()["data"] == []
    assert list((settings.data_dir / "uploads").iterdir()) == []
    assert not list((settings.data_dir / "artifacts").rglob("*.parquet"))


def test_a_killed_fork_server_is_replaced(api_process: ApiProcess) -> None:
    server = fork_server_of(api_process)
    reading = upload(api_process)
    (reader,) = wait_for("the reader", server.children)
    server.kill()
    wait_for("the end of its reader", lambda: has_ended(reader))
    reading.join()
    (dataset,) = api_process.client.get("/v1/datasets").json()["data"]
    assert dataset["rows"] == 1_000_001
    assert fork_server_of(api_process) != server


def test_a_client_that_leaves_does_not_keep_the_others_waiting(api_process: ApiProcess, settings: Settings) -> None:
    for _ in range(4):
        with api_process.connect() as connection:
            head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n'
            body = head + b"a,b\n" + b"1,2\n" * 10**6 + b"\r\n--b--\r\n"
            connection.sendall(
                b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
    files = {"file": ("t.csv", b"a,b\n1,2\n")}
    assert api_process.client.post("/v1/datasets", files=files).status_code == 201
    wait_for("the end of all", lambda: not list((settings.data_dir / "uploads").iterdir()))
    wait_for("the end of all readers", lambda: not fork_server_of(api_process).children())
