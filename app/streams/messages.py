"""Events as bytes. A message is encoded once, however many streams send it; each adds an id of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.v1.answers import event_out, job_out
from backprop.training import Record
from backprop_client.wire.events import End, EventName, Transition
from domain.jobs.following import News, Place, Situation
from infra.tables import Job, JobEvent

BATCH_ROWS = 1_000
"""Costs of one event. They take some 80 kilobytes, and a stream holds little more for a client that is slow."""

KEEP_ALIVE = b": still here\n\n"
"""A comment. Clients ignore it; proxies see that the connection is alive."""

RETRY_MILLISECONDS = 1_000
"""Milliseconds. A browser that has lost its connection comes back after so long."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event of a stream, but for its id.

    Attributes:
        body: its name and its data.
        place: where the listener is with it.
        rows: how many costs it has.
    """

    body: bytes
    place: Place
    rows: int = 0

    def with_id(self, event_id: str) -> bytes:
        """All of the event."""
        return b"%sid: %s\n\n" % (self.body, event_id.encode())


def opening(event_id: str) -> bytes:
    """What a stream begins with: how soon to come back, and with which id if nothing has come by then."""
    return b"retry: %d\nid: %s\n\n" % (RETRY_MILLISECONDS, event_id.encode())


def job_body(job: Job) -> bytes:
    """The job as it stands."""
    return _body("job", job_out(job).model_dump_json().encode())


def end_body(job_id: str, situation: Situation | None) -> bytes:
    """The end of a job that has ended, or of one that was deleted (None)."""
    status: Any = "deleted" if situation is None else situation.job.status
    return _body("end", End(job_id=job_id, status=status).model_dump_json().encode())


def messages_of(job_id: str, place: Place, news: News) -> Iterator[Message]:
    """The news of a job, for listeners at that place."""
    for step in news.steps:
        if isinstance(step, JobEvent):
            place = replace(place, sequence=step.sequence, knows_end=False)
            yield Message(_transition_body(job_id, step), place)
        else:
            for start in range(0, len(step), BATCH_ROWS):
                records = step[start : start + BATCH_ROWS]
                place = replace(place, iteration=records[-1].iteration, knows_end=False)
                yield Message(_cost_body(job_id, records), place, len(records))


def _transition_body(job_id: str, event: JobEvent) -> bytes:
    transition = Transition(job_id=job_id, **event_out(event).model_dump())
    return _body("transition", transition.model_dump_json(by_alias=True).encode())


def _cost_body(job_id: str, records: Sequence[Record]) -> bytes:
    columns: dict[str, Any] = dict(zip(Record._fields, zip(*records, strict=True), strict=True))
    if all(cost is None for cost in columns["held_out_cost"]):
        columns["held_out_cost"] = None
    return _body("cost", orjson.dumps({"job_id": job_id, **columns}))


def _body(name: EventName, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n" % (name.encode(), data)
