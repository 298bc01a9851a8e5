"""Whichever form a request comes in, it is the same request."""

from __future__ import annotations

import pytest

from tests.support.api_process import ApiProcess


def ask(api: ApiProcess, request: str) -> tuple[int, bytes]:
    """What the API answers to these lines: the status and all the rest."""
    with api.connect() as connection:
        connection.sendall("\r\n".join([*request.splitlines(), "Connection: close", "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split()[1]), answer


def test_a_target_may_be_a_whole_url(listening: ApiProcess) -> None:
    host = f"127.0.0.1:{listening.port}"
    status, answer = ask(listening, f"GET http://{host}/v1/jobs?limit=3 HTTP/1.1\nHost: {host}")
    assert (status, answer.endswith(b'{"data":[],"has_more":false}')) == (200, True)
    assert ask(listening, f"GET HTTP://{host}/healthz HTTP/1.1\nHost: {host}")[0] == 200
    assert ask(listening, f"GET http://{host}/v1/jobs/%20 HTTP/1.1\nHost: {host}")[0] == 422
    status, answer = ask(listening, f"GET http://{host}?q=nothing HTTP/1.1\nHost: {host}")
    assert (status, b"<h1>Jobs</h1>" in answer) == (200, True)


def test_the_host_of_the_target_is_the_one_that_counts(listening: ApiProcess) -> None:
    host = f"127.0.0.1:{listening.port}"
    status, answer = ask(listening, f"GET http://evil.example/v1/jobs HTTP/1.1\nHost: {host}")
    assert (status, b"key_required" in answer) == (401, True)
    assert ask(listening, f"GET http://somebody@{host}/v1/jobs HTTP/1.1\nHost: evil.example")[0] == 200


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=99999999-", "bytes=", "lines=1-2", "bytes=0-1,5-6,a"])
def test_ranges_are_ignored(listening: ApiProcess, asked: str) -> None:
    icon = "/static-offline-docs/favicon.png"
    whole = listening.client.get(icon)
    part = listening.client.get(icon, headers={"Range": asked})
    assert (part.status_code, part.content) == (200, whole.content)
    assert listening.client.get("/v1/jobs", headers={"Range": asked}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/jobs", "/v1/jobs/x", "/docs", "/openapi.json", "/no"])
def test_head_answers_as_get_without_a_body(listening: ApiProcess, path: str) -> None:
    host = f"127.0.0.1:{listening.port}"

    def head_of(answer: bytes) -> list[bytes]:
        return [line for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n") if not line.startswith(b"date:")]

    got, full = ask(listening, f"GET {path} HTTP/1.1\nHost: {host}")
    asked, short = ask(listening, f"HEAD {path} HTTP/1.1\nHost: {host}")
    assert got == asked
    assert short.partition(b"\r\n\r\n")[2] == b""
    assert head_of(short) == head_of(full)


def test_head_where_there_is_no_get_is_refused(listening: ApiProcess) -> None:
    status, answer = ask(listening, f"HEAD /v1/jobs/x/cancel HTTP/1.1\nHost: 127.0.0.1:{listening.port}")
    assert status == 405
    assert b"allow: POST" in answer
