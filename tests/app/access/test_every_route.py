"""Every operation of the OpenAPI document, with no key, with another project's key, and with a key that may too little.

A new operation is tested without being added here; if it takes a body or an id that nothing here provides, it fails.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.main import create_app
from domain.access.keys import SCOPES, Scope
from infra.database import Database
from infra.settings import Settings
from tests.support.keys import bearing, make_key
from tests.support.service import Service

DOCUMENT = create_app(Settings()).openapi()
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
OPEN = {("GET", path) for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")}
"""What anybody may ask."""

GUARDED = [operation for operation in OPERATIONS if operation not in OPEN]
STREAM = ("GET", "/v1/events")
ABOUT_SOMETHING = [operation for operation in GUARDED if "{" in operation[1] or operation == STREAM]
LISTS = [
    (method, path)
    for method, path in GUARDED
    if method == "GET" and path[:3] == "/v1" and (method, path) not in ABOUT_SOMETHING
]

NOBODYS = {
    "dataset_id": "ds_nobodys",
    "network_id": "net_nobodys",
    "job_id": "job_nobodys",
    "model_id": "mdl_nobodys",
    "prediction_id": "prd_nobodys",
    "name": "nobodys-name",
    "version": "1",
    "alias": "nobodys-alias",
    "model_name": "nobodys-name",
    "model_version": "1",
    "webhook_id": "wh_nobodys",
    "delivery_id": "msg_nobodys",
}

QUERIES = {("GET", "/v1/models/{model_id}/dependence"): {"column": "b"}, STREAM: {"job": "{job_id}"}}
"""What operations cannot do without. The stream would not end."""

CSV = "a,b,label\n1,2,yes\n2,1,no\n3,5,yes\n4,4,no\n"
LAYERS = [{"units": 2}, {}]


@dataclass(frozen=True)
class World:
    """A service with two projects; one of them has one of each.

    Attributes:
        api: without a key of its own.
        database: the service's.
        ids: of the things, by the name of the path parameter that takes them.
        owner: a key of their project.
        stranger: a key of the other.
    """

    api: TestClient
    database: Database
    ids: dict[str, str]
    owner: str
    stranger: str

    def ask(self, operation: tuple[str, str], key: str | None, ids: dict[str, str] | None = None) -> Response:
        """The operation about the things of these ids, by default those that are there."""
        method, path = operation
        known = self.ids if ids is None else ids
        headers = {} if key is None else bearing(key)
        query = {name: value.format(**known) for name, value in QUERIES.get(operation, {}).items()}
        return self.api.request(
            method, path.format(**known), params=query or None, headers=headers, **body_of(operation, known)
        )

    def state(self) -> list[bytes]:
        """All that the owner sees."""
        return [self.ask(operation, self.owner).content for operation in GUARDED if operation[0] == "GET"]


def body_of(operation: tuple[str, str], ids: dict[str, str]) -> dict[str, Any]:
    """What an operation that takes a body is sent."""
    if "requestBody" not in OPERATIONS[operation]:
        return {}
    if operation[1].endswith("/infer"):
        return {"json": {"inputs": [{"name": "b", "shape": [1], "datatype": "FP64", "data": [2]}]}}
    job = {"dataset_id": ids["dataset_id"], "targets": ["label"], "network_id": ids["network_id"]}
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", "/v1/datasets"): {"files": {"file": ("t.csv", CSV.encode())}},
        ("POST", "/v1/networks"): {"json": {"name": "n", "layers": LAYERS}},
        ("POST", "/v1/jobs"): {"json": job},
        ("PATCH", "/v1/datasets/{dataset_id}"): {"json": {"note": "x"}},
        ("PATCH", "/v1/jobs/{job_id}"): {"json": {"note": "x"}},
        ("PATCH", "/v1/models/{model_id}"): {"json": {"note": "x"}},
        ("POST", "/v1/jobs/{job_id}/resume"): {"json": {"iterations": 5}},
        ("POST", "/v1/models/{model_id}/predict"): {"json": {"rows": [[1, 2]]}},
        ("POST", "/v1/registry/{name}@{alias}/predict"): {"json": {"rows": [[1, 2]]}},
        ("POST", "/v1/registry/{name}/versions/{version}/predict"): {"json": {"rows": [[1, 2]]}},
        ("POST", "/v1/registry"): {"json": {"name": "another-name"}},
        ("PATCH", "/v1/registry/{name}"): {"json": {"tags": ["a"]}},
        ("POST", "/v1/registry/{name}/versions"): {"json": {"model_id": ids.get("model_id", "")}},
        ("PUT", "/v1/registry/{name}/aliases/{alias}"): {"json": {"version": 1}},
        ("POST", "/v1/webhooks"): {"json": {"url": "https://example.org/", "enabled": False}},
        ("PATCH", "/v1/webhooks/{webhook_id}"): {"json": {"description": "x"}},
        ("POST", "/v1/predictions"): {"json": {name: ids.get(name, "") for name in ("model_id", "dataset_id")}},
    }
    return bodies[operation]


def scope_of(operation: tuple[str, str]) -> Scope:
    """The scope that the document says the operation needs."""
    ((scope,),) = (requirement["key"] for requirement in OPERATIONS[operation]["security"])
    assert scope in SCOPES
    chosen: Scope = scope
    return chosen


@pytest.fixture(scope="module")
def world(migrated_sqlite: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(migrated_sqlite, folder / "test.db")
    settings = Settings(
        data_dir=folder, database_url=f"sqlite:///{folder / 'test.db'}", redis_url=redis_url, queue_name="every-route"
    )
    database = Database(settings.resolved_database_url)
    owner, stranger = make_key(database, "owner"), make_key(database, "stranger")
    with TestClient(create_app(settings), headers=bearing(owner), raise_server_exceptions=False) as api:
        service = Service(api, database, api.app.state.services.artifacts, settings)  # type: ignore[attr-defined]
        dataset = service.upload_csv(CSV)
        job = service.train(
            {
                "dataset_id": dataset["id"],
                "targets": ["label"],
                "network": {"layers": LAYERS},
                "training": {"preset": "tutorial", "iterations": 3},
            }
        )
        network = api.post("/v1/networks", json={"name": "n", "layers": LAYERS}).json()
        webhook = api.post("/v1/webhooks", json={"url": "https://example.org/", "enabled": False}).json()
        delivery = api.post(f"/v1/webhooks/{webhook['id']}/test").json()
        ids = {
            "webhook_id": webhook["id"],
            "delivery_id": delivery["id"],
            "dataset_id": dataset["id"],
            "network_id": network["id"],
            "job_id": job["id"],
            "model_id": job["model_id"],
            "prediction_id": service.predict_dataset(job["model_id"], dataset["id"])["id"],
            "name": "owners-name",
            "version": "1",
            "alias": "owners-alias",
            "model_name": "owners-name",
            "model_version": "1",
        }
        api.post("/v1/registry", json={"name": ids["name"]})
        api.post(f"/v1/registry/{ids['name']}/versions", json={"model_id": ids["model_id"]})
        api.put(f"/v1/registry/{ids['name']}/aliases/{ids['alias']}", json={"version": 1})
        del api.headers["Authorization"]
        yield World(api, database, ids, owner, stranger)
    database.close()


def test_only_what_is_meant_to_be_is_open() -> None:
    without_security = {operation for operation, said in OPERATIONS.items() if "security" not in said}
    assert without_security == OPEN
    assert DOCUMENT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize("operation", sorted(OPEN))
def test_what_is_open_needs_no_key(world: World, operation: tuple[str, str]) -> None:
    assert world.ask(operation, None).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/static-offline-docs/swagger-ui-bundle.js"])
def test_the_description_of_the_interface_needs_no_key(world: World, path: str) -> None:
    assert world.api.get(path).status_code == 200


@pytest.mark.parametrize("operation", GUARDED)
def test_without_a_key_nothing_is_answered(world: World, operation: tuple[str, str]) -> None:
    for key in (None, "", "x", world.owner[:-1]):
        response = world.ask(operation, key)
        assert response.status_code == 401
        assert response.json()["code"] == ("key_required" if key is None else "invalid_key")
        assert response.headers["www-authenticate"].startswith("Bearer")
        is_v2 = operation[1].startswith("/v2")
        assert response.headers["content-type"] == ("application/json" if is_v2 else "application/problem+json")


@pytest.mark.parametrize("operation", GUARDED)
def test_the_scope_that_the_document_names_is_needed_and_is_enough(world: World, operation: tuple[str, str]) -> None:
    scope = scope_of(operation)
    others = make_key(world.database, "owner", set(SCOPES) - {scope, "admin"})
    response = world.ask(operation, others, NOBODYS)
    assert (response.status_code, response.json()["code"]) == (403, f"scope_{scope}_required")
    for enough in {scope, "admin"}:
        response = world.ask(operation, make_key(world.database, "elsewhere", [enough]), NOBODYS)
        assert response.status_code not in (401, 403)


@pytest.mark.parametrize("operation", ABOUT_SOMETHING)
def test_the_things_of_another_project_are_not_there(world: World, operation: tuple[str, str]) -> None:
    before = world.state()
    response = world.ask(operation, world.stranger)
    assert response.status_code == 404
    nothing = world.ask(operation, world.stranger, NOBODYS)
    told = response.text
    for name, known in world.ids.items():
        told = told.replace(known, NOBODYS[name])
    assert told == nothing.text
    assert _lasting(response) == _lasting(nothing)
    assert world.state() == before


@pytest.mark.parametrize("operation", LISTS)
def test_lists_show_the_own_project_alone(world: World, operation: tuple[str, str]) -> None:
    stranger = make_key(world.database, "a-new-one")
    assert world.ask(operation, stranger).json() == {"data": [], "has_more": False}
    assert world.ask(operation, world.owner).json()["data"]
    after = world.api.get(operation[1], params={"after": "zzz"}, headers=bearing(stranger))
    assert after.json()["data"] == []


def test_lists_of_the_other_protocol_show_the_own_project_alone(world: World) -> None:
    stranger = make_key(world.database, "a-new-one")
    world.ask(("POST", "/v2/models/{model_name}/infer"), world.owner)
    for operation, key, nothing in (
        (("GET", "/v2/models"), "models", {"models": []}),
        (("GET", "/v2/models/stats"), "model_stats", {"model_stats": []}),
        (("POST", "/v2/repository/index"), None, []),
    ):
        assert world.ask(operation, stranger).json() == nothing
        listed = world.ask(operation, world.owner).json()
        assert listed if key is None else listed[key]


@pytest.mark.parametrize("reference", ["dataset_id", "network_id"])
def test_a_job_cannot_refer_to_another_project_s_things(world: World, reference: str) -> None:
    headers = bearing(world.stranger)
    own = {
        "dataset_id": world.api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, headers=headers).json()[
            "id"
        ],
        "network_id": world.api.post("/v1/networks", json={"name": "n", "layers": LAYERS}, headers=headers).json()[
            "id"
        ],
    }
    assert world.ask(("POST", "/v1/jobs"), world.stranger, own).status_code == 202
    codes = []
    for ids in (world.ids, NOBODYS):
        response = world.ask(("POST", "/v1/jobs"), world.stranger, own | {reference: ids[reference]})
        assert response.status_code == 404
        codes.append(response.json()["code"])
    assert len(set(codes)) == 1


def test_everything_there_is_answers_its_owner(world: World) -> None:
    """Last, since it deletes: the ids above are those of things that are there."""

    def deletes_what_others_need(operation: tuple[str, str]) -> tuple[bool, ...]:
        deletes, path = operation[0] == "DELETE", operation[1]
        # Before anything changes: the streams end only as long as the job has.
        return (
            operation[0] != "GET",
            deletes,
            *(deletes and each for each in ("{model_id}" in path, "{alias}" not in path, "{version}" not in path)),
        )

    for operation in sorted(GUARDED, key=deletes_what_others_need):
        if operation[0] == "DELETE":
            for kind in ("jobs", "predictions"):
                for each in world.ask(("GET", f"/v1/{kind}"), world.owner).json()["data"]:
                    world.api.post(f"/v1/{kind}/{each['id']}/cancel", headers=bearing(world.owner))
        response = world.ask(operation, world.owner)
        ended = ("job_already_ended", "prediction_already_ended")
        assert response.is_success or response.json()["code"] in ended, response.text


def _lasting(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "content-length"}
