from __future__ import annotations

import time

import pytest
from sqlalchemy.orm import Session

from domain.access.projects import DEFAULT_PROJECT, Project
from domain.registry import cache as cache_module
from domain.registry.cache import KEPT_SECONDS, RegistryCache
from domain.registry.resolving import Reference, Resolved, resolve
from infra.database import Database
from infra.errors import NotFound
from tests.support.registry import moved, registered, stored_model

OTHER = Project("other")


def test_a_name_alone_is_the_newest_version_and_an_alias_is_where_it_points(database: Database) -> None:
    first, second = stored_model(database), stored_model(database)
    registered(database, "digits", first, second)
    moved(database, "digits", "production", 1)
    with database.reading() as session:
        assert resolve(session, DEFAULT_PROJECT, Reference("digits")) == Resolved(2, second)
        assert resolve(session, DEFAULT_PROJECT, Reference("digits", version=1)) == Resolved(1, first)
        assert resolve(session, DEFAULT_PROJECT, Reference("digits", alias="production")) == Resolved(1, first)


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (Reference("letters"), "registered_model_not_found"),
        (Reference("letters", alias="production"), "registered_model_not_found"),
        (Reference("empty"), "version_not_found"),
        (Reference("digits", version=2), "version_not_found"),
        (Reference("digits", version=2**62), "version_not_found"),
        (Reference("digits", alias="staging"), "alias_not_found"),
        (Reference("hidden"), "registered_model_not_found"),
        (Reference("hidden", version=1), "registered_model_not_found"),
    ],
)
def test_what_is_not_there_is_named_and_other_projects_have_nothing(
    database: Database, reference: Reference, code: str
) -> None:
    registered(database, "digits", stored_model(database))
    registered(database, "empty")
    registered(database, "hidden", stored_model(database, OTHER), project=OTHER)
    with pytest.raises(NotFound) as refused:
        RegistryCache(database).resolve(DEFAULT_PROJECT, reference)
    assert refused.value.code == code


def test_the_cache_forgets_what_this_process_changes(database: Database) -> None:
    first, second = stored_model(database), stored_model(database)
    registered(database, "digits", first, second)
    moved(database, "digits", "production", 1)
    cache, reference = RegistryCache(database), Reference("digits", alias="production")
    assert cache.resolve(DEFAULT_PROJECT, reference).model_id == first
    moved(database, "digits", "production", 2)  # as another process would
    assert cache.resolve(DEFAULT_PROJECT, reference).model_id == first
    with cache.changing():
        moved(database, "digits", "production", 2)
    assert cache.resolve(DEFAULT_PROJECT, reference).model_id == second


def test_what_was_read_before_a_change_is_not_kept_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stored_model(database), stored_model(database)
    registered(database, "digits", first, second)
    moved(database, "digits", "production", 1)
    cache, reference = RegistryCache(database), Reference("digits", alias="production")

    def moved_meanwhile(session: Session, project: Project, reference: Reference) -> Resolved:
        read = resolve(session, project, reference)
        with cache.changing():
            moved(database, "digits", "production", 2)
        return read

    monkeypatch.setattr("domain.registry.cache.resolve", moved_meanwhile)
    assert cache.resolve(DEFAULT_PROJECT, reference).model_id == first  # it was asked before the move
    monkeypatch.undo()
    assert cache.resolve(DEFAULT_PROJECT, reference).model_id == second


def test_what_is_asked_all_the_time_is_never_unknown(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = stored_model(database), stored_model(database)
    registered(database, "digits", first, second)
    moved(database, "digits", "production", 1)
    now = 1000.0
    monkeypatch.setattr(cache_module, "monotonic", lambda: now)
    cache, reference = RegistryCache(database), Reference("digits", alias="production")
    cache.resolve(DEFAULT_PROJECT, reference)
    moved(database, "digits", "production", 2)
    now += KEPT_SECONDS * 0.75
    while (kept := cache.kept(DEFAULT_PROJECT, reference)) == Resolved(1, first):
        time.sleep(0.01)
    assert kept == Resolved(2, second)
    now += KEPT_SECONDS * 0.75
    assert cache.kept(DEFAULT_PROJECT, reference) == Resolved(2, second)
    now += KEPT_SECONDS
    assert cache.kept(DEFAULT_PROJECT, reference) is None
    cache.close()
