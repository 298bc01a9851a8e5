"""The client has a method for each operation of the interface, with what the operation takes."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx2
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

ANOTHER_METHOD = {
    "jobs_plan": "jobs_create",
    "models_features_picture": "models_features",
    "models_predict_file": "models_predict",
    "registry_predict_file_by_alias": "registry_predict_by_alias",
    "registry_predict_file_by_version": "registry_predict_by_version",
}
"""Methods besides the one that is named as its operation, and the operation that they ask for."""

WHOLE = {"request", "fields"}
"""Parameters that stand for a whole body."""

DOCUMENT = create_app(Settings()).openapi()


class Operation(NamedTuple):
    """One operation of the interface: its id, what its address, its query, its headers and its body have."""

    id: str
    method: str
    address: str
    path: set[str]
    query: set[str]
    headers: set[str]
    body: set[str]


def fields_of(schema: dict[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in part:
            yield from fields_of(DOCUMENT["components"]["schemas"][part["$ref"].rpartition("/")[2]])
        yield from part.get("properties", {})


def operations() -> Iterator[Operation]:
    for address, methods in DOCUMENT["paths"].items():
        for method, said in methods.items():
            parameters = said.get("parameters", ())
            content = said.get("requestBody", {}).get("content", {})
            body = content.get("application/json") or content.get("multipart/form-data") or {}
            yield Operation(
                said["operationId"],
                method.upper(),
                address,
                {each["name"] for each in parameters if each["in"] == "path"},
                {each["name"] for each in parameters if each["in"] == "query"},
                {each["name"].lower() for each in parameters if each["in"] == "header"},
                set(fields_of(body.get("schema", {}))),
            )


def method_of(client: Backprop | AsyncBackprop, operation: str) -> Callable[..., Any]:
    namespace, _, name = operation.partition("_")
    return getattr(getattr(client, namespace), name)  # type: ignore[no-any-return]


@pytest.mark.parametrize("client", [Backprop, AsyncBackprop])
@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.id)
def test_there_is_a_method_with_all_that_the_operation_takes(
    client: type[Backprop | AsyncBackprop], operation: Operation
) -> None:
    parameters = set(inspect.signature(method_of(client(), operation.id)).parameters)
    assert operation.path <= parameters
    assert operation.query - OF_ANOTHER_METHOD.get(operation.id, set()) <= parameters
    if not parameters & WHOLE:
        assert operation.body - {"file"} <= parameters


SAID: dict[str, Any] = {"content": b"a", "request": {}, "rows": [[1]], "tags": ["x"], "tag": ["x"], "job": ["x"]}
"""What a parameter is given; all others the text ``v``."""


class Sent(Exception):
    """A request that was to be sent."""

    def __init__(self, request: httpx2.Request) -> None:
        super().__init__(request)
        self.request = request


def sent_by(client: type[Backprop | AsyncBackprop], name: str, given: dict[str, Any]) -> httpx2.Request:
    """The request that a method makes."""

    def send(request: httpx2.Request) -> httpx2.Response:
        raise Sent(request)

    async def send_in_a_loop(request: httpx2.Request) -> httpx2.Response:
        raise Sent(request)

    async def ask() -> None:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(send_in_a_loop)) as over:
            asked = method_of(AsyncBackprop("k", "http://s", http_client=over), name)(**given)
            if hasattr(asked, "__aiter__") and not hasattr(asked, "__await__"):
                await anext(aiter(asked))
            await (asked.read() if hasattr(asked, "read") else asked)

    with pytest.raises(Sent) as sent:
        if client is AsyncBackprop:
            asyncio.run(ask())
        with httpx2.Client(transport=httpx2.MockTransport(send)) as over:
            asked = method_of(Backprop("k", "http://s", http_client=over), name)(**given)
            list(asked.chunks() if hasattr(asked, "chunks") else asked)
    return sent.value.request


OPERATIONS = {operation.id: operation for operation in operations()}


@pytest.mark.parametrize("client", [Backprop, AsyncBackprop])
@pytest.mark.parametrize("name", [*OPERATIONS, *ANOTHER_METHOD])
def test_a_method_asks_for_its_operation_and_says_all_that_it_is_given(
    client: type[Backprop | AsyncBackprop], name: str
) -> None:
    operation = OPERATIONS[ANOTHER_METHOD.get(name, name)]
    parameters = set(inspect.signature(method_of(client(), name)).parameters) - {"spec", "fields"}
    request = sent_by(client, name, {each: SAID.get(each, "v") for each in parameters})
    assert (request.method, request.url.path) == (operation.method, re.sub(r"\{\w+\}", "v", operation.address))
    body = request.read() if isinstance(request.stream, httpx2.SyncByteStream) else asyncio.run(request.aread())
    said = set(request.url.params)
    if body.startswith(b"--"):
        said |= {each for each in operation.body if f'name="{each}"'.encode() in body}
    elif request.headers.get("Content-Type") == "application/json" and parameters.isdisjoint(WHOLE):
        said |= set(json.loads(body))
    assert (operation.query | operation.body) & parameters <= said <= operation.query | operation.body
    if name in OPERATIONS:
        assert ("Idempotency-Key" in request.headers) == ("idempotency-key" in operation.headers)


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
