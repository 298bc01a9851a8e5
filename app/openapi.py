"""The OpenAPI document: what FastAPI finds out by itself, and the problems that any request may meet."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.edge.bodies import METHODS_WITH_BODIES
from app.errors import description
from backprop_client.wire.events import CostBatch, End, Transition
from backprop_client.wire.models import PredictionRequest
from backprop_client.wire.oip.inference import InferenceRequest
from backprop_client.wire.oip.server import ProtocolError
from backprop_client.wire.problems import Problem


def complete_openapi(app: FastAPI) -> None:
    """Make the app's document hold the schemas that no route's types name, and every status that it can answer with."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schemas = document["components"]["schemas"]
            for model in (Problem, PredictionRequest, ProtocolError, InferenceRequest, CostBatch, Transition, End):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[model.__name__] = schema
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    for status in _common_problems(method, operation):
                        operation["responses"].setdefault(str(status.value), description(status, path))
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of extending the document


def _common_problems(method: str, operation: dict[str, Any]) -> Iterator[HTTPStatus]:
    """What may go wrong before the operation itself has begun."""
    if "requestBody" in operation:
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        yield HTTPStatus.REQUEST_TIMEOUT
    if method.upper() in METHODS_WITH_BODIES:
        yield HTTPStatus.BAD_REQUEST
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if "security" in operation:
        yield HTTPStatus.UNAUTHORIZED
        yield HTTPStatus.FORBIDDEN
        yield HTTPStatus.TOO_MANY_REQUESTS
        yield HTTPStatus.SERVICE_UNAVAILABLE  # the gate looks the key up in the database, which may be away
