"""The Python client of Backprop, a service that trains feed-forward neural networks.

::

    from backprop_client import Backprop

    with Backprop(api_key="key_…", base_url="http://127.0.0.1:8000") as client:
        dataset = client.datasets.create("iris.csv")
        job = client.jobs.create(dataset_id=dataset.id, targets=["species"])

`AsyncBackprop` is the same for event loops. What can go wrong: `backprop_client.errors`.
"""

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
