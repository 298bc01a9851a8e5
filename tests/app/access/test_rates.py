"""Requests a second: one allowance a key, however many processes serve it, and with Redis away a working API."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.access import rates
from app.access.rates import RateLimiter
from app.main import create_app
from infra import redis_server
from infra.database import Database
from infra.errors import TooMany
from infra.settings import Settings
from tests.support.keys import bearing, make_key
from tests.support.waiting import wait_for

NO_REDIS = "unix:///nonexistent/redis.sock"


@pytest.fixture
def few(redis_url: str, tmp_path: Path) -> Settings:
    """Settings that allow five requests a second."""
    return Settings(data_dir=tmp_path, redis_url=redis_url, queue_name=f"test-{uuid4().hex}", max_requests_per_second=5)


def admitted(limiter: RateLimiter, who: str, requests: int) -> int:
    """How many of so many requests are let through."""
    count = 0
    for _ in range(requests):
        try:
            limiter.admit(who)
        except TooMany:
            continue
        count += 1
    return count


class Clock:
    """A clock that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@given(
    most=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(0, 1.5), st.integers(0, 40)), max_size=30),
)
def test_no_second_has_more_than_the_allowance_and_none_that_comes_evenly_is_refused(
    most: int, steps: list[tuple[float, int]]
) -> None:
    limiter = RateLimiter(Settings(redis_url=NO_REDIS, max_requests_per_second=most))
    clock = Clock()
    let_in: list[float] = []
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(rates, "time", clock)
        for pause, requests in steps:
            clock.now += pause
            let_in += [clock.now] * admitted(limiter, "one", requests)
        clock.now += 2
        assert admitted(limiter, "one", most + 1) == most
        assert admitted(limiter, "another", most + 1) == most  # with an allowance of its own
        clock.now += 2
        for _ in range(2 * most):
            clock.now += 2.01 / most  # half as fast as it may
            assert admitted(limiter, "one", 1) == 1
    assert all(count <= most for count in Counter(map(int, let_in)).values())
    for index, first in enumerate(let_in):  # nor has any time as long as a second twice as much
        assert sum(moment < first + 1 for moment in let_in[index:]) < 2 * most


def at_the_start_of_a_second() -> None:
    """Wait for it: the second before is empty then, and this one is not over soon."""
    time.sleep(1 - time.time() % 1)


def test_processes_share_the_allowance_from_one_exchange_to_the_next(few: Settings) -> None:
    limiters = [RateLimiter(few) for _ in range(3)]
    at_the_start_of_a_second()
    assert [admitted(limiter, "one", 2) for limiter in limiters] == [2, 2, 2]  # none knows of the others
    for _ in range(2):
        for limiter in limiters:
            limiter.exchange()
    assert [admitted(limiter, "one", 1) for limiter in limiters] == [0, 0, 0]
    at_the_start_of_a_second()
    time.sleep(0.1)
    assert [admitted(limiter, "one", 1) for limiter in limiters] == [0, 0, 0]  # what was too much counts now
    assert [admitted(limiter, "another", 1) for limiter in limiters] == [1, 1, 1]
    for limiter in limiters:
        limiter.close()


def test_counts_are_exchanged_by_themselves(few: Settings) -> None:
    here, there = RateLimiter(few), RateLimiter(few)
    here.start()
    there.start()
    wait_for("a process to hear of another", lambda: admitted(here, "one", 5) + admitted(there, "one", 1) <= 5)
    here.close()
    there.close()


def test_redis_that_goes_away_is_asked_again_when_it_may_be_back(
    few: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "AWAY_SECONDS", 0.1)
    address = tmp_path / "redis.sock"
    settings = few.model_copy(update={"redis_url": f"unix://{address}"})
    limiter, other = RateLimiter(settings), RateLimiter(settings)
    at_the_start_of_a_second()
    assert admitted(limiter, "one", 9) == 5
    with capture_logs() as logged:
        limiter.exchange()
        limiter.exchange()  # not yet
    assert [each["log_level"] for each in logged] == ["warning"]
    assert admitted(limiter, "one", 9) == 0  # counted here
    with redis_server.running(tmp_path / "redis") as url:
        address.symlink_to(url.removeprefix("unix://"))
        time.sleep(rates.AWAY_SECONDS)
        at_the_start_of_a_second()
        time.sleep(0.5)  # half of what was spent is forgotten by now
        assert admitted(limiter, "one", 9) == 2
        admitted(other, "one", 1)
        limiter.exchange()
        other.exchange()
        assert admitted(other, "one", 9) == 0  # it has heard of the others
    limiter.close()
    other.close()


@pytest.fixture
def slow_api(settings: Settings) -> Iterator[TestClient]:
    """An API that allows three requests a second."""
    app = create_app(settings.model_copy(update={"max_requests_per_second": 3}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_too_many_requests_are_told_when_to_come_back(slow_api: TestClient, database: Database) -> None:
    one, another = (make_key(database, "red") for _ in range(2))
    at_the_start_of_a_second()
    responses = [slow_api.get("/v1/networks", headers=bearing(one)) for _ in range(6)]
    assert [response.status_code for response in responses] == [200] * 3 + [429] * 3
    refusal = responses[-1]
    assert (refusal.json()["code"], refusal.headers["retry-after"]) == ("too_many_requests", "1")
    assert refusal.headers["content-type"] == "application/problem+json"
    assert slow_api.get("/v1/networks", headers=bearing(another)).status_code == 200
    assert {slow_api.get("/healthz").status_code for _ in range(10)} == {200}  # a health check is never throttled


def test_what_is_taken_back_counts_nowhere(few: Settings) -> None:
    limiter = RateLimiter(few)
    assert admitted(limiter, "key", 5) == 5
    limiter.exchange()
    for _ in range(4):
        limiter.take_back("key")
    limiter.take_back("nobody")
    limiter.exchange()
    limiter.close()
    with redis.Redis.from_url(few.redis_url) as counted:
        counts = [counted.hgetall(key) for key in counted.keys(f"backprop-rates:{few.queue_name}:*")]
    assert sum(int(count[b"key"]) for count in counts) == 1
    assert all(set(count) == {b"key"} for count in counts)
