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

_WHERE = {
    **dict.fromkeys(("AsyncBackprop", "Backprop", "RawResponse"), "clients"),
    **dict.fromkeys(("NOT_GIVEN", "NotGiven"), "transport.calls"),
    **dict.fromkeys(("AsyncJob", "Job"), "handles.job"),
    **dict.fromkeys(("AsyncModel", "Model"), "handles.model"),
    **dict.fromkeys(("JobCancelled", "JobFailed"), "handles.outcomes"),
}
"""The modules of names that are no errors."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any of them
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE.get(name, 'errors')}"), name)
