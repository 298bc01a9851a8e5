"""What a client may send that is hardly HTTP: it is answered or cut off, and takes no memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat

import pytest

from app.edge.server import MOST_HEADER_BYTES
from tests.support.api_process import ApiProcess

POST = b"POST /v1/networks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NETWORK = b'{"name": "n", "layers": [{"units": 3}]}'
MEBIBYTE = b"x" * 2**20


def said_to(api: ApiProcess, pieces: Iterator[bytes], most: int = 2**28) -> bytes:
    """What the API says until it closes the connection, to a client that goes on sending."""
    sent = 0
    with api.connect() as connection:
        with suppress(OSError):  # it has closed its side
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
                assert sent < most, "it takes in whatever comes"
        said = b""
        with suppress(ConnectionResetError):
            while received := connection.recv(65536):
                said += received
    return said


@pytest.mark.parametrize(
    ("beginning", "endless"),
    [
        (b"GET /", MEBIBYTE),
        (b"GET /healthz HTTP/1.1\r\nX: ", MEBIBYTE),
        (b"GET /healthz HTTP/1.1\r\n", b"X: y\r\n" * 100_000),
        (CHUNKED + b"1\r\n{\r\n0\r\nX: ", MEBIBYTE),
        (CHUNKED + b"1\r\n{\r\n0\r\n", b"X: y\r\n" * 100_000),
        (CHUNKED + b"1;", MEBIBYTE),
        (CHUNKED, b"1;" + b"x" * 1000 + b"\r\n \r\n"),
    ],
    ids=["a target", "a header", "headers", "a trailer", "trailers", "a chunk's extension", "chunks' extensions"],
)
def test_what_has_no_end_and_is_no_body_is_cut_off(listening: ApiProcess, beginning: bytes, endless: bytes) -> None:
    listening.forget_peak()
    before = listening.memory()
    said = said_to(listening, iter([beginning, *repeat(endless, 300)]))
    assert said == b"" or said.startswith(b"HTTP/1.1 400")
    assert listening.peak_memory() < before + 40 * 2**20
    assert listening.client.get("/healthz").is_success


def test_headers_may_be_long_and_not_too_long(listening: ApiProcess) -> None:
    for length, status in ((MOST_HEADER_BYTES - 1000, b"200"), (MOST_HEADER_BYTES, b"400")):
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * length + b"\r\nConnection: close\r\n\r\n"
        assert said_to(listening, iter([request])).split()[1] == status


def test_a_body_may_come_in_chunks_of_a_byte_with_trailers(listening: ApiProcess) -> None:
    long = NETWORK + b" " * 100_000
    chunks = b"".join(b"1\r\n" + long[place : place + 1] + b"\r\n" for place in range(len(long)))
    request = CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + chunks + b"0\r\nX: y\r\n\r\n"
    assert said_to(listening, iter([request])).startswith(b"HTTP/1.1 201")


def test_requests_that_come_all_at_once_are_answered_one_after_the_other(listening: ApiProcess) -> None:
    one = POST + b"Content-Length: %d\r\n\r\n" % len(NETWORK) + NETWORK
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    said = said_to(listening, iter([one * 20 + last]))
    assert said.count(b"HTTP/1.1 201") == 20
    assert said.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize(
    "line",
    [
        b"OPTIONS * HTTP/1.1",
        b"CONNECT 127.0.0.1:1 HTTP/1.1",
        b"CONNECT http://127.0.0.1/healthz HTTP/1.1",
        b"GET nothing HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET /v1/%ff HTTP/1.1",
        b"GET //v1/jobs HTTP/1.1",
        b"BREW / HTTP/1.1",
        b"GET / HTTP/9.9",
        b"\x16\x03\x01",
    ],
)
def test_odd_first_lines_are_refused(listening: ApiProcess, line: bytes) -> None:
    said = said_to(listening, iter([line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"]))
    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 405")), said


@pytest.mark.parametrize("line", [b"GET http:// HTTP/1.1", b"GET http://[::1/ HTTP/1.1"])
def test_a_whole_url_that_names_nothing_is_the_first_page_of_no_host_that_needs_no_key(
    listening: ApiProcess, line: bytes
) -> None:
    said = said_to(listening, iter([line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"]))
    assert said.startswith(b"HTTP/1.1 303")
    assert b"location: /sign-in?next=%2F" in said


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(NETWORK)


def test_a_protocol_that_is_not_spoken_is_not_changed_to(listening: ApiProcess) -> None:
    upgrade = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"
    assert said_to(listening, iter([upgrade])).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "pieces",
    [
        [POST + UPGRADE + LENGTH + NETWORK],
        [POST + UPGRADE, LENGTH + NETWORK[:9], NETWORK[9:]],
        [POST + UPGRADE + LENGTH, NETWORK],
        [POST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(NETWORK), NETWORK + b"\r\n0\r\n\r\n"],
    ],
    ids=["at once", "in pieces", "the body later", "in chunks"],
)
def test_the_body_of_a_request_that_asks_for_another_protocol_is_its_body(
    listening: ApiProcess, pieces: list[bytes]
) -> None:
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    said = said_to(listening, iter([*pieces, *pieces, last]))
    assert said.count(b"HTTP/1.1 201") == 2
    assert said.endswith(b'{"status":"ok"}')
