"""Names that move: registered models, their versions and their aliases, and predictions by these."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from infra.database import Database
from infra.settings import Settings
from tests.support.api_process import running_api
from tests.support.keys import bearing, make_key
from tests.support.registry import registered, stored_model
from tests.support.service import Service, csv_text

ROW = [0.25, 0.75]

FLIPS = 30
"""Moves of an alias, each with a few predictions in between."""


def two_models(service: Service) -> list[str]:
    """Two trained models of the same columns whose answers differ."""
    dataset = service.upload_csv(csv_text(("a", "b", "y"), [(i / 10, (i * 7 % 10) / 10, i / 10) for i in range(10)]))
    body = {"dataset_id": dataset["id"], "targets": ["y"], "network": {"layers": [{"activation": "linear"}]}}
    trainings: list[dict[str, Any]] = [
        {"preset": "tutorial", "init": "uniform", "seed": seed, "iterations": 1} for seed in (1, 2)
    ]
    return [service.train({**body, "training": training})["model_id"] for training in trainings]


def registered_models(service: Service, name: str = "digits") -> list[str]:
    """A registered model with two versions whose answers differ, and the alias production on the first."""
    models = two_models(service)
    assert service.api.post("/v1/registry", json={"name": name}).status_code == 201
    for model in models:
        assert service.api.post(f"/v1/registry/{name}/versions", json={"model_id": model}).status_code == 201
    assert service.api.put(f"/v1/registry/{name}/aliases/production", json={"version": 1}).status_code == 201
    return models


def test_a_name_its_versions_and_its_alias_from_the_first_to_the_last(service: Service) -> None:
    api, models = service.api, two_models(service)
    made = api.post("/v1/registry", json={"name": "digits", "description": "Of the post.\nRead well.", "tags": ["a"]})
    assert (made.status_code, made.headers["location"]) == (201, "/v1/registry/digits")
    assert made.json()["last_version"] == 0
    for number, model in enumerate(models, 1):
        version = api.post("/v1/registry/digits/versions", json={"model_id": model, "tags": ["s", "t"]})
        assert version.headers["location"] == f"/v1/registry/digits/versions/{number}"
        assert api.get(version.headers["location"]).json() == version.json()
        assert version.json() | {"created_at": None} == {
            "name": "digits",
            "version": number,
            "model_id": model,
            "description": None,
            "tags": ["s", "t"],
            "aliases": [],
            "created_at": None,
        }
    alias = api.put("/v1/registry/digits/aliases/production", json={"version": 2})
    assert (alias.json()["version"], alias.json()["model_id"]) == (2, models[1])
    assert alias.headers["etag"] == alias.json()["etag"]
    assert api.get("/v1/registry/digits/aliases/production").json() == alias.json()
    assert [each["aliases"] for each in api.get("/v1/registry/digits/versions").json()["data"]] == [["production"], []]

    changed = api.patch("/v1/registry/digits", json={"tags": ["b"]}).json()
    assert (changed["description"], changed["tags"]) == ("Of the post.\nRead well.", ["b"])
    assert api.get("/v1/registry/digits").json() == changed
    assert changed["aliases"] == [alias.json()]
    assert api.get("/v1/registry").json()["data"] == [changed]
    assert api.patch("/v1/registry/digits", json={}).json() == changed

    for address, model in (("digits@production", models[1]), ("digits/versions/1", models[0])):
        answer = api.post(f"/v1/registry/{address}/predict", json={"rows": [ROW]})
        assert answer.content == api.post(f"/v1/models/{model}/predict", json={"rows": [ROW]}).content
        answers = [
            api.post(f"/v1/{each}/predict", content="0.25,0.75\n", headers={"Content-Type": "text/csv; header=absent"})
            for each in (f"registry/{address}", f"models/{model}")
        ]
        assert answers[0].headers["content-type"].startswith("text/csv")
        assert answers[0].content == answers[1].content


def test_nothing_is_deleted_that_an_alias_points_to_and_no_number_comes_twice(service: Service) -> None:
    api, models = service.api, registered_models(service)
    for address, code in (
        ("/v1/registry/digits", "registered_model_has_aliases"),
        ("/v1/registry/digits/versions/1", "version_has_aliases"),
    ):
        refused = api.delete(address)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert "production" in refused.json()["detail"]
    assert api.delete("/v1/registry/digits/versions/2").status_code == 204
    assert api.delete("/v1/registry/digits/versions/2").json()["code"] == "version_not_found"
    assert api.post("/v1/registry/digits/versions", json={"model_id": models[1]}).json()["version"] == 3
    assert api.delete("/v1/registry/digits/aliases/production").status_code == 204
    assert api.delete("/v1/registry/digits/aliases/production").json()["code"] == "alias_not_found"
    assert api.post("/v1/registry/digits@production/predict", json={"rows": [ROW]}).json()["code"] == "alias_not_found"
    assert api.delete("/v1/registry/digits").status_code == 204
    assert api.get("/v1/registry/digits").json()["code"] == "registered_model_not_found"
    assert service.predict(models[0], [ROW])  # models stay

    assert api.post("/v1/registry", json={"name": "digits"}).status_code == 201
    events = api.get("/v1/registry/digits/history").json()["data"]
    assert [(each["kind"], each["alias"], each["from"], each["to"]) for each in events] == [
        ("created", None, None, None),
        ("version_created", None, None, 1),
        ("version_created", None, None, 2),
        ("alias_moved", "production", None, 1),
        ("version_deleted", None, 2, None),
        ("version_created", None, None, 3),
        ("alias_deleted", "production", 1, None),
        ("deleted", None, None, None),
        ("created", None, None, None),
    ]
    assert [each["sequence"] for each in events] == list(range(1, 10))
    page = api.get("/v1/registry/digits/history", params={"after": 3, "limit": 2}).json()
    assert (page["data"], page["has_more"]) == (events[3:5], True)
    assert api.get("/v1/registry/letters/history").status_code == 404


def test_an_alias_moves_only_from_the_state_that_is_named(service: Service) -> None:
    api = service.api
    registered_models(service)
    address = "/v1/registry/digits/aliases/production"

    def put(version: int, **headers: str) -> httpx2.Response:
        return api.put(address, json={"version": version}, headers={k.replace("_", "-"): v for k, v in headers.items()})

    first = api.get(address).headers["etag"]
    second = put(2, if_match=first).headers["etag"]
    assert second != first
    for headers, code in (
        ({"if_match": first}, "alias_moved"),
        ({"if_match": f"W/{second}"}, "alias_moved"),
        ({"if_none_match": "*"}, "alias_exists"),
        ({"if_none_match": "*", "if_match": second}, "alias_exists"),
    ):
        refused = put(1, **headers)
        assert (refused.status_code, refused.json()["code"]) == (412, code), headers
    assert api.delete(address, headers={"If-Match": first}).json()["code"] == "alias_moved"
    assert api.get(address).headers["etag"] == second
    assert put(2, if_match=f'{first} , {second},"x"').headers["etag"] == second  # it is there already: no move
    assert put(2, if_match=f"W/{second}, {second}").headers["etag"] == second
    assert put(1).status_code == 200
    assert put(2, if_match=first).status_code == 412, "moved away and back is not as it was"
    assert put(2, if_match="*").status_code == 200
    assert put(3).json()["code"] == "version_not_found"
    assert put(1, if_match="1").status_code == 422
    assert api.delete(address, headers={"If-Match": "*"}).status_code == 204
    assert put(1, if_match="*").json()["code"] == "alias_moved"
    assert put(1, if_match="*", if_none_match="*").json()["code"] == "alias_moved"
    assert put(1, if_match=second).json()["code"] == "alias_moved"
    assert put(1, if_none_match="*").status_code == 201


def test_what_reads_as_a_version_or_needs_quoting_is_no_alias(api: TestClient) -> None:
    for alias in ("latest", "Latest", "v1", "V12", "v007", "ä", "a.b", "a" * 256, "a b"):
        refused = api.put(f"/v1/registry/digits/aliases/{alias}", json={"version": 1})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), alias
        assert refused.json()["errors"][0]["path"] == "alias"


def test_bad_names_numbers_and_texts_are_refused_at_their_field(api: TestClient) -> None:
    for body, path in (
        ({"name": ""}, "/name"),
        ({"name": "a" * 256}, "/name"),
        ({"name": "a@b"}, "/name"),
        ({"name": "mdl_01M8E4G5WNB95TXRZEK3F90WRA"}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": "a", "tags": ["x"] * 1000}, "/tags"),
        ({"name": "a", "tags": "x"}, "/tags"),
        ({"name": "a", "tags": [""]}, "/tags/0"),
        ({"name": "a", "description": "\0"}, "/description"),
        ({"name": "a", "description": "x" * 10_001}, "/description"),
        ({"name": "a", "tag": []}, "/tag"),
    ):
        refused = api.post("/v1/registry", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path), body
    assert api.post("/v1/registry", json={"name": "a" * 255}).status_code == 201
    for version in (0, -1, 2**53, "1", True, 1.5, None):
        assert api.put("/v1/registry/a/aliases/b", json={"version": version}).status_code == 422
        assert api.get(f"/v1/registry/a/versions/{'' if version is None else version}x").status_code == 422
    again = api.post("/v1/registry", json={"name": "a" * 255})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


def test_a_repeated_request_creates_one_version(api: TestClient, database: Database) -> None:
    registered(database, "digits", stored_model(database))
    body, headers = {"model_id": stored_model(database)}, {"Idempotency-Key": "once"}
    answers = [api.post("/v1/registry/digits/versions", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["version"] == api.get("/v1/registry/digits").json()["last_version"] == 2


def test_projects_have_names_of_their_own_and_no_model_of_another_becomes_a_version(
    api: TestClient, database: Database
) -> None:
    model = stored_model(database)
    ours, theirs = (bearing(make_key(database, project)) for project in ("default", "other"))
    for headers in (ours, theirs):
        assert api.post("/v1/registry", json={"name": "digits"}, headers=headers).status_code == 201
    assert api.post("/v1/registry/digits/versions", json={"model_id": model}, headers=ours).status_code == 201
    refused = api.post("/v1/registry/digits/versions", json={"model_id": model}, headers=theirs)
    assert (refused.status_code, refused.json()["code"]) == (404, "model_not_found")
    assert api.get("/v1/registry/digits", headers=theirs).json()["last_version"] == 0
    (created, _) = api.get("/v1/registry/digits/history", headers=ours).json()["data"]
    assert created["key_id"] == ours["Authorization"].removeprefix("Bearer ").rpartition("_")[0]


def test_an_alias_that_flips_under_load_serves_the_next_request_and_fails_none(service: Service) -> None:
    api = service.api
    registered_models(service)

    def ask(address: str) -> bytes:
        answer = api.post(f"/v1/registry/{address}/predict", json={"rows": [ROW]})
        assert answer.status_code == 200, answer.text
        return answer.content

    known = [ask(f"digits/versions/{number}") for number in (1, 2)]
    assert known[0].partition(b"predictions")[2] != known[1].partition(b"predictions")[2]
    ended = threading.Event()

    def ask_all_the_time() -> list[bytes]:
        answers = []
        while not ended.is_set():
            answers.append(ask("digits@production"))
        return answers

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask_all_the_time) for _ in range(4)]
        try:
            for turn in range(FLIPS):
                version = 2 - turn % 2
                moved = api.put("/v1/registry/digits/aliases/production", json={"version": version})
                assert moved.status_code == 200
                assert [ask("digits@production") for _ in range(3)] == [known[version - 1]] * 3
        finally:
            ended.set()
        answers = [answer for each in asking for answer in each.result()]
    assert set(answers) == set(known)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_alias_that_another_process_moves_serves_within_a_second(service: Service, settings: Settings) -> None:
    registered_models(service)
    with running_api(settings) as other:

        def ask() -> bytes:
            answer = other.client.post("/v1/registry/digits@production/predict", json={"rows": [ROW]})
            assert answer.status_code == 200, answer.text
            return answer.content

        before = ask()
        for version in (2, 1):
            moved = service.api.put("/v1/registry/digits/aliases/production", json={"version": version})
            assert moved.status_code == 200
            since = monotonic()
            while (asked := monotonic()) and ask() == before:
                assert asked - since < 1
            before = ask()
