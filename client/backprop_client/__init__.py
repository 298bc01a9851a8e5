"""The Python client of Backprop, a service that trains feed-forward neural networks.

::

    from backprop_client import Backprop

    with Backprop(api_key="key_…", base_url="http://127.0.0.1:8000") as client:
        job = client.train("iris.csv", target="species")     # or a data frame, an array, …
        model = job.wait()
        print(model.predict([{"petal_length": 1.4, "petal_width": 0.2}]))

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
    from backprop_client.handles.job import AsyncJob, Job
    from backprop_client.handles.model import AsyncModel, Model
    from backprop_client.handles.outcomes import JobCancelled, JobFailed
    from backprop_client.transport.calls import NOT_GIVEN, NotGiven

__all__ = [
    "NOT_GIVEN",
    "AsyncBackprop",
    "AsyncJob",
    "AsyncModel",
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
    "Job",
    "JobCancelled",
    "JobFailed",
    "Model",
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

_MODULES = {
    "clients": {"AsyncBackprop", "Backprop", "RawResponse"},
    "handles.job": {"AsyncJob", "Job"},
    "handles.model": {"AsyncModel", "Model"},
    "handles.outcomes": {"JobCancelled", "JobFailed"},
    "transport.calls": {"NOT_GIVEN", "NotGiven"},
}
"""Where what is exported comes from, unless it comes from `errors`."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any of them
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next((module for module, names in _MODULES.items() if name in names), "errors")
    return getattr(import_module(f"{__name__}.{module}"), name)
