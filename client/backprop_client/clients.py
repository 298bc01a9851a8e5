"""The two clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import httpx2
from typing_extensions import Self

from backprop_client.handles.working import AsyncWorking, Working
from backprop_client.resources.datasets import AsyncDatasets, Datasets
from backprop_client.resources.events import AsyncEvents, Events
from backprop_client.resources.health import AsyncHealthChecks, HealthChecks
from backprop_client.resources.inference import AsyncInference, Inference
from backprop_client.resources.jobs import AsyncJobs, Jobs
from backprop_client.resources.models import AsyncModels, Models
from backprop_client.resources.networks import AsyncNetworks, Networks
from backprop_client.resources.predictions import AsyncPredictions, Predictions
from backprop_client.resources.registry import AsyncRegistry, Registry
from backprop_client.resources.webhooks import AsyncWebhooks, Webhooks
from backprop_client.transport.calls import NOT_GIVEN, NotGiven
from backprop_client.transport.connection import USUAL_RETRIES, USUAL_SECONDS, Connection, merged, request_id_of
from backprop_client.transport.sending import AsyncSender, Sender

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RawResponse(Generic[Answer]):
    """What a request has given, and the answer of HTTP that said so.

    Attributes:
        parsed: as the request gives it without this.
        http_response: the answer.
    """

    parsed: Answer
    http_response: httpx2.Response

    @property
    def status(self) -> int:
        """HTTP's."""
        return self.http_response.status_code

    @property
    def headers(self) -> httpx2.Headers:
        """Of the answer."""
        return self.http_response.headers

    @property
    def request_id(self) -> str:
        """Of the request."""
        return request_id_of(self.http_response)


def _raw(parsed: Answer, heard: Sequence[httpx2.Response]) -> RawResponse[Answer]:
    if not heard:
        raise ValueError("Nothing has been asked for yet: files and streams are only when they are read.")
    return RawResponse(parsed, heard[-1])


def _changed(
    connection: Connection,
    timeout: float | NotGiven | None,
    max_retries: int | NotGiven,
    headers: Mapping[str, str] | NotGiven,
) -> Connection:
    """The connection with these options instead of its own."""
    if not isinstance(timeout, NotGiven):
        connection = replace(connection, timeout=timeout)
    if not isinstance(max_retries, NotGiven):
        connection = replace(connection, max_retries=max_retries)
    if not isinstance(headers, NotGiven):
        connection = replace(connection, headers=merged(connection.headers, headers))
    return connection


class Backprop(Working):
    """A client of a Backprop service, whose methods wait for its answers. It may be used by several threads.

    Attributes:
        connection: how it reaches the service.
        datasets: tables to learn from.
        networks: networks that are stored under names.
        jobs: training jobs.
        events: several jobs followed with one connection.
        models: trained models.
        predictions: predictions of whole datasets.
        registry: models under names, with versions and aliases.
        webhooks: addresses that are told when something has ended.
        inference: the Open Inference Protocol.
        health: whether the service is up.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float | None = USUAL_SECONDS,
        max_retries: int = USUAL_RETRIES,
        http_client: httpx2.Client | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            api_key: a key of the service; empty for none. Default: the variable BACKPROP_API_KEY, else none.
            base_url: of the service. Default: the variable BACKPROP_URL, else http://127.0.0.1:8000.
            timeout: seconds that a request waits for each step of its answer; None for no limit.
            max_retries: how often a request is sent again that failed for a while only.
            http_client: sends the requests, and is not closed. Default: one of its own.
        """
        connection = Connection.found(api_key, base_url, timeout, max_retries)
        self._owns = http_client is None
        self._bind(Sender(connection, http_client or httpx2.Client()))

    def _bind(self, sender: Sender) -> None:
        self._sender = sender
        self.connection = sender.connection
        self.datasets = Datasets(sender)
        self.networks = Networks(sender)
        self.jobs = Jobs(sender)
        self.events = Events(sender)
        self.models = Models(sender)
        self.predictions = Predictions(sender)
        self.registry = Registry(sender)
        self.webhooks = Webhooks(sender)
        self.inference = Inference(sender)
        self.health = HealthChecks(sender)

    def with_options(
        self,
        *,
        timeout: float | NotGiven | None = NOT_GIVEN,
        max_retries: int | NotGiven = NOT_GIVEN,
        headers: Mapping[str, str] | NotGiven = NOT_GIVEN,
    ) -> Self:
        """A client with other options, over the same connections. Headers are added to those that it has.

        An ``Idempotency-Key`` of one's own is for a request that is to be known again by another process; it is for one
        request, and the client that has it for one, too.
        """
        return self._with(replace(self._sender, connection=_changed(self.connection, timeout, max_retries, headers)))

    def _with(self, sender: Sender) -> Self:
        """A client that sends with another sender, whose connections are not its own."""
        other = type(self).__new__(type(self))
        other._owns = False  # noqa: SLF001  # it is one of these
        other._bind(sender)  # noqa: SLF001  # as above
        return other

    def with_raw_response(self, ask: Callable[[Self], Answer]) -> RawResponse[Answer]:
        """What a request gives, and beside it the answer of HTTP.

        Args:
            ask: makes one request: ``lambda client: client.jobs.get("job_…")``. Of several the last counts.

        Raises:
            ValueError: it makes none, as one that only names a file does: read it, too.
        """
        heard: list[httpx2.Response] = []
        parsed = ask(self._with(replace(self._sender, heard=heard.append)))
        return _raw(parsed, heard)

    def close(self) -> None:
        """Close its connections."""
        if self._owns:
            self._sender.client.close()

    def __deepcopy__(self, _memo: Mapping[int, object]) -> Self:
        """Itself: threads share it as it is."""
        return self

    def __reduce__(self) -> tuple[Callable[..., Backprop], tuple[object, ...]]:
        """For pickle. Keys and headers do not go into files: where it is read, BACKPROP_API_KEY counts."""
        connection = self.connection
        return _unpickled, (type(self), connection.base_url, connection.timeout, connection.max_retries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.connection.base_url!r})"


