from __future__ import annotations

import gzip
import json
import zlib

import anyio
import pytest
from fastapi.testclient import TestClient
from starlette.types import Message

from app.edge.decompression import WINDOW_BITS, Decompression
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.service import Service

NETWORK = json.dumps({"name": "n", "layers": [{"units": 3, "activation": "tanh"}]}).encode()
JSON = {"Content-Type": "application/json"}


def sent(api: TestClient, body: bytes, coding: str) -> tuple[int, str | None]:
    response = api.post("/v1/networks", content=body, headers={**JSON, "Content-Encoding": coding})
    return response.status_code, response.json().get("code")


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_body_in_gzip_is_read(api: TestClient, coding: str) -> None:
    assert sent(api, gzip.compress(NETWORK), coding) == (201, None)


def test_a_body_in_deflate_is_read(api: TestClient) -> None:
    assert sent(api, zlib.compress(NETWORK), "deflate") == (201, None)
    assert sent(api, zlib.compress(NETWORK)[:-3], "deflate") == (400, "malformed_gzip")
    assert sent(api, gzip.compress(NETWORK), "deflate") == (400, "malformed_gzip")


def test_several_members_are_one_body(api: TestClient) -> None:
    assert sent(api, gzip.compress(NETWORK[:10]) + gzip.compress(NETWORK[10:]), "gzip") == (201, None)


def test_identity_is_no_coding(api: TestClient) -> None:
    assert sent(api, NETWORK, "identity") == (201, None)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
def test_other_codings_are_refused_by_name(api: TestClient, coding: str) -> None:
    response = api.post("/v1/networks", content=NETWORK, headers={**JSON, "Content-Encoding": coding})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_coding")
    assert coding in response.json()["detail"]
    assert response.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    "body",
    [NETWORK, gzip.compress(NETWORK)[:-9], gzip.compress(NETWORK)[:5], gzip.compress(NETWORK) + b"more"],
    ids=["plain", "without its end", "a part of its head", "with more behind it"],
)
def test_a_damaged_body_is_told_as_such(api: TestClient, body: bytes) -> None:
    assert sent(api, body, "gzip") == (400, "malformed_gzip")


def test_the_limit_is_that_of_the_decoded_size(settings: Settings) -> None:
    small = settings.model_copy(update={"max_request_bytes": 10_000})
    bomb = gzip.compress(b'{"name": "' + b"a" * 100_000_000 + b'"}')
    assert len(bomb) < 100_000 + 10_000
    with TestClient(open_app(small), raise_server_exceptions=False) as api:
        assert sent(api, gzip.compress(NETWORK), "gzip") == (201, None)
        assert sent(api, gzip.compress(b'{"name": "' + b"a" * 20_000 + b'"}'), "gzip") == (413, "request_too_large")
        assert sent(api, bomb, "gzip") == (413, "request_too_large")


def test_an_upload_may_come_in_gzip(service: Service) -> None:
    boundary = "boundary"
    table = "a,b\n" + "1,2\n" * 100_000
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n'
    body = f"{head}{table}\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Encoding": "gzip"}
    response = service.api.post("/v1/datasets", content=gzip.compress(body), headers=headers)
    assert response.status_code == 201, response.text
    assert (response.json()["rows"], response.json()["bytes"]) == (100_000, len(table))


def test_several_lines_are_one_list(api: TestClient) -> None:
    for lines in (["gzip", "br"], ["gzip", "gzip"], ["br", "identity"]):
        headers = [("content-type", "application/json"), *(("content-encoding", line) for line in lines)]
        assert api.post("/v1/networks", content=gzip.compress(NETWORK), headers=headers).status_code == 415
    headers = [("content-type", "application/json"), ("content-encoding", "identity"), ("content-encoding", "gzip")]
    assert api.post("/v1/networks", content=gzip.compress(NETWORK), headers=headers).status_code == 201


def test_members_with_nothing_in_them_are_no_way_round_the_limit(api: TestClient) -> None:
    assert sent(api, gzip.compress(b"") * 100 + gzip.compress(NETWORK), "gzip") == (201, None)
    assert sent(api, gzip.compress(b"") * 50_000, "gzip") == (400, "malformed_gzip")


def test_past_the_end_the_client_s_leaving_is_passed_on() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": gzip.compress(b"content"), "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def everything() -> list[Message]:
        body = Decompression(receive, WINDOW_BITS["gzip"])
        return [await body.receive() for _ in range(3)]

    assert anyio.run(everything) == [
        {"type": "http.request", "body": b"content", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]
