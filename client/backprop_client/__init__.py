"""The Python client of Backprop, a service that trains feed-forward neural networks.

::

    from backprop_client import Backprop

    with Backprop(api_key="key_…", base_url="http://127.0.0.1:8000") as client:
        dataset = client.datasets.create("iris.csv")
        job = client.jobs.create(dataset_id=dataset.id, targets=["species"])

`AsyncBackprop` is the same for event loops. What can go wrong: `backprop_client.errors`.

Nothing is imported before it is asked for: `backprop_client.wire` needs Pydantic alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backprop_client.clients import AsyncBackprop, Backprop, RawResponse
    from backprop_client.errors import (
        BackpropError,
        BadRequest,
        Cancelled,
        Conflict,
        ConnectionFailed,
        DidNotSucceed,
        Failed,
        Forbidden,
        Invalid,
        NotAcceptable,
        NotFound,
        PreconditionFailed,
        Refused,
        ServerFailed,
        TimedOut,
        TooLarge,
        TooMany,
        Unauthenticated,
        UnreadableAnswer,
        UnsupportedMediaType,
    )
    from backprop_client.transport.calls import NOT_GIVEN, NotGiven

__all__ = [
    "NOT_GIVEN",
    "AsyncBackprop",
    "Backprop",
    "BackpropError",
    "BadRequest",
    "Cancelled",
    "Conflict",
    "ConnectionFailed",
    "DidNotSucceed",
    "Failed",
    "Forbidden",
    "Invalid",
    "NotAcceptable",
    "NotFound",
    "NotGiven",
    "PreconditionFailed",
    "RawResponse",
    "Refused",
    "ServerFailed",
    "TimedOut",
    "TooLarge",
    "TooMany",
    "Unauthenticated",
    "UnreadableAnswer",
    "UnsupportedMediaType",
]

_CLIENTS = {"AsyncBackprop", "Backprop", "RawResponse"}
_CALLS = {"NOT_GIVEN", "NotGiven"}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any of them
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "clients" if name in _CLIENTS else "transport.calls" if name in _CALLS else "errors"
    return getattr(import_module(f"{__name__}.{module}"), name)
