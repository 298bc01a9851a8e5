"""Requests that fail for a while are sent again, safely; all others are told of."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest

from backprop_client import (
    AsyncBackprop,
    Backprop,
    BackpropError,
    Conflict,
    ConnectionFailed,
    Invalid,
    NotFound,
    Refused,
    ServerFailed,
    TimedOut,
    TooMany,
    UnreadableAnswer,
)
from backprop_client.errors import OF_STATUS, Failed, refusal
from backprop_client.wire.problems import ProblemField

Handler = Callable[[httpx2.Request], httpx2.Response]
NETWORK = {"id": "net_1", "name": "n", "layers": [], "created_at": "2026-01-01T00:00:00Z"}


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client has waited. It does not."""
    waited: list[float] = []
    monkeypatch.setattr("backprop_client.transport.sending.time.sleep", waited.append)
    return waited


def client(handler: Handler, **options: Any) -> Backprop:  # noqa: ANN401  # of a client
    return Backprop(
        "key_x", "http://service", http_client=httpx2.Client(transport=httpx2.MockTransport(handler)), **options
    )


def problem(status: int, code: str, **headers: str) -> httpx2.Response:
    said = {"type": "about:blank", "title": "t", "status": status, "code": code, "detail": "It is so.", "errors": []}
    return httpx2.Response(status, json=said, headers=headers)


class Answers:
    """Answers one after the other, and remembers what was asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers: Iterator[httpx2.Response | Exception] = iter(answers)
        self.requests: list[httpx2.Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.bodies.append(request.read())
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("nobody listens"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
        problem(408, "body_too_slow"),
        problem(409, "request_in_progress"),
        problem(429, "too_many_requests"),
        problem(500, "internal_error"),
        httpx2.Response(502, text="<html>a proxy"),
        problem(503, "unavailable"),
    ],
    ids=lambda failure: repr(failure)[:40],
)
def test_what_fails_for_a_while_is_sent_again_as_the_same_request(
    failure: httpx2.Response | Exception, delays: list[float]
) -> None:
    answers = Answers(failure, failure, httpx2.Response(201, json=NETWORK))
    assert client(answers).networks.create(name="n", layers=[]).id == "net_1"
    assert len(delays) == 2
    assert 0.3 < delays[0] < delays[1] < 1.1
    for header in ("Idempotency-Key", "X-Request-Id", "Authorization"):
        assert len({request.headers[header] for request in answers.requests}) == 1
    assert len(set(answers.bodies)) == 1


def test_another_request_has_another_key(delays: list[float]) -> None:
    answers = Answers(*[httpx2.Response(201, json=NETWORK) for _ in range(2)])
    with client(answers) as one:
        one.networks.create(name="n", layers=[])
        one.networks.create(name="n", layers=[])
    assert len({request.headers["Idempotency-Key"] for request in answers.requests}) == 2
    assert not delays


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (problem(404, "network_not_found"), NotFound),
        (problem(409, "network_in_use"), Conflict),
        (problem(422, "invalid_request"), Invalid),
        (httpx2.UnsupportedProtocol("ftp"), ConnectionFailed),
    ],
    ids=lambda failure: repr(failure)[:40],
)
def test_what_would_fail_again_is_not_sent_again(
    failure: httpx2.Response | Exception, kind: type[BackpropError], delays: list[float]
) -> None:
    answers = Answers(failure)
    with pytest.raises(kind):
        client(answers).networks.get("net_1")
    assert not delays


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (problem(429, "too_many_requests"), TooMany),
        (problem(503, "unavailable"), ServerFailed),
        (httpx2.ReadTimeout("slow"), TimedOut),
        (httpx2.ConnectError("nobody listens"), ConnectionFailed),
    ],
    ids=lambda failure: repr(failure)[:40],
)
def test_in_the_end_it_is_told_of(
    failure: httpx2.Response | Exception, kind: type[BackpropError], delays: list[float]
) -> None:
    answers = Answers(*[failure] * 6)
    with pytest.raises(kind) as raised:
        client(answers, max_retries=5).networks.get("net_1")
    assert len(answers.requests) == 6
    assert delays == sorted(delays)
    assert delays[-1] <= 8
    assert isinstance(raised.value, Refused | ConnectionFailed)
    assert raised.value.request_id == answers.requests[0].headers["X-Request-Id"]


def test_it_waits_as_long_as_it_is_asked_to_but_not_for_ever(delays: list[float]) -> None:
    patient = problem(429, "too_many_requests", **{"Retry-After": "7"})
    answers = Answers(patient, httpx2.Response(200, json=NETWORK))
    client(answers).networks.get("net_1")
    assert delays == [7]
    with pytest.raises(TooMany):
        client(Answers(problem(429, "too_many_requests", **{"Retry-After": "3600"}))).networks.get("net_1")


def test_a_time_to_come_back_at_is_waited_for(delays: list[float]) -> None:
    soon = formatdate(time.time() + 20, usegmt=True)
    odd = ("soon", "nan", "-inf", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 +99999999999999")
    for said, least, most in ((soon, 15, 20), *((each, 0, 1) for each in odd)):
        busy = problem(503, "unavailable", **{"Retry-After": said})
        client(Answers(busy, httpx2.Response(200, json=NETWORK))).networks.get("net_1")
        assert least < delays.pop() <= most


def test_a_file_is_sent_from_where_it_stood(delays: list[float], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,2\n")
    for content in (path, str(path), path.read_bytes(), path.open("rb"), io.BytesIO(path.read_bytes())):
        answers = Answers(problem(503, "unavailable"), problem(422, "no_rows"))
        with pytest.raises(Invalid):
            client(answers).datasets.create(content, name="é", tags=["a"])
        assert all(path.read_bytes() in body for body in answers.bodies)
        if isinstance(content, io.IOBase):
            content.close()


@contextmanager
def a_pipe(content: bytes) -> Iterator[IO[bytes]]:
    """What can be read once, whose size the system says is 0."""
    end, other_end = os.pipe()
    os.write(other_end, content)
    os.close(other_end)
    with os.fdopen(end, "rb") as file:
        yield file


def test_what_can_be_read_once_is_sent_once(delays: list[float]) -> None:
    answers = Answers(problem(503, "unavailable"))
    with a_pipe(b"a\n1\n") as pipe, pytest.raises(ServerFailed):
        client(answers).models.predict_file("mdl_1", pipe, media_type="text/csv").read()
    assert answers.bodies == [b"a\n1\n"]
    assert not delays


class NobodyAtFirst(httpx2.BaseTransport):
    """Nobody listens at first, so nothing is read of a request; then each is refused."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self._tries = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._tries += 1
        if self._tries == 1:
            raise httpx2.ConnectError("nobody listens")
        self.bodies.append(request.read())
        return problem(422, "no_rows")


