"""Predictions by a worker for files and datasets of any size. What was made for them only is gone afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from backprop_client.errors import BackpropError, Cancelled, Failed
from backprop_client.handles.uploading import stored, to_upload, uploaded, uploaded_async
from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.predictions import QueuedPredictionOut

if TYPE_CHECKING:
    from backprop_client.handles.working import AsyncWorking, Working

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
"""Seconds between two questions whether it is done. They become longer one by one."""


@contextmanager
def queued(
    client: Working,
    model_id: str,
    data: Any,  # noqa: ANN401
    unknown_categories: UnknownCategories,
) -> Iterator[str]:
    """The id of a queued prediction that has succeeded, for as long as its rows are needed.

    Raises:
        Failed, Cancelled: it has not succeeded.
    """
    there = stored(data)
    dataset_id = there or uploaded(client, to_upload(data, None), None, {})
    try:
        asked = client.predictions.create(
            model_id=model_id, dataset_id=dataset_id, unknown_categories=unknown_categories
        )
        try:
            for pause in _pauses():
                if _is_done(client.predictions.get(asked.id)):
                    break
                time.sleep(pause)
            yield asked.id
        except BaseException:
            with suppress(BackpropError):
                client.predictions.cancel(asked.id)
            raise
        finally:
            with suppress(BackpropError):  # a key may lack the scope, and a worker may be at it still
                client.predictions.delete(asked.id)
    finally:
        if there is None:
            with suppress(BackpropError):
                client.datasets.delete(dataset_id)


@asynccontextmanager
async def queued_async(
    client: AsyncWorking,
    model_id: str,
    data: Any,  # noqa: ANN401
    unknown_categories: UnknownCategories,
) -> AsyncIterator[str]:
    """As `queued`, in an event loop."""
    there = stored(data)
    dataset_id = there or await uploaded_async(client, to_upload(data, None), None, {})
    try:
        asked = await client.predictions.create(
            model_id=model_id, dataset_id=dataset_id, unknown_categories=unknown_categories
        )
        try:
            for pause in _pauses():
                if _is_done(await client.predictions.get(asked.id)):
                    break
                await asyncio.sleep(pause)
            yield asked.id
        except BaseException:
            with suppress(BackpropError):
                await client.predictions.cancel(asked.id)
            raise
        finally:
            with suppress(BackpropError):  # a key may lack the scope, and a worker may be at it still
                await client.predictions.delete(asked.id)
    finally:
        if there is None:
            with suppress(BackpropError):
                await client.datasets.delete(dataset_id)


def _is_done(prediction: QueuedPredictionOut) -> bool:
    if prediction.status == "failed":
        code, message = (prediction.error.code, prediction.error.message) if prediction.error else ("", "It failed.")
        raise Failed(prediction.id, code, message)
    if prediction.status == "cancelled":
        raise Cancelled(prediction.id, None, f"{prediction.id} was cancelled.")
    return prediction.status == "succeeded"


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)
