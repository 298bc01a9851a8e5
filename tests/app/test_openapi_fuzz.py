"""Whatever a client sends, the service answers as its OpenAPI document says; and the document tells the truth."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from app.main import create_app
from infra.settings import Settings
from tests.support.registry import moved, registered
from tests.support.service import Service

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]

FORM = "/v1/datasets"
"""What is no valid form cannot be sent as a form: bad uploads are made by hand in tests/app/datasets."""

DOCUMENT = create_app(Settings()).openapi()
SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(DOCUMENT)))
"""As every client gets it, whatever the service's settings and database: worked out once, not for each operation."""

METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in METHODS if method in methods]


@pytest.fixture
def ids(service: Service) -> dict[str, str]:
    """Ids of things that exist, by the name of the path parameter that takes them."""
    dataset = service.upload_csv("a,b,label\n1,2,yes\n2,1,no\n3,5,yes\n4,4,no\n")
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["label"],
            "network": {"layers": [{"units": 2}, {}]},
            "training": {"preset": "tutorial", "iterations": 20},
        }
    )
    registered(service.database, "digits", job["model_id"])
    moved(service.database, "digits", "production", 1)
    network = service.api.post("/v1/networks", json={"name": "n", "layers": [{}]}).json()
    return {
        "dataset_id": dataset["id"],
        "job_id": job["id"],
        "model_id": job["model_id"],
        "network_id": network["id"],
        "prediction_id": service.predict_dataset(job["model_id"], dataset["id"])["id"],
        "name": "digits",
        "version": "1",
        "alias": "production",
        "model_name": job["model_id"],
        "model_version": "1",
    }


def test_the_document_is_what_a_client_gets(api: TestClient) -> None:
    assert api.get("/openapi.json").json() == SCHEMA.raw_schema


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_that_the_document_promises(
    api: TestClient, settings: Settings, ids: dict[str, str], method: str, path: str
) -> None:
    operation = SCHEMA[path][method.upper()]
    examples = 15 if settings.database_url.startswith("sqlite") else 3

    def exchange(case: Case[Any], known: bool) -> None:
        if known:
            _refer_to(ids, case)
        if path == "/v1/events" and not (case.query or {}).get("job"):
            case.query = {**(case.query or {}), "job": [ids["job_id"]]}  # without it the stream would not end
        request = case.as_transport_kwargs(base_url="http://testserver")
        del request["cookies"]  # none is generated
        # A header may hold all that Latin-1 has. The client encodes text as ASCII alone.
        request["headers"] = {name: value.encode("latin-1") for name, value in (request["headers"] or {}).items()}
        if isinstance(request.get("data"), bytes):
            request["content"] = request.pop("data")
        prepared = api.build_request(**request)
        prepared.read()  # a failure is told with the body
        response = api.send(prepared)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            if path.startswith("/v2"):
                assert response.headers["content-type"] == "application/json"
                assert response.json()["error"]
            else:
                assert response.headers["content-type"] == "application/problem+json"
                assert response.json()["status"] == response.status_code

    modes = [mode for mode in GenerationMode if mode is GenerationMode.POSITIVE or path != FORM]
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])
    bounded = hypothesis_settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],  # making a failing example smaller would take minutes
        suppress_health_check=list(HealthCheck),
    )
    bounded(given(case=cases, known=st.booleans())(exchange))()


def _refer_to(ids: dict[str, str], case: Case[Any]) -> None:
    """Make the request one about things that exist, so that it comes past the first 404."""
    for name in case.path_parameters:
        case.path_parameters[name] = ids.get(name, case.path_parameters[name])
    if isinstance(case.body, dict):
        for name in {"dataset_id", "model_id"} & case.body.keys():
            case.body[name] = ids[name]