def test_what_can_be_read_once_is_sent_when_somebody_is_there(delays: list[float]) -> None:
    for in_a_form in (False, True):
        transport = NobodyAtFirst()
        with httpx2.Client(transport=transport) as over, a_pipe(b"a\n1\n") as pipe, pytest.raises(Invalid):
            send(Backprop(None, "http://s", http_client=over), pipe, in_a_form)
        assert b"a\n1\n" in transport.bodies[0]
        assert delays.pop()


def send(one: Any, file: IO[bytes], in_a_form: bool) -> Any:  # noqa: ANN401  # either client, which is awaited or not
    """Send a file as a part of a request, or as all of it."""
    return one.datasets.create(file) if in_a_form else one.models.predict_file("m", file, media_type="text/csv").read()


def some_files(folder: Path) -> Iterator[IO[bytes]]:
    """Files that give the line ``1,2``, though other lengths than its own can be had of them."""
    with gzip.open(folder / "a.gz", "wb") as file:
        file.write(b"1,2\n" * 1000)
    with gzip.open(folder / "a.gz", "rb") as unpacked:
        yield unpacked  # type: ignore[misc]  # it is one
    with a_pipe(b"1,2\n") as pipe:
        yield pipe
    (folder / "b.csv").write_bytes(b"# about\n1,2\n")
    for buffering in (0, -1):
        with (folder / "b.csv").open("rb", buffering) as file_with_a_preface:
            file_with_a_preface.readline()
            yield file_with_a_preface
    in_memory = io.BytesIO(b"# about\n1,2\n")
    in_memory.readline()
    yield in_memory
    with tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(b"1,2\n")
        spooled.seek(0)
        yield spooled


@pytest.mark.parametrize("in_a_loop", [False, True])
@pytest.mark.parametrize("in_a_form", [False, True])
def test_a_file_is_as_long_as_what_it_gives(in_a_loop: bool, in_a_form: bool, tmp_path: Path) -> None:
    async def ask_in_a_loop(answers: Answers, file: IO[bytes]) -> None:
        async def service(request: httpx2.Request) -> httpx2.Response:
            await request.aread()
            return answers(request)

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(service)) as over:
            await send(AsyncBackprop("k", "http://s", http_client=over), file, in_a_form)

    for file in some_files(tmp_path):
        answers = Answers(problem(422, "no_rows"))
        with pytest.raises(Invalid):
            if in_a_loop:
                asyncio.run(ask_in_a_loop(answers, file))
            else:
                send(client(answers), file, in_a_form)
        (request,), (body,) = answers.requests, answers.bodies
        assert b"1,2\n" in body
        assert b"about" not in body
        assert int(request.headers.get("Content-Length", len(body))) == len(body)


