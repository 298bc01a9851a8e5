"""`client.predictions`: predictions of whole datasets, made by a worker."""

from __future__ import annotations

from dataclasses import dataclass

from backprop_client.downloads import AsyncDownload, Download
from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.parts import accepting, quoted, whole
from backprop_client.transport.calls import NOT_GIVEN, Call, NotGiven, as_type, given, json_body, nothing
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.predictions import QueuedPredictionOut, QueuedPredictionPage


@dataclass(frozen=True)
class Predictions:
    """Predictions of whole datasets, made by a worker."""

    _sender: Sender

    def create(
        self, *, model_id: str, dataset_id: str, unknown_categories: UnknownCategories | NotGiven = NOT_GIVEN
    ) -> QueuedPredictionOut:
        """Queue the predictions of a dataset."""
        return self._sender.send(_create(model_id, dataset_id, unknown_categories))

    def list(self, *, after: str | None = None, limit: int | None = None) -> Page[QueuedPredictionOut]:
        """The queued predictions, newest first."""
        return Page.asked_for(self._sender, _list(after, limit))

    def get(self, prediction_id: str) -> QueuedPredictionOut:
        """One of them, and how far it has come."""
        return self._sender.send(_get(prediction_id))

    def delete(self, prediction_id: str) -> None:
        """Delete it, once it has ended."""
        self._sender.send(_delete(prediction_id))

    def cancel(self, prediction_id: str) -> QueuedPredictionOut:
        """Ask it to end."""
        return self._sender.send(_cancel(prediction_id))

    def rows(self, prediction_id: str, *, with_inputs: bool = False, accept: str = "text/csv") -> Download:
        """What was predicted, as a file of the type `accept`: CSV, Parquet or a stream of Arrow's."""
        return Download(_rows(prediction_id, with_inputs, accept), self._sender)


@dataclass(frozen=True)
class AsyncPredictions:
    """Predictions of whole datasets, made by a worker."""

    _sender: AsyncSender

    async def create(
        self, *, model_id: str, dataset_id: str, unknown_categories: UnknownCategories | NotGiven = NOT_GIVEN
    ) -> QueuedPredictionOut:
        """Queue the predictions of a dataset."""
        return await self._sender.send(_create(model_id, dataset_id, unknown_categories))

    def list(self, *, after: str | None = None, limit: int | None = None) -> AsyncList[QueuedPredictionOut]:
        """The queued predictions, newest first."""
        return AsyncList(_list(after, limit), self._sender)

    async def get(self, prediction_id: str) -> QueuedPredictionOut:
        """One of them, and how far it has come."""
        return await self._sender.send(_get(prediction_id))

    async def delete(self, prediction_id: str) -> None:
        """Delete it, once it has ended."""
        await self._sender.send(_delete(prediction_id))

    async def cancel(self, prediction_id: str) -> QueuedPredictionOut:
        """Ask it to end."""
        return await self._sender.send(_cancel(prediction_id))

    def rows(self, prediction_id: str, *, with_inputs: bool = False, accept: str = "text/csv") -> AsyncDownload:
        """What was predicted, as a file of the type `accept`: CSV, Parquet or a stream of Arrow's."""
        return AsyncDownload(_rows(prediction_id, with_inputs, accept), self._sender)


def _create(
    model_id: str, dataset_id: str, unknown_categories: UnknownCategories | NotGiven
) -> Call[QueuedPredictionOut]:
    return Call(
        "POST",
        "/v1/predictions",
        as_type(QueuedPredictionOut),
        body=json_body(given(model_id=model_id, dataset_id=dataset_id, unknown_categories=unknown_categories)),
        creates=True,
    )


def _list(after: str | None, limit: int | None) -> Listing[QueuedPredictionOut]:
    return Listing(
        Call("GET", "/v1/predictions", as_type(QueuedPredictionPage), query={"after": after, "limit": limit}),
        lambda item: item.id,
    )


def _get(prediction_id: str) -> Call[QueuedPredictionOut]:
    return Call("GET", f"/v1/predictions/{quoted(prediction_id)}", as_type(QueuedPredictionOut))


def _delete(prediction_id: str) -> Call[None]:
    return Call("DELETE", f"/v1/predictions/{quoted(prediction_id)}", nothing)


def _cancel(prediction_id: str) -> Call[QueuedPredictionOut]:
    return Call("POST", f"/v1/predictions/{quoted(prediction_id)}/cancel", as_type(QueuedPredictionOut))


def _rows(prediction_id: str, with_inputs: bool, accept: str) -> Call[bytes]:
    return Call(
        "GET",
        f"/v1/predictions/{quoted(prediction_id)}/rows",
        whole,
        query={"with_inputs": with_inputs},
        headers=accepting(accept),
    )
