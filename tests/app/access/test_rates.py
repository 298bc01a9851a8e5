"""Requests a second: one allowance a key, however many processes serve it, and with Redis away a working API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from app.access import rates
from app.access.rates import RateLimiter
from app.main import create_app
from infra import redis_server
from infra.database import Database
from infra.errors import TooMany
from infra.settings import Settings
from tests.support.keys import bearing, make_key

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


def at_the_start_of_a_second() -> None:
    """Wait for it: the window's previous second is empty then, and this one is not over soon."""
    time.sleep(1 - time.time() % 1)


@pytest.mark.parametrize("redis", ["there", "away"])
def test_a_key_has_its_own_allowance_and_gets_it_back(few: Settings, redis: str) -> None:
    limiter = RateLimiter(few if redis == "there" else few.model_copy(update={"redis_url": NO_REDIS}))
    at_the_start_of_a_second()
    assert admitted(limiter, "one", 12) == 5
    assert admitted(limiter, "another", 3) == 3
    at_the_start_of_a_second()
    time.sleep(0.5)  # half of what was spent is forgotten by now
    assert admitted(limiter, "one", 1) == 1
    limiter.close()


def test_processes_share_the_allowance(few: Settings) -> None:
    limiters = [RateLimiter(few) for _ in range(3)]
    at_the_start_of_a_second()
    assert sum(admitted(limiter, "one", 4) for limiter in limiters) == 5
    for limiter in limiters:
        limiter.close()


def test_redis_that_goes_away_is_asked_again_when_it_may_be_back(
    few: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "AWAY_SECONDS", 0.5)
    address = tmp_path / "redis.sock"
    settings = few.model_copy(update={"redis_url": f"unix://{address}"})
    limiter = RateLimiter(settings)
    with redis_server.running(tmp_path / "first") as url:
        address.symlink_to(url.removeprefix("unix://"))
        assert admitted(limiter, "one", 1) == 1
    address.unlink()
    at_the_start_of_a_second()
    assert admitted(limiter, "two", 9) == 5  # counted here
    with redis_server.running(tmp_path / "second") as url:
        address.symlink_to(url.removeprefix("unix://"))
        time.sleep(rates.AWAY_SECONDS)
        at_the_start_of_a_second()
        assert admitted(limiter, "two", 5) == 5
        assert admitted(RateLimiter(settings), "two", 5) == 0  # counted there
    limiter.close()


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
