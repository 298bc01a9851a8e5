"""Who is let in: with a key, always; without one, only this machine's own user, until the first key is made."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.access import admission
from app.access.admission import KNOWN_SECONDS, Admission
from app.main import create_app
from domain.access import keys
from infra.database import Database
from infra.errors import Unauthenticated
from infra.settings import Settings
from infra.tables import Key
from tests.support.keys import bearing, id_of, make_key


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: how keys are found on both databases is tested in tests/infra."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


def assert_refused(response: Response, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (401, code)
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.fixture
def closed_api(settings: Settings) -> Iterator[TestClient]:
    """An API that other machines can reach."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def test_a_server_that_others_can_reach_lets_nobody_in_without_a_key(
    closed_api: TestClient, database: Database
) -> None:
    assert_refused(closed_api.get("/v1/jobs"), "key_required")
    key = make_key(database, "red")
    assert closed_api.get("/v1/jobs", headers=bearing(key)).status_code == 200
    assert_refused(closed_api.get("/v1/jobs"), "key_required")


class Clock:
    """The monotonic clock of the gate, which goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(admission, "time", clock)
    return clock


def test_on_this_machine_alone_no_key_is_needed_until_one_is_made(
    api: TestClient, database: Database, clock: Clock
) -> None:
    made = api.post("/v1/networks", json={"name": "n", "layers": [{}]})
    assert made.status_code == 201
    key = make_key(database, "default", ["read"])
    clock.now += KNOWN_SECONDS - 0.001
    assert api.get("/v1/networks").status_code == 200  # nobody has asked the database again
    clock.now += 0.001
    assert_refused(api.get("/v1/networks"), "key_required")
    listed = api.get("/v1/networks", headers=bearing(key)).json()["data"]
    assert [network["id"] for network in listed] == [made.json()["id"]]  # what came without a key is in `default`


def test_a_server_that_once_had_a_key_stays_closed(api: TestClient, database: Database) -> None:
    revoked = make_key(database, "red")
    with database.writing() as session:
        keys.revoke(session, id_of(revoked))
    assert_refused(api.get("/v1/jobs"), "key_required")
    assert_refused(api.get("/v1/jobs", headers=bearing(revoked)), "key_revoked")
    expired = make_key(database, "red", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert_refused(api.get("/v1/jobs", headers=bearing(expired)), "key_expired")


def test_a_revoked_key_is_refused_a_second_later(closed_api: TestClient, database: Database, clock: Clock) -> None:
    key = make_key(database, "red")
    assert closed_api.get("/v1/jobs", headers=bearing(key)).status_code == 200
    with database.writing() as session:
        keys.revoke(session, id_of(key))
    clock.now += KNOWN_SECONDS - 0.001
    assert closed_api.get("/v1/jobs", headers=bearing(key)).status_code == 200  # also where it is asked all the time
    clock.now += 0.001
    assert_refused(closed_api.get("/v1/jobs", headers=bearing(key)), "key_revoked")


def test_a_key_is_known_no_longer_than_it_lasts(
    closed_api: TestClient, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "KNOWN_SECONDS", 10_000.0)
    key = make_key(database, "red", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert closed_api.get("/v1/jobs", headers=bearing(key)).status_code == 200
    with database.writing() as session:
        session.get_one(Key, id_of(key)).expires_at = datetime.now(UTC)
    clock.now += 3600
    assert_refused(closed_api.get("/v1/jobs", headers=bearing(key)), "key_expired")


def test_the_secret_of_a_known_key_still_counts(closed_api: TestClient, database: Database, clock: Clock) -> None:
    key = make_key(database, "red")
    assert closed_api.get("/v1/jobs", headers=bearing(key)).status_code == 200
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert_refused(closed_api.get("/v1/jobs", headers=bearing(other)), "invalid_key")


@pytest.mark.parametrize(("secret", "answer"), [("its own", "red"), ("another's", "invalid_key")])
def test_of_many_requests_at_once_only_one_asks_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch, secret: str, answer: str
) -> None:
    key = make_key(database, "red") if secret == "its own" else f"{make_key(database, 'red')[:-64]}{'0' * 64}"
    asked: list[str] = []
    in_the_database = keys.authenticate

    def authenticate(session: Session, text: str) -> Key:
        asked.append(text)
        time.sleep(0.1)
        return in_the_database(session, text)

    monkeypatch.setattr(keys, "authenticate", authenticate)

    async def ask(admission: Admission) -> str:
        try:
            return (await admission.of_key(key)).project
        except Unauthenticated as error:
            return error.code

    async def all_at_once() -> list[str]:
        known = Admission(database)
        leaving = asyncio.create_task(ask(known))
        asking = [asyncio.create_task(ask(known)) for _ in range(50)]
        await asyncio.sleep(0.01)
        leaving.cancel()  # the first one's client goes
        return await asyncio.gather(*asking)

    assert asyncio.run(all_at_once()) == [answer] * 50
    assert asked == [key]


def test_a_key_that_is_used_all_the_time_is_always_known(database: Database, clock: Clock) -> None:
    key = make_key(database, "red")

    async def use() -> None:
        known = Admission(database)
        await known.of_key(key)
        for _ in range(5):
            clock.now += KNOWN_SECONDS * 0.75
            assert known.known_already(key) is not None
            await _answered(known)
        clock.now += KNOWN_SECONDS
        assert known.known_already(key) is None

    asyncio.run(use())


def test_a_key_that_is_revoked_is_forgotten_when_it_is_asked_about_ahead_of_time(
    database: Database, clock: Clock
) -> None:
    key = make_key(database, "red")

    async def use() -> None:
        known = Admission(database)
        await known.of_key(key)
        with database.writing() as session:
            keys.revoke(session, id_of(key))
        clock.now += KNOWN_SECONDS * 0.75
        assert known.known_already(key) is not None
        await _answered(known)
        assert known.known_already(key) is None

    asyncio.run(use())


def test_that_there_is_no_key_is_always_known_where_it_matters_all_the_time(database: Database, clock: Clock) -> None:
    async def use() -> None:
        known = Admission(database)
        assert await known.no_key_was_ever_made()
        for _ in range(5):
            clock.now += KNOWN_SECONDS * 0.75
            assert known.lets_in_without_key()
            await _answered(known)
        make_key(database, "red")
        clock.now += KNOWN_SECONDS * 0.75
        assert known.lets_in_without_key()
        await _answered(known)
        assert not known.lets_in_without_key()

    asyncio.run(use())


async def _answered(known: Admission) -> None:
    """Wait until the database has answered what it was asked in the background."""
    while known._unheard:
        await asyncio.sleep(0.01)


def test_no_more_keys_are_known_than_fit(
    closed_api: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MOST_KNOWN", 2)
    for key in [make_key(database, "red") for _ in range(5)]:
        assert closed_api.get("/v1/jobs", headers=bearing(key)).status_code == 200
        assert len(closed_api.app.state.admission._known) <= 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer x y", "Bearer é"])
def test_a_header_that_is_no_key_is_refused_even_where_none_is_needed(api: TestClient, header: str) -> None:
    assert_refused(api.get("/v1/jobs", headers=[(b"Authorization", header.encode())]), "invalid_key")


def test_the_scheme_may_be_written_in_any_case(closed_api: TestClient, database: Database) -> None:
    key = make_key(database, "red")
    assert closed_api.get("/v1/jobs", headers={"authorization": f"bearer  {key}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},  # a name of somebody's that leads to 127.0.0.1: DNS rebinding
        {"host": "testserver.evil.example"},
        {"host": ""},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver:81"},
        {"origin": "https://testserver"},
        {"origin": "testserver"},
        {"sec-fetch-site": "cross-site"},  # an image or a form of another site: no browser names its origin
        {"sec-fetch-site": "same-site"},  # a page that another server on this machine shows
        {"origin": "http://testserver", "sec-fetch-site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_not_let_in_without_a_key(
    api: TestClient, database: Database, headers: dict[str, str]
) -> None:
    assert_refused(api.get("/v1/jobs", headers=headers), "key_required")
    assert_refused(api.post("/v1/datasets", files={"file": ("t.csv", b"a\n1\n")}, headers=headers), "key_required")
    key = make_key(database, "red")
    assert api.get("/v1/jobs", headers=headers | bearing(key)).status_code == 200


def test_pages_of_its_own_are_let_in(api: TestClient) -> None:
    for headers in (
        {"origin": "http://testserver"},
        {"host": "testserver:8000", "origin": "http://testserver:8000"},
        {"origin": "http://testserver", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},  # an address that the user typed
    ):
        assert api.get("/v1/jobs", headers=headers).status_code == 200


def test_nothing_of_a_body_is_read_before_the_key_is_known(closed_api: TestClient, settings: Settings) -> None:
    response = closed_api.post("/v1/networks", content=b"{", headers={"content-type": "application/json"})
    assert_refused(response, "key_required")  # not that it is malformed
    assert_refused(closed_api.post("/v1/datasets", content=b"x" * 10**6), "key_required")
    assert [path for path in settings.data_dir.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/jobs/", "//v1/jobs", "/v2/x", "/nothing"])
def test_what_is_not_listed_as_open_is_closed(closed_api: TestClient, path: str) -> None:
    address = f"http://testserver{path}"
    assert_refused(closed_api.get(address), "key_required")
    assert_refused(closed_api.request("DELETE", address), "key_required")


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/", "/jobs/job_1", "/models/nobodys", "/keys"])
def test_pages_are_closed_and_say_where_to_sign_in(closed_api: TestClient, path: str) -> None:
    answer = closed_api.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"][:13]) == (303, "/sign-in?next")
    refused = closed_api.post(path)
    assert refused.status_code == 401
    assert 'href="/sign-in"' in refused.text


def test_a_static_folder_leads_nowhere_else(closed_api: TestClient) -> None:
    for path in ("/static-offline-docs/../v1/jobs", "/static-offline-docs/%2e%2e/v1/jobs"):
        assert closed_api.get(path).status_code in (401, 404)
