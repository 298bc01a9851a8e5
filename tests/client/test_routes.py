"""The client has a method for each operation of the interface, with what the operation takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from app.main import create_app
from backprop_client import AsyncBackprop, Backprop
from backprop_client.resources.job_fields import JobFields
from backprop_client.wire.specs import JobSpec
from infra.settings import Settings

BY_THE_CLIENT = {"accept", "idempotency-key", "last-event-id", "if-none-match", "if-match"}
"""These headers are sent where they are needed, and are no parameters of their own."""

OF_ANOTHER_METHOD = {"jobs_create": {"dry_run"}, "models_features": {"format", "width", "scale"}}
"""Parameters that make an operation another one: `plan`, `features_picture`."""

OF_FILES = {"unknown_categories"}
"""A parameter of predictions for files, which `predict_file` sends."""

WHOLE = {"request", "fields"}
"""Parameters that stand for a whole body."""

DOCUMENT = create_app(Settings()).openapi()


class Operation(NamedTuple):
    """One operation of the interface: its id, what its address, its query and its body have."""

    id: str
    path: set[str]
    query: set[str]
    body: set[str]


def fields_of(schema: dict[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in part:
            yield from fields_of(DOCUMENT["components"]["schemas"][part["$ref"].rpartition("/")[2]])
        yield from part.get("properties", {})


def operations() -> Iterator[Operation]:
    for methods in DOCUMENT["paths"].values():
        for said in methods.values():
            parameters = said.get("parameters", ())
            content = said.get("requestBody", {}).get("content", {})
            body = content.get("application/json") or content.get("multipart/form-data") or {}
            yield Operation(
                said["operationId"],
                {each["name"] for each in parameters if each["in"] == "path"},
                {each["name"] for each in parameters if each["in"] == "query"},
                set(fields_of(body.get("schema", {}))),
            )


def method_of(client: type, operation: str) -> Callable[..., Any]:
    namespace, _, name = operation.partition("_")
    return getattr(getattr(client(), namespace), name)  # type: ignore[no-any-return]


@pytest.mark.parametrize("client", [Backprop, AsyncBackprop])
@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.id)
def test_there_is_a_method_with_all_that_the_operation_takes(client: type, operation: Operation) -> None:
    parameters = set(inspect.signature(method_of(client, operation.id)).parameters)
    assert operation.path <= parameters
    assert operation.query - OF_ANOTHER_METHOD.get(operation.id, set()) <= parameters
    if not parameters & WHOLE:
        assert operation.body - {"file"} <= parameters


def test_both_clients_have_the_same_methods() -> None:
    for name in vars(Backprop()):
        if name.startswith("_") or name == "connection":
            continue
        one, other = getattr(Backprop(), name), getattr(AsyncBackprop(), name)
        methods = [each for each in dir(one) if not each.startswith("_")]
        assert methods == [each for each in dir(other) if not each.startswith("_")]
        for method in methods:
            signatures = [inspect.signature(getattr(client, method)).parameters for client in (one, other)]
            assert signatures[0] == signatures[1], f"{name}.{method}"
            docs = {inspect.getdoc(getattr(client, method)) for client in (one, other)}
            assert len(docs) == 1, f"{name}.{method}"


def test_a_job_may_say_by_name_all_that_its_spec_may() -> None:
    aliases = {field.alias for field in JobSpec.model_fields.values() if field.alias}
    assert set(JobFields.__annotations__) == set(JobSpec.model_fields) | aliases


def test_operation_ids_are_short_and_plain() -> None:
    ids = [operation.id for operation in operations()]
    assert len(set(ids)) == len(ids)
    assert all(each.replace("_", "").isalpha() and each.islower() and len(each) <= 32 for each in ids)
