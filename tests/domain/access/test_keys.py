"""Keys in the database: only their hash is there, and none is let in that is revoked, expired or made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.access import keys
from domain.access.projects import Project
from infra.database import Database
from infra.errors import NotFound, Unauthenticated
from infra.settings import Settings
from infra.tables import Key
from tests.support.keys import id_of, make_key


def refusal(database: Database, text: str) -> str | None:
    """The code with which a key is refused; None if it is let in."""
    with database.reading() as session:
        try:
            keys.authenticate(session, text)
        except Unauthenticated as error:
            return error.code
    return None


def test_a_key_is_what_it_was_made_as(database: Database) -> None:
    text = make_key(database, "red", ["predict", "read"])
    with database.reading() as session:
        key = keys.authenticate(session, text)
    assert (key.id, key.project, key.scopes) == (id_of(text), "red", ["read", "predict"])


def test_every_key_is_another_and_long_enough_that_nobody_guesses_it(database: Database) -> None:
    secrets = {make_key(database, "red").rpartition("_")[2] for _ in range(20)}
    assert len(secrets) == 20
    assert all(len(bytes.fromhex(secret)) == 32 for secret in secrets)


def test_the_secret_is_stored_nowhere(database: Database, settings: Settings) -> None:
    secret = make_key(database, "red").rpartition("_")[2]
    with database.reading() as session:
        row = session.execute(select(*Key.__table__.columns)).one()
    assert not any(secret in str(value) for value in row)
    if settings.database_url.startswith("sqlite"):
        folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
        assert not any(secret.encode() in path.read_bytes() for path in folder.glob("*.db*"))


def test_made_up_keys_are_refused(database: Database) -> None:
    text = make_key(database, "red")
    other = make_key(database, "red")
    wrong = [
        "",
        "x",
        id_of(text),
        f"{id_of(text)}_",
        f"{id_of(text)}_{'0' * 64}",
        f"{id_of(other)}_{text.rpartition('_')[2]}",
        f"{text}0",
        f" {text}",
        text.upper(),
        f"{text[:-1]}é",
        f"key_{'0' * 26}_{'0' * 64}",
        "' OR 1=1 --",
    ]
    assert [refusal(database, each) for each in wrong] == ["invalid_key"] * len(wrong)
    assert refusal(database, text) is None


def test_a_revoked_key_is_refused_at_once_and_for_good(database: Database) -> None:
    text = make_key(database, "red")
    moments = set()
    for _ in range(2):  # the second time changes nothing
        with database.writing() as session:
            keys.revoke(session, id_of(text))
        assert refusal(database, text) == "key_revoked"
        with database.reading() as session:
            moments.add(session.get_one(Key, id_of(text)).revoked_at)
    assert len(moments) == 1


def test_only_who_has_the_secret_is_told_why_a_key_is_refused(database: Database) -> None:
    text = make_key(database, "red")
    with database.writing() as session:
        keys.revoke(session, id_of(text))
    assert refusal(database, f"{id_of(text)}_{'0' * 64}") == "invalid_key"


def test_a_key_expires(database: Database) -> None:
    now = datetime.now(UTC)
    assert refusal(database, make_key(database, "red", expires_at=now - timedelta(seconds=1))) == "key_expired"
    assert refusal(database, make_key(database, "red", expires_at=now + timedelta(hours=1))) is None


def test_whether_there_are_keys(database: Database) -> None:
    def there_are() -> tuple[bool, bool]:
        with database.reading() as session:
            return keys.any_ever(session), keys.any_active(session)

    assert there_are() == (False, False)
    make_key(database, "red", expires_at=datetime.now(UTC))
    assert there_are() == (True, False)
    text = make_key(database, "red")
    assert there_are() == (True, True)
    with database.writing() as session:
        keys.revoke(session, id_of(text))
    assert there_are() == (True, False)


def test_keys_are_listed_by_project(database: Database) -> None:
    red, blue = make_key(database, "red"), make_key(database, "blue")
    with database.reading() as session:
        assert [key.id for key in keys.list_all(session)] == [id_of(red), id_of(blue)]
        assert [key.id for key in keys.list_all(session, Project("blue"))] == [id_of(blue)]


def test_an_unknown_key_cannot_be_revoked(database: Database) -> None:
    with database.writing() as session:
        assert keys.revoke(session, "key_unknown") is None


def test_a_key_is_revoked_for_its_own_project_alone(database: Database) -> None:
    with database.writing() as session:
        made = keys.create(session, Project("red"), ["read"])
        with pytest.raises(NotFound) as refusal:
            keys.revoke_of_project(session, Project("blue"), made.row.id)
        assert refusal.value.code == "key_not_found"
        assert not keys.is_over(made.row)
        first = keys.revoke_of_project(session, Project("red"), made.row.id).revoked_at
        assert keys.is_over(made.row)
        assert keys.revoke_of_project(session, Project("red"), made.row.id).revoked_at == first


def test_a_key_is_over_when_it_has_expired(database: Database) -> None:
    now = datetime.now(UTC)
    with database.writing() as session:
        assert keys.is_over(keys.create(session, Project("red"), ["read"], now - timedelta(seconds=1)).row)
        assert not keys.is_over(keys.create(session, Project("red"), ["read"], now + timedelta(hours=1)).row)