def _unpickled(kind: type[Backprop], base_url: str, timeout: float | None, max_retries: int) -> Backprop:
    return kind(base_url=base_url, timeout=timeout, max_retries=max_retries)


class AsyncBackprop(AsyncWorking):
    """A client of a Backprop service for one event loop, whose methods are awaited.

    Attributes:
        connection: how it reaches the service.
        datasets: tables to learn from.
        networks: networks that are stored under names.
        jobs: training jobs.
        events: several jobs followed with one connection.
        models: trained models.
        predictions: predictions of whole datasets.
        registry: models under names, with versions and aliases.
        webhooks: addresses that are told when something has ended.
        inference: the Open Inference Protocol.
        health: whether the service is up.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float | None = USUAL_SECONDS,
        max_retries: int = USUAL_RETRIES,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            api_key: a key of the service; empty for none. Default: the variable BACKPROP_API_KEY, else none.
            base_url: of the service. Default: the variable BACKPROP_URL, else http://127.0.0.1:8000.
            timeout: seconds that a request waits for each step of its answer; None for no limit.
            max_retries: how often a request is sent again that failed for a while only.
            http_client: sends the requests, and is not closed. Default: one of its own.
        """
        connection = Connection.found(api_key, base_url, timeout, max_retries)
        self._owns = http_client is None
        self._bind(AsyncSender(connection, http_client or httpx2.AsyncClient()))

    def _bind(self, sender: AsyncSender) -> None:
        self._sender = sender
        self.connection = sender.connection
        self.datasets = AsyncDatasets(sender)
        self.networks = AsyncNetworks(sender)
        self.jobs = AsyncJobs(sender)
        self.events = AsyncEvents(sender)
        self.models = AsyncModels(sender)
        self.predictions = AsyncPredictions(sender)
        self.registry = AsyncRegistry(sender)
        self.webhooks = AsyncWebhooks(sender)
        self.inference = AsyncInference(sender)
        self.health = AsyncHealthChecks(sender)

    def with_options(
        self,
        *,
        timeout: float | NotGiven | None = NOT_GIVEN,
        max_retries: int | NotGiven = NOT_GIVEN,
        headers: Mapping[str, str] | NotGiven = NOT_GIVEN,
    ) -> Self:
        """A client with other options, over the same connections. Headers are added to those that it has.

        An ``Idempotency-Key`` of one's own is for a request that is to be known again by another process; it is for one
        request, and the client that has it for one, too.
        """
        return self._with(replace(self._sender, connection=_changed(self.connection, timeout, max_retries, headers)))

    def _with(self, sender: AsyncSender) -> Self:
        """A client that sends with another sender, whose connections are not its own."""
        other = type(self).__new__(type(self))
        other._owns = False  # noqa: SLF001  # it is one of these
        other._bind(sender)  # noqa: SLF001  # as above
        return other

    async def with_raw_response(self, ask: Callable[[Self], Awaitable[Answer]]) -> RawResponse[Answer]:
        """What a request gives, and beside it the answer of HTTP.

        Args:
            ask: makes one request: ``lambda client: client.jobs.get("job_…")``. Of several the last counts.

        Raises:
            ValueError: it makes none, as one that only names a file does: read it, too.
        """
        heard: list[httpx2.Response] = []
        parsed = await ask(self._with(replace(self._sender, heard=heard.append)))
        return _raw(parsed, heard)

    async def close(self) -> None:
        """Close its connections."""
        if self._owns:
            await self._sender.client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.connection.base_url!r})"
