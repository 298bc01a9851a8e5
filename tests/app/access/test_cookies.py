"""What a browser may do with the cookie of the pages, and what another site's page may have it do: nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.access.admission import KNOWN_SECONDS
from app.access.cookies import COOKIE, TOKEN_FIELD, TOKEN_HEADER
from app.main import create_app
from domain.access import keys
from infra.database import Database
from infra.settings import Settings
from tests.support.keys import bearing, id_of, make_key
from tests.support.waiting import wait_for

NETWORK = {"name": "net", "layers": [{"units": 2}, {}]}


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: how sign-ins are stored is tested on both databases in tests/domain/access."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def key(database: Database) -> str:
    return make_key(database, "red")


@pytest.fixture
def browser(settings: Settings, key: str) -> Iterator[TestClient]:
    """A browser before a server that asks for keys."""
    with TestClient(create_app(settings), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def signed_in(browser: TestClient, key: str) -> TestClient:
    answer = browser.post("/sign-in", data={"key": key, "next": "/jobs"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    return browser


def token_of(browser: TestClient) -> str:
    found = re.search(r'name="csrf-token" content="([0-9a-f]{64})"', browser.get("/").text)
    assert found is not None
    return found[1]


def test_a_page_sends_who_has_not_signed_in_to_where_they_can_and_then_back(browser: TestClient) -> None:
    answer = browser.get("/jobs?status=running&q=a+b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fjobs%3Fstatus%3Drunning%26q%3Da%2Bb"
    form = browser.get(answer.headers["location"])
    assert form.status_code == 200
    assert 'name="next" value="/jobs?status=running&amp;q=a+b"' in form.text
    assert browser.get("/v1/jobs").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_is_not_the_key(signed_in: TestClient, key: str) -> None:
    answer = signed_in.post("/sign-in", data={"key": key})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert key not in cookie
    behind_tls = signed_in.post("/sign-in", data={"key": key}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in behind_tls.headers["set-cookie"]


def test_a_wrong_key_is_told_and_gets_no_cookie(browser: TestClient) -> None:
    answer = browser.post("/sign-in", data={"key": "key_no"})
    assert answer.status_code == 401
    assert "There is no such key." in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/v1/jobs", "jobs", "//[", "/sign-out"]
)
def test_nobody_is_sent_to_another_site(browser: TestClient, key: str, there: str) -> None:
    assert browser.post("/sign-in", data={"key": key, "next": there}).headers["location"] == "/"


def test_the_cookie_reads_what_the_key_reads(signed_in: TestClient) -> None:
    assert signed_in.get("/").status_code == 200
    assert signed_in.get("/v1/jobs").status_code == 200


def test_what_changes_something_needs_the_token_too(signed_in: TestClient) -> None:
    refused = signed_in.post("/v1/networks", json=NETWORK)
    assert (refused.status_code, refused.json()["code"]) == (403, "form_not_ours")
    assert signed_in.post("/v1/networks", json=NETWORK, headers={TOKEN_HEADER: "0" * 64}).status_code == 403
    token = token_of(signed_in)
    assert signed_in.post("/v1/networks", json=NETWORK, headers={TOKEN_HEADER: token}).status_code == 201
    form = signed_in.post("/jobs/cancel", data={"job": "job_1"})
    assert form.status_code == 403
    assert "form_not_ours" in form.text
    assert signed_in.post("/jobs/cancel", data={"job": "job_1", TOKEN_FIELD: token}).status_code == 404


def test_the_token_of_another_sign_in_is_none(signed_in: TestClient, database: Database, settings: Settings) -> None:
    with TestClient(create_app(settings), follow_redirects=False) as other:
        other.post("/sign-in", data={"key": make_key(database, "red")})
        foreign = token_of(other)
    assert signed_in.post("/v1/networks", json=NETWORK, headers={TOKEN_HEADER: foreign}).status_code == 403


def test_a_form_of_another_site_signs_nobody_in(browser: TestClient, key: str) -> None:
    answer = browser.post("/sign-in", data={"key": key}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_key_beside_the_cookie_is_what_counts(signed_in: TestClient, database: Database) -> None:
    reader = bearing(make_key(database, "blue", ["read"]))
    assert signed_in.post("/v1/networks", json=NETWORK, headers=reader).json()["code"] == "scope_train_required"


def test_what_a_browser_holds_is_no_key(signed_in: TestClient) -> None:
    held = signed_in.cookies[COOKIE]
    signed_in.get("/v1/jobs")
    signed_in.cookies.clear()
    assert signed_in.get("/v1/jobs", headers=bearing(held)).json()["code"] == "invalid_key"


def test_signing_out_ends_it_at_once_and_here(signed_in: TestClient) -> None:
    held = signed_in.cookies[COOKIE]
    answer = signed_in.post("/sign-out", data={TOKEN_FIELD: token_of(signed_in)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in signed_in.cookies
    signed_in.cookies.set(COOKIE, held)
    assert signed_in.get("/v1/jobs").json()["code"] == "sign_in_ended"


def test_it_ends_within_a_second_when_its_key_is_revoked(signed_in: TestClient, database: Database, key: str) -> None:
    with database.writing() as session:
        keys.revoke(session, id_of(key))
    wait_for("the end", lambda: signed_in.get("/").status_code == 303, seconds=KNOWN_SECONDS + 1)


@pytest.mark.parametrize("cookie", [f"{COOKIE}=nonsense", f"{COOKIE}=", "=;;=,,\x01", f'{COOKIE}="sin_1', "a" * 5000])
def test_a_cookie_of_nonsense_is_refused_and_harms_nobody(browser: TestClient, cookie: str) -> None:
    assert browser.get("/v1/jobs", headers={"Cookie": cookie}).status_code == 401
    assert browser.get("/jobs", headers={"Cookie": cookie}).status_code == 303


def test_a_cookie_of_another_server_at_the_same_address_closes_no_open_one(api: TestClient) -> None:
    api.cookies.set(COOKIE, f"sin_{'0' * 26}_{'0' * 64}")
    assert api.get("/v1/jobs").status_code == 200
    assert api.get("/").status_code == 200
