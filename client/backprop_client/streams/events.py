"""The events of a stream, and what is known of it between two connections."""

from __future__ import annotations

import random
import time
from collections.abc import Collection
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

    def __init__(self, call: Call[None], jobs: Collection[str]) -> None:
        """Nothing has come yet.

        Args:
            call: asks for the beginning.
            jobs: those that are followed; none: all that there are, and the stream has no end.
        """
        self.call = call
        self._jobs = frozenset(jobs)
        self._ended: set[str] = set()
        self._delay = FIRST_DELAY
        self._has_begun = False
        self._lost_at: float | None = None

    def opened(self) -> None:
        """Note that the service has answered. From now on it is silent only because nothing happens."""
        self._has_begun = True
        self._lost_at = None

    def lost(self) -> bool:
        """Note that a connection is lost.

        Returns:
            Whether for good: there was none yet, or the service is away for too long.
        """
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        return not self._has_begun or now - self._lost_at > GIVE_UP_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether all jobs that are followed have ended, as far as has come."""
        return bool(self._jobs) and self._ended >= self._jobs

    def take(self, sent: httpx2.ServerSentEvent) -> Event | None:
        """The event that has come; None if it is one that this client does not know."""
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
        if isinstance(event, End):
            self._ended.add(event.job_id)
        elif not isinstance(event, JobOut):  # which tells of a new name, too, while all others tell that it goes on
            self._ended.discard(event.job_id)
        return event

    def next_delay(self) -> float:
        """Seconds until the stream is to be taken up again."""
        delay = self._delay
        self._delay = min(2 * delay, LONGEST_DELAY)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
