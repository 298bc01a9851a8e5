"""The page about keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from app.access import admission
from app.pages.keys.managing import MEANINGS
from domain.access import keys
from domain.access.keys import SCOPES
from domain.access.projects import Project
from infra.database import Database
from infra.tables import Key
from tests.support.keys import bearing, id_of, make_key
from tests.support.pages import led_to, refused, sent, shown, words_of


def made(api: TestClient, fields: dict[str, object], **more: object) -> str:
    """The text of a key that a form makes."""
    response = sent(api, "/keys", fields, **more)
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    assert "location" not in response.headers
    (text,) = re.findall(r"key_[0-9A-Z]{26}_[0-9a-f]{64}", response.text)
    return str(text)


def row_of(database: Database, text: str) -> Key:
    with database.reading() as session:
        return session.get_one(Key, id_of(text))


@pytest.fixture(autouse=True)
def nothing_is_known_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate asks the database each time."""
    monkeypatch.setattr(admission, "KNOWN_SECONDS", 0.0)


def test_every_scope_has_its_meaning() -> None:
    assert tuple(MEANINGS) == SCOPES


def test_the_first_key_ends_the_time_without_keys_and_the_form_says_so(api: TestClient, database: Database) -> None:
    before = words_of(shown(api, "/keys"))
    assert "This server asks for no key until now" in before
    assert "There is no key yet." in before
    key = made(api, {"scope": ["read", "admin"]})
    row = row_of(database, key)
    assert (row.project, row.scopes, row.expires_at) == ("default", ["read", "admin"], None)
    assert led_to(api.get("/keys", follow_redirects=False)).startswith("/sign-in")
    after = shown(api, "/keys", headers=bearing(key))
    assert "asks for no key" not in after
    assert key not in after
    assert row.id in after


def test_a_key_is_made_for_the_project_of_whoever_makes_it(api: TestClient, database: Database) -> None:
    own = bearing(make_key(database, "red"))
    key = made(api, {"scope": "predict", "expires_in_days": "1.5", "project": "blue"}, headers=own)
    row = row_of(database, key)
    assert (row.project, row.scopes) == ("red", ["predict"])
    assert row.expires_at is not None
    assert abs(row.expires_at - datetime.now(UTC) - timedelta(days=1.5)) < timedelta(minutes=5)
    api.get("/v1/jobs", headers=bearing(key))
    assert api.get("/v1/models", headers=own).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"scope": "everything"},
        {"scope": "read", "expires_in_days": "soon"},
        {"scope": "read", "expires_in_days": "0"},
        {"scope": "read", "expires_in_days": "-1"},
        {"scope": "read", "expires_in_days": "nan"},
        {"scope": "read", "expires_in_days": "1e9"},
    ],
)
def test_no_key_is_made_of_what_makes_none(api: TestClient, database: Database, fields: dict[str, str]) -> None:
    assert refused(sent(api, "/keys", fields)) == (422, "invalid_request")
    with database.reading() as session:
        assert not keys.any_ever(session)


def test_the_list_tells_what_each_is_good_for(api: TestClient, database: Database) -> None:
    own = make_key(database, "red")
    expired = make_key(database, "red", ["read"], datetime.now(UTC) - timedelta(days=1))
    revoked = make_key(database, "red", ["train"])
    foreign = make_key(database, "blue")
    with database.writing() as session:
        keys.revoke_of_project(session, Project("red"), id_of(revoked))
    html = shown(api, "/keys", headers=bearing(own))
    said = words_of(html)
    assert f"{id_of(own)} yours read, train, predict, admin active" in said
    assert f"{id_of(expired)} read expired" in said
    assert f"{id_of(revoked)} train revoked" in said
    assert id_of(foreign) not in said
    assert f"/keys/{id_of(revoked)}/revoke" not in html
    assert html.index(id_of(revoked)) < html.index(id_of(own))  # newest first


def test_a_key_is_revoked(api: TestClient, database: Database) -> None:
    own, other = make_key(database, "red"), make_key(database, "red")
    assert led_to(sent(api, f"/keys/{id_of(other)}/revoke", headers=bearing(own))) == "/keys"
    assert api.get("/v1/jobs", headers=bearing(other)).json()["code"] == "key_revoked"
    assert api.get("/v1/jobs", headers=bearing(own)).status_code == 200


def test_whoever_revokes_their_own_key_is_warned_and_signed_out(api: TestClient, database: Database) -> None:
    own = make_key(database, "red")
    sent(api, "/sign-in", {"key": own})
    html = shown(api, "/keys")
    said = words_of(html)
    assert "This is the key that you have signed in with. You will be signed out." in said
    assert "No other active key of this project has the scope admin." in said
    (token,) = set(re.findall(r'name="csrf_token" value="([0-9a-f]+)"', html))
    answer = sent(api, f"/keys/{id_of(own)}/revoke", {"csrf_token": token})
    assert led_to(answer) == "/sign-in"
    assert led_to(api.get("/keys", follow_redirects=False)).startswith("/sign-in")


def test_where_another_may_manage_keys_nobody_is_warned_of_the_last(api: TestClient, database: Database) -> None:
    own = make_key(database, "red")
    make_key(database, "red", ["admin"])
    assert "No other active key" not in shown(api, "/keys", headers=bearing(own))


def test_another_project_and_too_small_a_scope_see_and_change_nothing(api: TestClient, database: Database) -> None:
    own, other = make_key(database, "red"), bearing(make_key(database, "blue"))
    trainer = bearing(make_key(database, "red", ["read", "train", "predict"]))
    revoke = f"/keys/{id_of(own)}/revoke"
    assert refused(sent(api, revoke, headers=other)) == (404, "key_not_found")
    assert refused(sent(api, "/keys/key_none/revoke", headers=other)) == (404, "key_not_found")
    for answer in (
        api.get("/keys", headers=trainer),
        sent(api, "/keys", {"scope": "admin"}, headers=trainer),
        sent(api, revoke, headers=trainer),
    ):
        assert refused(answer) == (403, "scope_admin_required")
    assert 'href="/keys"' not in shown(api, "/datasets", headers=trainer)
    assert row_of(database, own).revoked_at is None
