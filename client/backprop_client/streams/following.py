"""Streams that are iterated over, with threads that wait and in an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

import httpx2

from backprop_client.errors import ConnectionFailed, ServerFailed, TooMany
from backprop_client.streams.events import LONGEST_SILENCE, Event, Following
from backprop_client.transport.calls import Call
from backprop_client.transport.sending import AsyncSender, Sender

LONGEST_EVENT = 64 * 2**20
"""Bytes. No event is so long; a service that sends a longer one is none."""

_NO_CONTENT = 204
_LOST = (ConnectionFailed, ServerFailed, TooMany)
"""What ends a connection and not the stream."""


@dataclass(frozen=True)
class EventStream:
    """Jobs followed live. Iterating opens the connection, and opens it again when it breaks; nothing comes twice."""

    _call: Call[None]
    _jobs: Sequence[str]
    _sender: Sender

    def __iter__(self) -> Iterator[Event]:
        """Go through the events, until all jobs that are followed have ended.

        Raises:
            Refused: there is no such job any more, or the key may not see it.
            ConnectionFailed: nobody answers, from the beginning on or for ten minutes.
        """
        sender = replace(self._sender, connection=replace(self._sender.connection, timeout=LONGEST_SILENCE))
        following = Following(self._call, self._jobs)
        while True:
            try:
                with sender.stream(following.call) as response:
                    if response.status_code == _NO_CONTENT:
                        return
                    following.opened()
                    for sent in httpx2.EventSource(response, LONGEST_EVENT):
                        event = following.take(sent)
                        if event is not None:
                            yield event
                        if following.is_over:
                            return
            except _LOST:
                if following.lost():
                    raise
            time.sleep(following.next_delay())


@dataclass(frozen=True)
class AsyncEventStream:
    """Jobs followed live. Iterating opens the connection, and opens it again when it breaks; nothing comes twice."""

    _call: Call[None]
    _jobs: Sequence[str]
    _sender: AsyncSender

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Go through the events, until all jobs that are followed have ended.

        Raises:
            Refused: there is no such job any more, or the key may not see it.
            ConnectionFailed: nobody answers, from the beginning on or for ten minutes.
        """
        sender = replace(self._sender, connection=replace(self._sender.connection, timeout=LONGEST_SILENCE))
        following = Following(self._call, self._jobs)
        while True:
            try:
                async with sender.stream(following.call) as response:
                    if response.status_code == _NO_CONTENT:
                        return
                    following.opened()
                    async for sent in httpx2.EventSource(response, LONGEST_EVENT):
                        event = following.take(sent)
                        if event is not None:
                            yield event
                        if following.is_over:
                            return
            except _LOST:
                if following.lost():
                    raise
            await asyncio.sleep(following.next_delay())
