from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from domain.access.projects import DEFAULT_PROJECT, Project
from domain.models import rows as models
from domain.registry import rows, versions
from domain.registry.aliases import Condition
from domain.registry.history import latest_events, list_events
from domain.registry.versions import refuse_registered, versions_of_models
from infra.database import Database
from infra.errors import Conflict, NotFound, PreconditionFailed
from infra.tables import ModelVersion
from tests.support.registry import AUTHOR, moved, registered, stored_model

THREADS = 16
TURNS = 6


def test_versions_that_many_make_at_a_time_have_no_gaps_though_some_make_none(database: Database) -> None:
    model = stored_model(database)

    def create(turn: int) -> int | None:
        try:
            with database.writing() as session:
                there = rows.locked_or_created(session, DEFAULT_PROJECT, "digits", AUTHOR)
                made = versions.create(session, there, model if turn % 4 else "mdl_unknown", AUTHOR)
        except NotFound:
            return None
        return made.number

    with ThreadPoolExecutor(THREADS) as threads:
        made = [number for number in threads.map(create, range(THREADS * TURNS)) if number is not None]
    assert sorted(made) == list(range(1, THREADS * TURNS * 3 // 4 + 1))
    with database.reading() as session:
        assert rows.get(session, DEFAULT_PROJECT, "digits").last_version == len(made)
        events = list_events(session, DEFAULT_PROJECT, "digits", 0, 1000).rows
    assert [event.sequence for event in events] == list(range(1, len(made) + 2))
    assert [event.to_version for event in events] == [None, *range(1, len(made) + 1)]


def test_of_many_who_move_an_alias_from_the_same_state_one_does(database: Database) -> None:
    registered(database, "digits", *[stored_model(database)] * 2)
    etag = moved(database, "digits", "production", 1).etag

    def move(_turn: int) -> bool:
        try:
            moved(database, "digits", "production", 2, Condition(frozenset({etag})))
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(move, range(THREADS))) == 1


def test_a_model_that_is_a_version_is_known_as_one_and_the_database_does_not_let_it_go(database: Database) -> None:
    one, two, none = (stored_model(database) for _ in range(3))
    registered(database, "digits", one, two, one)
    with database.writing() as session:
        assert versions_of_models(session, [one, two, none]) == {
            one: ["digits/versions/1", "digits/versions/3"],
            two: ["digits/versions/2"],
        }
        refuse_registered(session, none)
        with pytest.raises(Conflict) as refused:
            refuse_registered(session, one)
        assert refused.value.code == "model_is_registered"
    with pytest.raises(IntegrityError), database.writing() as session:
        session.delete(models.get(session, DEFAULT_PROJECT, two))


def test_deleting_a_registered_model_takes_its_versions_and_no_others(database: Database) -> None:
    model = stored_model(database)
    registered(database, "digits", model, model)
    registered(database, "letters", model)
    with database.writing() as session:
        rows.delete(session, DEFAULT_PROJECT, "digits", AUTHOR)
    with database.reading() as session:
        assert len(session.scalars(select(ModelVersion)).all()) == 1
        assert versions_of_models(session, [model]) == {model: ["letters/versions/1"]}


def test_the_latest_events_come_first_page_by_page(database: Database) -> None:
    registered(database, "digits", stored_model(database), stored_model(database))
    with database.reading() as session:
        first = latest_events(session, DEFAULT_PROJECT, "digits", None, 2)
        second = latest_events(session, DEFAULT_PROJECT, "digits", first.rows[-1].sequence, 2)
        assert latest_events(session, Project("other"), "digits", None, 2).rows == []
    assert [event.sequence for event in first.rows] == [3, 2]
    assert [event.sequence for event in second.rows] == [1]
    assert (first.has_more, second.has_more) == (True, False)


def test_several_models_are_read_at_once_and_none_of_another_project(database: Database) -> None:
    own, other = stored_model(database), stored_model(database, Project("other"))
    with database.reading() as session:
        found = models.several(session, DEFAULT_PROJECT, [own, other, "mdl_none"])
    assert set(found) == {own}
