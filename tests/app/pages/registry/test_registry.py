"""The pages about registered models."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.pages.registry import listing, single
from domain.access.projects import Project
from infra.database import Database
from tests.support.keys import bearing, make_key
from tests.support.pages import ESCAPED, HOSTILE, led_to, refused, sent, shown, words_of
from tests.support.registry import moved, registered, stored_model


def metrics(accuracy: float, log_loss: float | None = None) -> dict[str, object]:
    """Those of a classification."""
    return {
        "training": {"rows": 9, "accuracy": accuracy, "log_loss": log_loss, "f1": {"mean": accuracy / 2}},
        "held_out": None,
    }


def seen_of(html: str, alias: str) -> str:
    """What the form that moves the alias says of its state."""
    found = re.search(
        rf'name="alias" value="{alias}">\s*<input type="hidden" name="seen" value="&#34;(\d+)&#34;">', html
    )
    assert found is not None
    return f'"{found[1]}"'


def test_a_name_is_made_by_a_form(api: TestClient) -> None:
    assert "No model is registered yet." in shown(api, "/registry")
    fields = {"name": "digits", "description": "Reads digits.", "tags": "b a"}
    assert led_to(sent(api, "/registry", fields)) == "/registry/digits"
    made = api.get("/v1/registry/digits").json()
    assert (made["description"], made["tags"]) == ("Reads digits.", ["a", "b"])
    assert "digits a b – – Reads digits." in words_of(shown(api, "/registry"))
    assert "There is no version yet." in shown(api, "/registry/digits")
    assert refused(sent(api, "/registry", fields)) == (409, "name_taken")


@pytest.mark.parametrize("fields", [{}, {"name": "two words"}, {"name": "n", "description": "\x00"}])
def test_what_is_no_name_is_refused(api: TestClient, fields: dict[str, str]) -> None:
    assert refused(sent(api, "/registry", fields)) == (422, "invalid_request")


def test_the_list_has_pages_and_tells_where_aliases_point(
    api: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "NAMES_A_PAGE", 1)
    registered(database, "old", stored_model(database))
    registered(database, "new")
    moved(database, "old", "production", 1)
    first = shown(api, "/registry")
    assert "/registry/old" not in first
    (older,) = re.findall(r'<a href="([^"]*)" rel="next">', first)
    assert "production → 1" in words_of(shown(api, older))


def test_metrics_stand_side_by_side_and_the_best_is_named(api: TestClient, database: Database) -> None:
    models = [
        stored_model(database, task="classification", metrics=metrics(0.5, 0.25)),
        stored_model(database, task="classification", metrics=metrics(0.75, 0.5), network={"sizes": [4, 2]}),
        stored_model(database, task="classification", metrics=metrics(0.5)),
    ]
    registered(database, "digits", *models)
    moved(database, "digits", "production", 2)
    html = shown(api, "/registry/digits")
    said = words_of(html)
    assert "Version 3 Version 2 production Version 1" in said
    assert "Layers – 4–2 –" in said
    assert "On the training rows" in said
    assert "On the rows held out" not in said
    assert "accuracy greater is better 0.5 0.75 best 0.5" in said
    assert "log_loss smaller is better – 0.5 0.25 best" in said
    assert "f1 greater is better 0.25 0.375 best 0.25" in said
    assert f'href="/models/{models[0]}"' in html


def test_regressions_have_a_line_for_each_target_whatever_it_is_called(api: TestClient, database: Database) -> None:
    held_out = {"rows": 3, "rmse": {"by_class": 1.0, "mean": 2.0}, "r2": {"by_class": None}, "r2_mean": 0.5}
    registered(database, "sizes", stored_model(database, metrics={"training": None, "held_out": held_out}))
    said = words_of(shown(api, "/registry/sizes"))
    assert "On the rows held out rmse of by_class smaller is better 1 rmse of mean smaller is better 2" in said
    assert "r2_mean greater is better 0.5" in said
    assert "best" not in said.split("Description")[1].split("Each model")[0]


def test_versions_and_events_come_in_pages(
    api: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "VERSIONS_A_PAGE", 2)
    monkeypatch.setattr(single, "EVENTS_A_PAGE", 2)
    registered(database, "digits", *(stored_model(database) for _ in range(3)))
    html = shown(api, "/registry/digits")
    older_versions, older_events = re.findall(r'<a href="([^"]*)" rel="next">', html)
    assert "Version 1 " not in words_of(html).partition("History")[0]
    assert "Version 1 " in words_of(shown(api, older_versions)).partition("History")[0]
    assert "Version 3 was made" in words_of(html)
    earlier = words_of(shown(api, older_events.partition("#")[0]))
    assert "2 Version 1 was made of" in earlier
    assert "1 The name was made" in earlier
    assert refused(api.get("/registry/digits?below=0")) == (422, "invalid_request")


def test_a_model_becomes_the_next_version(api: TestClient, database: Database) -> None:
    registered(database, "digits")
    model_id = stored_model(database)
    fields = {"model": model_id, "description": "First", "tags": "x"}
    assert led_to(sent(api, "/registry/digits/versions", fields)) == "/registry/digits"
    made = api.get("/v1/registry/digits/versions/1").json()
    assert (made["model_id"], made["description"], made["tags"]) == (model_id, "First", ["x"])
    assert refused(sent(api, "/registry/digits/versions", {"model": "mdl_none"})) == (404, "model_not_found")
    assert refused(sent(api, "/registry/digits/versions", {})) == (422, "invalid_request")
    assert led_to(sent(api, "/registry/digits/versions/delete", {"version": "1"})) == "/registry/digits"
    assert refused(sent(api, "/registry/digits/versions/delete", {"version": "1"})) == (404, "version_not_found")
    assert refused(sent(api, "/registry/digits/versions/delete", {"version": "one"})) == (422, "invalid_request")


def test_an_alias_is_set_moved_and_removed(api: TestClient, database: Database) -> None:
    registered(database, "digits", stored_model(database), stored_model(database))
    here = "/registry/digits"
    assert led_to(sent(api, f"{here}/aliases", {"alias": "production", "version": "1"})) == here
    seen = seen_of(shown(api, here), "production")
    led_to(sent(api, f"{here}/aliases", {"alias": "production", "version": "2", "seen": seen}))
    assert api.get(f"/v1{here}/aliases/production").json()["version"] == 2
    said = words_of(shown(api, here))
    assert "The alias production was set to version 1" in said
    assert "The alias production was moved from version 1 to 2" in said
    assert refused(sent(api, f"{here}/versions/delete", {"version": "2"})) == (409, "version_has_aliases")
    assert refused(sent(api, f"{here}/delete")) == (409, "registered_model_has_aliases")
    seen = seen_of(shown(api, here), "production")
    led_to(sent(api, f"{here}/aliases/delete", {"alias": "production", "seen": seen}))
    assert "The alias production was removed from version 2" in words_of(shown(api, here))
    assert led_to(sent(api, f"{here}/delete")) == "/registry"
    assert refused(api.get(here)) == (404, "registered_model_not_found")


def test_a_move_that_somebody_else_has_made_meanwhile_is_not_undone(api: TestClient, database: Database) -> None:
    registered(database, "digits", stored_model(database), stored_model(database), stored_model(database))
    moved(database, "digits", "production", 1)
    seen = seen_of(shown(api, "/registry/digits"), "production")
    moved(database, "digits", "production", 2)
    moved(database, "digits", "production", 1)  # and back: that was a move, too
    as_seen = {"alias": "production", "version": "3", "seen": seen}
    assert refused(sent(api, "/registry/digits/aliases", as_seen)) == (412, "alias_moved")
    assert refused(sent(api, "/registry/digits/aliases/delete", as_seen)) == (412, "alias_moved")
    as_new = {"alias": "production", "version": "3"}
    assert refused(sent(api, "/registry/digits/aliases", as_new)) == (412, "alias_exists")
    assert refused(sent(api, "/registry/digits/aliases/delete", as_new)) == (412, "alias_exists")
    assert api.get("/v1/registry/digits/aliases/production").json()["version"] == 1


@pytest.mark.parametrize(
    "fields", [{}, {"alias": "latest", "version": "1"}, {"alias": "p", "version": "0"}, {"alias": "p", "version": "²"}]
)
def test_what_is_no_alias_is_refused(api: TestClient, database: Database, fields: dict[str, str]) -> None:
    registered(database, "digits", stored_model(database))
    assert refused(sent(api, "/registry/digits/aliases", fields)) == (422, "invalid_request")


def test_description_and_tags_are_changed(api: TestClient, database: Database) -> None:
    registered(database, "digits")
    led_to(sent(api, "/registry/digits/caption", {"description": "New", "tags": "a,b"}))
    changed = api.get("/v1/registry/digits").json()
    assert (changed["description"], changed["tags"]) == ("New", ["a", "b"])
    led_to(sent(api, "/registry/digits/caption", {}))
    assert api.get("/v1/registry/digits").json()["description"] is None
    assert "Description or tags were changed" in shown(api, "/registry/digits")


def test_descriptions_and_names_are_text_whatever_is_in_them(api: TestClient, database: Database) -> None:
    model_id = stored_model(database)
    registered(database, "digits", model_id)
    api.patch("/v1/registry/digits", json={"description": HOSTILE, "tags": [HOSTILE]})
    api.patch(f"/v1/models/{model_id}", json={"name": HOSTILE})
    for page in ("/registry", "/registry/digits"):
        html = shown(api, page)
        assert HOSTILE not in html
        assert html.count(ESCAPED) >= 2


def test_another_project_and_too_small_a_scope_see_and_change_nothing(api: TestClient, database: Database) -> None:
    registered(database, "digits", stored_model(database))
    moved(database, "digits", "production", 1)
    foreign_model = stored_model(database, Project("other"))
    other, reader = bearing(make_key(database, "other")), bearing(make_key(database, "default", ["read"]))
    trainer = bearing(make_key(database, "default", ["read", "train"]))
    here = "/registry/digits"
    assert refused(api.get(here, headers=other)) == (404, "registered_model_not_found")
    assert f'href="{here}"' not in shown(api, "/registry", headers=other)
    fields = {"alias": "p", "version": "1", "model": foreign_model}
    for form in ("aliases", "versions", "caption"):
        assert refused(sent(api, f"{here}/{form}", fields, headers=other)) == (404, "registered_model_not_found")
        assert refused(sent(api, f"{here}/{form}", fields, headers=reader)) == (403, "scope_train_required")
    for form in ("aliases/delete", "versions/delete", "delete"):
        assert refused(sent(api, f"{here}/{form}", fields, headers=other)) == (404, "registered_model_not_found")
        assert refused(sent(api, f"{here}/{form}", fields, headers=trainer)) == (403, "scope_admin_required")
    assert refused(sent(api, f"{here}/versions", fields, headers=trainer)) == (404, "model_not_found")
    assert 'method="post"' not in shown(api, here, headers=reader)
    assert "Remove" not in shown(api, here, headers=trainer)
