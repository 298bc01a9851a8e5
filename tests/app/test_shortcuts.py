"""The short way to a prediction gives what the usual way gives, counts what it counts, and leaves it all else."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import pytest
from fastapi import FastAPI

from app.edge.server import Answerer, RequestHead
from app.main import create_app
from tests.support.api_process import running_api
from tests.support.keys import bearing, make_key
from tests.support.service import Service

ROWS: list[list[float]] = [[0.5, -1], [2, 3]]
JSON = {"content-type": "application/json", "accept": "application/json"}


@pytest.fixture
def model_id(service: Service) -> str:
    x = np.random.default_rng(0).normal(size=(40, 2))
    dataset = service.upload_arrays(x=x, y=(x[:, 0] > 0).astype(np.int64))
    network = {"layers": [{"units": 3, "activation": "tanh"}, {"activation": "softmax"}]}
    training = {"iterations": 20, "learning_rate": 0.5}
    body = {"dataset_id": dataset["id"], "targets": ["y"], "task": "classification"}
    job = service.train({**body, "network": network, "training": training})
    service.api.post("/v1/registry", json={"name": "known"})
    service.api.post("/v1/registry/known/versions", json={"model_id": job["model_id"]})
    service.api.put("/v1/registry/known/aliases/champion", json={"version": 1})
    trained: str = job["model_id"]
    return trained


def application(service: Service) -> FastAPI:
    app = service.api.app
    assert isinstance(app, FastAPI)
    return app


def short_way(service: Service, path: str, body: bytes, headers: dict[str, str]) -> Answerer | None:
    sent = {**service.api.headers, **headers, "host": "testserver", "content-length": str(len(body))}
    raw = {name.lower().encode(): value.encode() for name, value in sent.items()}
    return found_answerer(service, RequestHead(b"POST", path.encode(), raw, "http"))


def found_answerer(service: Service, head: RequestHead) -> Answerer | None:
    """What the server would find, in the event loop."""
    portal = service.api.portal
    assert portal is not None
    find: Callable[[RequestHead], Answerer | None] = application(service).state.find_answerer
    return portal.call(find, head)


def tensors(rows: list[list[float]]) -> tuple[bytes, dict[str, str]]:
    raw = np.array(rows, "<f8").tobytes()
    head = {
        "inputs": [
            {"name": "x", "shape": [2, 2], "datatype": "FP64", "parameters": {"binary_data_size": len(raw)}},
        ],
        "outputs": [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "label"}],
    }
    text = json.dumps(head).encode()
    return text + raw, {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(text)),
        "accept-encoding": "identity",
    }


def requests(model_id: str) -> list[tuple[str, bytes, dict[str, str]]]:
    rows = json.dumps({"rows": ROWS}).encode()
    named = json.dumps({"rows": [{"x_1": 1.0, "x_2": 2}]}).encode()
    return [
        (f"/v1/models/{model_id}/predict", rows, JSON),
        (f"/v1/models/{model_id}/predict", named, JSON | {"accept": "*/*"}),
        ("/v1/registry/known@champion/predict", rows, JSON),
        ("/v1/registry/known/versions/1/predict", rows, JSON),
        (f"/v2/models/{model_id}/infer", *tensors(ROWS)),
        ("/v2/models/known/versions/1/infer", *tensors(ROWS)),
    ]


def test_it_gives_the_bytes_of_the_usual_way(service: Service, model_id: str) -> None:
    for path, body, headers in requests(model_id):
        usual = service.api.post(path, content=body, headers=headers)  # which also brings the model into memory
        assert usual.status_code == 200, usual.text
        answerer = short_way(service, path, body, headers)
        assert answerer is not None
        answer = answerer.answer(body)
        assert answer is not None
        assert answer.body == usual.content
        lines = answer.header_lines.decode().removesuffix("\r\n").split("\r\n")
        expected = [f"{name}: {value}" for name, value in usual.headers.items() if name != "content-length"]
        assert sorted(lines) == sorted(expected)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/models/{}/predict", b'{"rows": [[1, 2, 3, 4]]}', JSON),
        ("/v1/models/{}/predict", b'{"rows": [[1e400, 2]]}', JSON),
        ("/v1/models/{}/predict", b'{"rows": []}', JSON),
        ("/v1/models/{}/predict", b"no JSON", JSON),
        ("/v1/models/{}/predict", b'{"rows": [[1, 2]]}', JSON | {"accept": "text/csv"}),
        ("/v1/models/{}/predict", b"x_1,x_2\n1,2\n", {"content-type": "text/csv"}),
        ("/v1/models/mdl_of_nobody/predict", b'{"rows": [[1, 2]]}', JSON),
        ("/v1/registry/known@nowhere/predict", b'{"rows": [[1, 2]]}', JSON),
        ("/v1/registry/known/versions/0/predict", b'{"rows": [[1, 2]]}', JSON),
        ("/v2/models/{}/infer", b"{}", JSON),
        ("/v2/models/{}/infer", b"{}", {"inference-header-content-length": "-1"}),
        ("/v2/models/{}/infer", tensors(ROWS)[0], tensors(ROWS)[1] | {"accept-encoding": "gzip"}),
    ],
)
def test_what_is_wrong_or_unusual_is_left_to_the_usual_way(
    service: Service, model_id: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    service.predict(model_id, ROWS)  # it is in memory from now on
    answerer = short_way(service, path.format(model_id), body, headers)
    assert answerer is not None
    assert answerer.answer(body) is None


@pytest.mark.parametrize(
    "change",
    [
        {"content-encoding": "gzip"},
        {"transfer-encoding": "chunked"},
        {"expect": "100-continue"},
        {"content-length": "0"},
        {"content-length": str(2**20 + 1)},
        {"content-length": "1e3"},
        {"authorization": "Bearer of bad news"},
        {"authorization": "Basic abc"},
    ],
)
def test_requests_that_are_not_plain_have_no_short_way(service: Service, model_id: str, change: dict[str, str]) -> None:
    service.predict(model_id, ROWS)
    path = f"/v1/models/{model_id}/predict".encode()
    plain = {b"content-type": b"application/json", b"content-length": b"9", b"host": b"testserver"}
    plain |= {name.lower().encode(): value.encode() for name, value in service.api.headers.items()}
    assert found_answerer(service, RequestHead(b"POST", path, plain, "http")) is not None
    changed = plain | {name.encode(): value.encode() for name, value in change.items()}
    assert found_answerer(service, RequestHead(b"POST", path, changed, "http")) is None
    assert found_answerer(service, RequestHead(b"GET", path, plain, "http")) is None
    assert found_answerer(service, RequestHead(b"POST", path + b"?unknown_categories=refuse", plain, "http")) is None


def test_each_request_is_counted_once(service: Service, model_id: str) -> None:
    few = create_app(service.settings.model_copy(update={"max_requests_per_second": 3}), frozenset({"testserver"}))
    with type(service.api)(few, headers=dict(service.api.headers)) as api:
        limited = Service(api, service.database, service.artifacts, service.settings)
        path, body = f"/v1/models/{model_id}/predict", json.dumps({"rows": ROWS}).encode()
        assert api.post(path, content=body, headers=JSON).status_code == 200
        left = short_way(limited, path, b"no JSON", JSON)
        for _ in range(20):  # none of these counts, since each is left
            assert left is not None
            assert left.answer(b"no JSON") is None
            left.leave()
            left = short_way(limited, path, b"no JSON", JSON)
        assert left is not None  # it counts as long as nobody leaves it
        assert short_way(limited, path, body, JSON) is not None
        assert short_way(limited, path, body, JSON) is None
        assert api.post(path, content=body, headers=JSON).status_code == 429


def test_on_a_connection_answers_come_in_order_however_their_requests_are_cut(service: Service, model_id: str) -> None:
    rng = random.Random(7)  # noqa: S311  # nothing secret
    path, rows = f"/v1/models/{model_id}/predict", json.dumps({"rows": ROWS}).encode()
    bodies = [rows, b"no JSON", rows, b'{"rows": [[1]]}', rows + b" " * 300_000, rows]
    expected = [service.api.post(path, content=body, headers=JSON) for body in bodies]
    key = service.api.headers.get("authorization") or bearing(make_key(service.database, "default"))["Authorization"]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: {key}\r\n"
    sent = b"".join(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies)
    settings = service.settings.model_copy(update={"slow_body_seconds": 1.0})
    with running_api(settings) as api, api.connect() as connection:
        api.client.post(path, content=rows, headers=JSON | {"authorization": key})  # brings the model into memory
        cuts = sorted(rng.randrange(1, len(sent)) for _ in range(12))
        for start, stop in pairwise([0, *cuts, len(sent)]):
            connection.sendall(sent[start:stop])
            time.sleep(0.02)
        with connection.makefile("rb") as answers:
            for usual in expected:
                status, body = one_answer(answers)
                assert (status, body) == (usual.status_code, usual.content)
            connection.sendall(f"{head}Content-Length: {len(rows)}\r\n\r\n".encode() + rows[:5])
            status, body = one_answer(answers)  # after a while
            assert (status, json.loads(body)["code"]) == (408, "body_too_slow")
            assert answers.read() == b""


def one_answer(answers: BinaryIO) -> tuple[int, bytes]:
    status = int(answers.readline().split()[1])
    length = 0
    while (line := answers.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return status, answers.read(length)


def test_a_key_that_may_not_predict_is_told_so_the_usual_way(service: Service, model_id: str) -> None:
    reader = bearing(make_key(service.database, "default", scopes=("read",)))
    path, body = f"/v1/models/{model_id}/predict", json.dumps({"rows": ROWS}).encode()
    refused = service.api.post(path, content=body, headers=JSON | reader)
    assert refused.status_code == 403
    answerer = short_way(service, path, body, JSON | {name.lower(): value for name, value in reader.items()})
    assert answerer is not None
    assert answerer.answer(body) is None