class Damaged(httpx2.SyncByteStream):
    """What is said to be compressed, and is not."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"nonsense"


def test_a_file_of_texts_is_refused_before_it_is_sent() -> None:
    one = client(Answers())
    for ask in (
        lambda: one.datasets.create(io.StringIO("a,b\n1,2\n")),  # type: ignore[arg-type]
        lambda: one.models.predict_file("mdl_1", io.StringIO("a\n1\n"), media_type="text/csv").read(),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match='open it with "rb"'):
            ask()


def test_numbers_that_are_not_finite_are_not_sent_as_missing() -> None:
    answers = Answers(httpx2.Response(200, json={}))
    with pytest.raises(UnreadableAnswer):
        client(answers).models.predict("mdl_1", [[float("nan"), float("inf"), None]])
    assert answers.bodies == [b'{"rows":[[NaN,Infinity,null]]}']


def test_an_answer_of_something_else_is_told_of() -> None:
    damaged = httpx2.Response(200, stream=Damaged(), headers={"Content-Encoding": "gzip"})
    for answer in (httpx2.Response(200, text="<html>"), httpx2.Response(200, json=[1]), damaged):
        with pytest.raises(UnreadableAnswer, match="http://service/v1/networks/net_1"):
            client(Answers(answer)).networks.get("net_1")
    with pytest.raises(Refused, match="418") as raised:
        client(Answers(httpx2.Response(418, text="tea"))).networks.get("net_1")
    assert (raised.value.status, raised.value.code) == (418, "")


def test_a_newer_service_may_say_more() -> None:
    assert client(Answers(httpx2.Response(200, json=NETWORK | {"mood": "good"}))).networks.get("net_1").id == "net_1"


def test_errors_say_where_and_what_to_do_and_survive_a_trip_through_pickle() -> None:
    fields = [ProblemField(path=f"/rows/{row}", message=f"Row {row} is bad.") for row in range(8)]
    error = refusal(422, "invalid_rows", "Row 0 is bad.", fields, "r1")
    assert str(error).splitlines()[0] == "Row 0 is bad."
    assert str(error).endswith("… and 2 more")
    assert error.remedy
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (type(again), str(again), again.errors) == (Invalid, str(error), error.errors)
    for lost in (ConnectionFailed("Gone.", "r2"), TimedOut("Late.", "r3")):
        found = pickle.loads(pickle.dumps(lost))  # noqa: S301  # our own
        assert (type(found), str(found), found.request_id) == (type(lost), str(lost), lost.request_id)
    failed = Failed("job_1", "diverged", "J is not finite.")
    assert str(pickle.loads(pickle.dumps(failed))) == str(failed)  # noqa: S301  # our own
    assert all(kind.__doc__ and str(status) in kind.__doc__ for status, kind in OF_STATUS.items())


def test_nothing_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKPROP_API_KEY", "key_secret")
    monkeypatch.setenv("BACKPROP_URL", "http://elsewhere:1/")
    one = Backprop()
    assert one.connection.base_url == "http://elsewhere:1"
    assert one.connection.api_key == "key_secret"
    assert "secret" not in repr(one) + repr(one.connection) + repr(one.jobs)
    assert Backprop("").connection.api_key is None  # none, whatever the variable says


@pytest.mark.parametrize("key", ["key_sécret", "key_secret\nX-Other: 1", "key secret"])
def test_what_can_be_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as refusal_:
        Backprop(key)
    assert "cret" not in str(refusal_.value)
    assert Backprop(" key_x\n").connection.api_key == "key_x"
    with pytest.raises(ValueError, match="password") as refusal_:
        Backprop(None, "http://me:secret@service")
    assert "secret" not in str(refusal_.value)


def test_own_headers_take_the_place_of_the_usual_ones() -> None:
    answers = Answers(*[httpx2.Response(201, json=NETWORK) for _ in range(2)])
    one = client(answers).with_options(headers={"idempotency-key": "mine", "X-MINE": "1"})
    one.with_options(headers={"authorization": "Basic x", "x-mine": "2"}).networks.create(name="n", layers=[])
    for header, said in (("Idempotency-Key", "mine"), ("Authorization", "Basic x"), ("X-Mine", "2")):
        assert answers.requests[0].headers.get_list(header) == [said]


def test_the_answer_itself_is_to_be_had_of_what_is_asked_for_only() -> None:
    answers = Answers(httpx2.Response(200, content=b"weights", headers={"X-Request-Id": "r9"}))
    raw = client(answers).with_raw_response(lambda one: one.models.weights("mdl_1").read())
    assert (raw.parsed, raw.status, raw.request_id) == (b"weights", 200, "r9")
    with pytest.raises(ValueError, match="Nothing has been asked for"):
        client(answers).with_raw_response(lambda one: one.models.weights("mdl_1"))


def test_options_hold_for_the_client_that_has_them() -> None:
    answers = Answers(*[httpx2.Response(200, json=NETWORK) for _ in range(2)])
    one = client(answers)
    one.with_options(timeout=3, headers={"X-Mine": "1"}).networks.get("net_1")
    one.networks.get("net_1")
    assert [request.headers.get("X-Mine") for request in answers.requests] == ["1", None]
    assert [request.extensions["timeout"]["read"] for request in answers.requests] == [3, 60]


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_would_make_another_address_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        client(Answers()).jobs.delete(name)


def test_a_name_stays_a_part_of_its_address() -> None:
    answers = Answers(problem(404, "network_not_found"))
    with pytest.raises(NotFound):
        client(answers).networks.get("../a?b#c/é")
    assert answers.requests[0].url.raw_path == b"/v1/networks/..%2Fa%3Fb%23c%2F%C3%A9"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://service", "http://", "http://a\nb", "service"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Backprop(base_url=url)
