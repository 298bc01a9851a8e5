"""Clients that send a byte now and then, or nothing at all, hold neither threads nor connections for long."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.support.api_process import ApiProcess, running_api
from tests.support.waiting import wait_for

PATIENCE = 1.0
HEAD = b"POST /v1/networks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
UPLOAD = b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n'
LONG = b"Content-Length: 100000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(migrated_sqlite: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    """An API that waits a second."""
    folder = tmp_path_factory.mktemp("impatient")
    shutil.copy(migrated_sqlite, folder / "test.db")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'test.db'}",
        redis_url=redis_url,
        slow_body_seconds=PATIENCE,
    )
    with running_api(settings) as api:
        yield api


def drip(connection: socket.socket, piece: bytes) -> bytes:
    """Send the piece again and again, ever so slowly, until the server has had enough; gives what it said."""
    connection.settimeout(0.1)
    said = b""
    gave_up = time.monotonic() + 20
    while time.monotonic() < gave_up:
        with suppress(OSError):  # it has closed its side; what it said is still there to be read
            connection.sendall(piece)
        try:
            received = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return said
        said += received
        if not received:
            return said
    raise AssertionError(f"after 20 seconds the server still listens; it said {said!r}")


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (HEAD + LONG, b" "),
        (HEAD + CHUNKED, b"1\r\n \r\n"),
        (UPLOAD + LONG + PART, b"1"),
        (UPLOAD + CHUNKED, b"1\r\n-\r\n"),
    ],
    ids=["json", "json in chunks", "upload", "upload in chunks"],
)
def test_a_body_that_drips_is_given_up(impatient: ApiProcess, head: bytes, piece: bytes) -> None:
    with impatient.connect() as connection:
        connection.sendall(head)
        said = drip(connection, piece)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in said
    assert b'"code":"body_too_slow"' in said
    assert b"connection: close" in said.lower()


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [(b"", b""), (b"GET /healthz HT", b""), (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"y")],
    ids=["nothing", "part of a line", "a header without end"],
)
def test_a_request_that_never_begins_is_given_up(impatient: ApiProcess, beginning: bytes, piece: bytes) -> None:
    with impatient.connect() as connection:
        connection.sendall(beginning)
        assert drip(connection, piece) == b""


def test_so_is_one_after_others_on_the_same_connection(impatient: ApiProcess) -> None:
    with impatient.connect() as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b""
            while not said.endswith(b'{"status":"ok"}'):
                said += connection.recv(65536)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        assert drip(connection, b"y") == b""


def test_a_client_that_leaves_what_it_was_refused_for_unsent_is_let_go(impatient: ApiProcess) -> None:
    with impatient.connect() as connection:
        connection.sendall(HEAD.replace(b"/v1/networks", b"/v2/nothing") + LONG)
        said = drip(connection, b"")
    assert said.startswith(b"HTTP/1.1 404")


def test_a_large_upload_that_is_refused_gets_its_answer(impatient: ApiProcess) -> None:
    response = impatient.client.post(
        "/v1/datasets", content=bytes(8 * 2**20), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (response.status_code, response.json()["code"]) == (422, "malformed_multipart")


def test_a_hundred_slow_clients_hold_no_threads_and_no_memory(impatient: ApiProcess) -> None:
    impatient.client.get("/v1/networks").raise_for_status()
    threads, memory = impatient.threads(), impatient.memory()
    connections = [impatient.connect() for _ in range(100)]
    try:
        for connection in connections:
            connection.sendall(HEAD + LONG)
        assert impatient.client.get("/v1/networks").is_success  # others are served meanwhile
        wait_for("their end", lambda: all(_is_closed(connection) for connection in connections), seconds=20)
    finally:
        for connection in connections:
            connection.close()
    assert impatient.threads() <= threads + 40  # the pool that all requests share
    assert impatient.memory() < memory + 50 * 2**20


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True
