"""One try to deliver: whatever the address and the receiver are like, it ends, and its outcome can be kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from app.deliveries import sending
from app.deliveries.sending import deliver, new_client
from domain.webhooks.addresses import resolved
from domain.webhooks.deliveries import Due, Outcome
from domain.webhooks.schedule import LONGEST_WISH, next_delay
from domain.webhooks.secrets import new_secret
from infra.tables import Webhook
from tests.support.receiver import receiving


def due_at(url: str) -> Due:
    webhook = Webhook(id="wh_1", url=url, secret=new_secret(), previous_secret=None, previous_until=None)
    return Due("msg_1", webhook, "{}", "token")


def tried(url: str, answer: httpx2.Response | Exception) -> Outcome:
    """The outcome of a try at a public address, where somebody answers so."""

    def answered(_request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def once() -> Outcome:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answered)) as client:
            return await deliver(client, due_at(url), False, lambda _host, _port: ["93.184.215.14"])

    return asyncio.run(once())


@pytest.mark.parametrize(
    "url", [f"http://{'a' * 64}.example/", "http://a..example/", "http://xn--a/", "http://a b/", "example.org", ""]
)
def test_a_host_that_no_name_can_be_is_an_outcome(url: str) -> None:
    """Such were kept before they were refused."""

    async def once() -> Outcome:
        async with new_client() as client:
            return await deliver(client, due_at(url), False)

    outcome = asyncio.run(once())
    assert outcome.status is None
    assert outcome.error


def test_so_is_a_name_that_python_cannot_look_up() -> None:
    with pytest.raises(UnicodeError):
        resolved("a..example", 80)

    async def once() -> Outcome:
        async with new_client() as client:
            return await deliver(client, due_at("http://a.example/"), False, lambda _h, port: resolved("a..b", port))

    assert "label" in (asyncio.run(once()).error or "")


@pytest.mark.parametrize(
    ("url", "name"), [("https://straße.example/", "xn--strae-oqa.example"), ("https://a.example./", "a.example.")]
)
def test_the_name_that_is_looked_up_is_the_one_that_is_asked(url: str, name: str) -> None:
    asked: list[httpx2.Request] = []
    looked_up: list[str] = []

    def answered(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, content=_nothing())

    def addresses(host: str, _port: int) -> list[str]:
        looked_up.append(host)
        return ["93.184.215.14"]

    async def once() -> Outcome:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answered)) as client:
            return await deliver(client, due_at(url), False, addresses)

    assert asyncio.run(once()).error is None
    (request,) = asked
    assert looked_up == [name] == [request.headers["Host"]]
    assert request.extensions["sni_hostname"] == name.removesuffix(".")  # no certificate has the dot


def test_and_what_nobody_has_thought_of() -> None:
    assert tried("http://a.example/", ZeroDivisionError("odd")) == Outcome(None, "ZeroDivisionError")


def _asks(header: str) -> timedelta:
    """How long a receiver is left alone that says this."""
    outcome = tried(
        "http://a.example/",
        httpx2.Response(503, headers={b"Retry-After": header.encode("latin-1")}, content=_nothing()),
    )
    delay = next_delay(1, outcome.status, outcome.retry_after)
    assert delay is not None
    return delay


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


@pytest.mark.parametrize("header", ["9" * 400, "9" * 5_000, "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_who_asks_for_ages_is_left_alone_for_a_day(header: str) -> None:
    assert _asks(header) == LONGEST_WISH


@pytest.mark.parametrize(
    "header",
    [
        *("inf", "-inf", "nan", "1e300", "-1", "soon", "", "1_000", "³"),
        *("Fri, 31 Dec 99999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -9999", "Thu, 01 Jan 1970 00:00:00 GMT"),
        "Thu, 01 Jan 2099 00:00:00 +99999999999999",
    ],
)
def test_who_asks_for_nothing_that_can_be_is_tried_as_usual(header: str) -> None:
    assert _asks(header) < timedelta(seconds=10)


def test_a_time_is_obeyed_as_seconds_are() -> None:
    at = datetime.now(UTC) + timedelta(seconds=300)
    for header in (format_datetime(at, usegmt=True), format_datetime(at.replace(tzinfo=None))):
        assert timedelta(seconds=290) < _asks(header) <= timedelta(seconds=300)


def test_an_infinite_wish_has_an_end() -> None:
    assert next_delay(1, 503, float("inf")) == LONGEST_WISH


def test_nothing_goes_from_one_receiver_to_another() -> None:
    """Two may share an address: no cookie and no connection of one is used for the other."""

    async def twice() -> None:
        async with new_client() as client:
            for name in ("one.example", "other.example"):
                url = receiver.url.replace("127.0.0.1", name)
                outcome = await deliver(client, due_at(url), True, lambda _host, _port: ["127.0.0.1"])
                assert outcome.error is None

    with receiving() as receiver:
        receiver.answer = lambda _told: (200, {"Set-Cookie": "whose=one; Path=/"}, b"")
        asyncio.run(twice())
    one, other = receiver.told
    assert [one.headers["host"].split(":")[0], other.headers["host"].split(":")[0]] == ["one.example", "other.example"]
    assert "cookie" not in other.headers
    assert one.client != other.client
    assert one.headers["connection"] == "close"


def test_name_servers_that_do_not_answer_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither other tries nor those who ask the database beside them."""
    monkeypatch.setattr(sending, "TRY_SECONDS", 0.2)
    over = threading.Event()

    def asleep(_host: str, _port: int) -> list[str]:
        over.wait(30)
        return []

    async def all_at_once() -> list[Outcome]:
        async with new_client() as client:
            slow = [deliver(client, due_at("http://slow.example/"), True, asleep) for _ in range(50)]
            outcomes = await asyncio.gather(*slow)
            async with asyncio.timeout(10):
                await asyncio.to_thread(lambda: None)
                quick = await deliver(client, due_at(receiver.url), True, lambda _host, _port: ["127.0.0.1"])
            return [*outcomes, quick]

    with receiving() as receiver:
        try:
            *given_up, quick = asyncio.run(all_at_once())
        finally:
            over.set()
    assert {outcome.error for outcome in given_up} == {"No answer within 0 seconds."}
    assert quick.error is None
