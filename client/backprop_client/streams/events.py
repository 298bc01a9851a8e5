"""The events of a stream, and what is known of it between two connections."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import httpx2
from pydantic import ValidationError

from backprop_client.errors import UnreadableAnswer
from backprop_client.transport.calls import Call
from backprop_client.wire.events import LAST_EVENT_ID, CostBatch, End, Transition
from backprop_client.wire.jobs import JobOut

Event = JobOut | CostBatch | Transition | End
"""What a stream tells of a job: how it stands now, costs, a step of its life, its end."""

KINDS: dict[str, type[Event]] = {"job": JobOut, "cost": CostBatch, "transition": Transition, "end": End}
"""What the data of an event are, by its name."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
"""Seconds. After a connection that has brought an event the next is opened so soon. Each that brings none doubles the
time, up to a bound."""

LONGEST_SILENCE = 60.0
"""Seconds. The service says something at least every quarter of a minute. A connection on which nothing comes for so
long is dead, though nobody has said so."""


GIVE_UP_SECONDS = 600.0
"""Seconds. A service that has been away for so long is not waited for any longer."""


class Following:
    """What is known of a stream: where it is, and how long to wait before it is taken up again.

    Attributes:
        call: asks for what comes next.
    """

    def __init__(self, call: Call[None]) -> None:
        self.call = call
        self._delay = FIRST_DELAY
        self._heard_at: float | None = None

    def take(self, sent: httpx2.ServerSentEvent) -> Event | None:
        """The event that has come; None if it is one that this client does not know."""
        self._heard_at = time.monotonic()
        if sent.id:
            headers = {**self.call.headers, LAST_EVENT_ID: sent.id}
            self.call = replace(self.call, headers=headers)
        self._delay = FIRST_DELAY
        kind = KINDS.get(sent.event)
        if kind is None:
            return None
        try:
            event: Event = kind.model_validate_json(sent.data, extra="ignore")
        except ValidationError as error:
            raise UnreadableAnswer(f"An event {sent.event} is none: {error}") from error
        return event

    @property
    def is_hopeless(self) -> bool:
        """Whether a connection that is lost is lost for good: there was none before, or that was long ago."""
        return self._heard_at is None or time.monotonic() - self._heard_at > GIVE_UP_SECONDS

    def next_delay(self) -> float:
        """Seconds until the stream is to be taken up again."""
        delay = self._delay
        self._delay = min(2 * delay, LONGEST_DELAY)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
