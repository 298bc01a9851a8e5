"""Sign-ins in the database: they do what their key may, end with it, and only their hash is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.access import keys, sign_ins
from domain.access.projects import Project
from infra.database import Database
from infra.errors import Unauthenticated
from infra.tables import Key, SignIn
from tests.support.keys import id_of, make_key


def begun(database: Database, key: str) -> str:
    with database.writing() as session:
        return sign_ins.begin(session, key).text


def refusal(database: Database, text: str) -> str | None:
    """The code with which a sign-in is refused; None if it is let in."""
    with database.reading() as session:
        try:
            sign_ins.key_of(session, text)
        except Unauthenticated as error:
            return error.code
    return None


def test_a_sign_in_is_of_its_key(database: Database) -> None:
    key = make_key(database, "red")
    text = begun(database, key)
    assert text != key
    with database.reading() as session:
        assert sign_ins.key_of(session, text).id == id_of(key)
        stored = session.scalars(select(SignIn)).one()
    secret = text.rpartition("_")[2]
    assert secret not in vars(stored).values()
    assert len(bytes.fromhex(secret)) == 32


@pytest.mark.parametrize("changed", ["no key", "key_01", "", "key"])
def test_nobody_signs_in_without_a_key(database: Database, changed: str) -> None:
    with database.writing() as session, pytest.raises(Unauthenticated) as refused:
        sign_ins.begin(session, changed)
    assert refused.value.code == "invalid_key"


def test_it_ends_when_its_key_is_revoked_or_expires(database: Database) -> None:
    revoked, expiring = make_key(database, "red"), make_key(database, "red")
    by_revoked, by_expiring = begun(database, revoked), begun(database, expiring)
    with database.writing() as session:
        keys.revoke(session, id_of(revoked))
        session.get_one(Key, id_of(expiring)).expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert refusal(database, by_revoked) == "key_revoked"
    assert refusal(database, by_expiring) == "key_expired"


def test_it_lasts_no_longer_than_its_key(database: Database) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    with database.writing() as session:
        key = keys.create(session, Project("red"), ["read"], until)
        assert sign_ins.begin(session, key.text).expires_at == until


def test_what_is_over_is_refused_and_forgotten(database: Database) -> None:
    key = make_key(database, "red")
    text = begun(database, key)
    with database.writing() as session:
        session.scalars(select(SignIn)).one().expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert refusal(database, text) == "sign_in_ended"
    begun(database, key)
    with database.reading() as session:
        assert len(session.scalars(select(SignIn)).all()) == 1


def test_signing_out_ends_one_sign_in_and_no_other(database: Database) -> None:
    key = make_key(database, "red")
    first, second = begun(database, key), begun(database, key)
    for _ in range(2):
        with database.writing() as session:
            sign_ins.end(session, first)
    assert refusal(database, first) == "sign_in_ended"
    assert refusal(database, second) is None
    with database.writing() as session:
        sign_ins.end(session, f"{second[:-64]}{'0' * 64}")
    assert refusal(database, second) is None
