"""`client.events`: several jobs followed with one connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop_client.streams.following import AsyncEventStream, EventStream
from backprop_client.transport.calls import Call, nothing
from backprop_client.transport.sending import AsyncSender, Sender


@dataclass(frozen=True)
class Events:
    """Several jobs followed with one connection."""

    _sender: Sender

    def stream(
        self, *, job: Sequence[str] | None = None, points: int | None = None, max_rate: int | None = None
    ) -> EventStream:
        """Follow these jobs live, until all have ended; without names all of the project, from now on and for ever."""
        return EventStream(_stream(job, points, max_rate), job or (), self._sender)


@dataclass(frozen=True)
class AsyncEvents:
    """Several jobs followed with one connection."""

    _sender: AsyncSender

    def stream(
        self, *, job: Sequence[str] | None = None, points: int | None = None, max_rate: int | None = None
    ) -> AsyncEventStream:
        """Follow these jobs live, until all have ended; without names all of the project, from now on and for ever."""
        return AsyncEventStream(_stream(job, points, max_rate), job or (), self._sender)


def _stream(job: Sequence[str] | None, points: int | None, max_rate: int | None) -> Call[None]:
    return Call(
        "GET",
        "/v1/events",
        nothing,
        query={"job": job, "points": points, "max_rate": max_rate},
        headers={"Accept": "text/event-stream"},
    )
