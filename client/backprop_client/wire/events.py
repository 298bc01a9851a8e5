"""What a stream of server-sent events carries: `GET /v1/jobs/{id}/events` and `GET /v1/events`.

An event has a name (`EventName`) and JSON as its data:

| name | data | when |
|---|---|---|
| `job` | `JobOut` | first of all, and when anything but its progress has changed |
| `cost` | `CostBatch` | as costs are recorded, in the order of iterations |
| `transition` | `Transition` | with each step of the job's life, after the costs that were recorded before it |
| `end` | `End` | once the job has ended and all of it has been sent |

The id of an event stands for everything that the stream has sent up to it. Nobody but the service reads it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backprop_client.wire.jobs import EventOut, Status

EventName = Literal["job", "cost", "transition", "end"]
"""The names of events."""

LAST_EVENT_ID = "Last-Event-ID"
"""The header with the id of the last event that a client has seen. A stream goes on behind it."""


class CostBatch(BaseModel):
    """Costs that follow each other, column by column: the fields of `CostOut`, each an array of the same length."""

    job_id: str
    iteration: list[int] = Field(description="Ascending. No iteration comes twice, whatever becomes of the job.")
    cost: list[float]
    data_cost: list[float]
    decay_cost: list[float]
    sparsity_cost: list[float]
    held_out_cost: list[float | None] | None = Field(description="Null if it is null at all of these iterations.")
    evaluations: list[int]


class Transition(EventOut):
    """A step in a job's life, as it is in the job's history."""

    model_config = ConfigDict(title="Transition", populate_by_name=True)

    job_id: str


class End(BaseModel):
    """A job has ended, and everything of it has been sent."""

    job_id: str
    status: Status | Literal["deleted"] = Field(
        description="How it has ended; deleted if somebody deleted it meanwhile, and some of it may not have been sent."
    )
