"""`client.jobs`: training jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import Unpack

from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.job_fields import JobFields, said
from backprop_client.resources.parts import quoted
from backprop_client.streams.following import AsyncEventStream, EventStream
from backprop_client.transport.calls import NOT_GIVEN, Call, NotGiven, as_type, given, json_body, nothing
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.jobs import CostOut, CostPage, EventOut, EventPage, JobOut, JobPage, JobPlan, Status
from backprop_client.wire.specs import JobSpec


@dataclass(frozen=True)
class Jobs:
    """Training jobs."""

    _sender: Sender

    def create(self, spec: JobSpec | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> JobOut:
        """Queue a training job. What it does not say is inferred from the dataset's columns."""
        return self._sender.send(_create(spec, fields))

    def plan(self, spec: JobSpec | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> JobPlan:
        """What such a job would be, with every default filled in. Nothing is stored."""
        return self._sender.send(_plan(spec, fields))

    def list(
        self,
        *,
        status: Status | None = None,
        tag: Sequence[str] | None = None,
        name: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Page[JobOut]:
        """The jobs, newest first."""
        return Page.asked_for(self._sender, _list(status, tag, name, q, after, limit))

    def get(self, job_id: str) -> JobOut:
        """A job, and how far it has come."""
        return self._sender.send(_get(job_id))

    def update(
        self,
        job_id: str,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
    ) -> JobOut:
        """Change its name, tags or note. None clears."""
        return self._sender.send(_update(job_id, name, tags, note))

    def delete(self, job_id: str, *, with_models: bool = False) -> None:
        """Delete an ended job, its costs and, if wanted, its models."""
        self._sender.send(_delete(job_id, with_models))

    def cancel(self, job_id: str) -> JobOut:
        """Ask a job to end."""
        return self._sender.send(_cancel(job_id))

    def resume(self, job_id: str, *, iterations: int | None = None) -> JobOut:
        """Let an ended job go on, to so many iterations in all."""
        return self._sender.send(_resume(job_id, iterations))

    def history(self, job_id: str, *, after: int | None = None, limit: int | None = None) -> Page[EventOut]:
        """The steps of its life, the oldest first."""
        return Page.asked_for(self._sender, _history(job_id, after, limit))

    def costs(
        self,
        job_id: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int | None = None,
        points: int | None = None,
    ) -> Page[CostOut]:
        """J(W,b) of every iteration, or so many points of its curve."""
        return Page.asked_for(self._sender, _costs(job_id, after, before, limit, points))

    def events(self, job_id: str, *, points: int | None = None, max_rate: int | None = None) -> EventStream:
        """Follow a job live: its costs, its steps and its end. See `backprop_client.streams`."""
        return EventStream(_events(job_id, points, max_rate), (job_id,), self._sender)


@dataclass(frozen=True)
class AsyncJobs:
    """Training jobs."""

    _sender: AsyncSender

    async def create(self, spec: JobSpec | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> JobOut:
        """Queue a training job. What it does not say is inferred from the dataset's columns."""
        return await self._sender.send(_create(spec, fields))

    async def plan(self, spec: JobSpec | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> JobPlan:
        """What such a job would be, with every default filled in. Nothing is stored."""
        return await self._sender.send(_plan(spec, fields))

    def list(
        self,
        *,
        status: Status | None = None,
        tag: Sequence[str] | None = None,
        name: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> AsyncList[JobOut]:
        """The jobs, newest first."""
        return AsyncList(_list(status, tag, name, q, after, limit), self._sender)

    async def get(self, job_id: str) -> JobOut:
        """A job, and how far it has come."""
        return await self._sender.send(_get(job_id))

    async def update(
        self,
        job_id: str,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
    ) -> JobOut:
        """Change its name, tags or note. None clears."""
        return await self._sender.send(_update(job_id, name, tags, note))

    async def delete(self, job_id: str, *, with_models: bool = False) -> None:
        """Delete an ended job, its costs and, if wanted, its models."""
        await self._sender.send(_delete(job_id, with_models))

    async def cancel(self, job_id: str) -> JobOut:
        """Ask a job to end."""
        return await self._sender.send(_cancel(job_id))

    async def resume(self, job_id: str, *, iterations: int | None = None) -> JobOut:
        """Let an ended job go on, to so many iterations in all."""
        return await self._sender.send(_resume(job_id, iterations))

    def history(self, job_id: str, *, after: int | None = None, limit: int | None = None) -> AsyncList[EventOut]:
        """The steps of its life, the oldest first."""
        return AsyncList(_history(job_id, after, limit), self._sender)

    def costs(
        self,
        job_id: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int | None = None,
        points: int | None = None,
    ) -> AsyncList[CostOut]:
        """J(W,b) of every iteration, or so many points of its curve."""
        return AsyncList(_costs(job_id, after, before, limit, points), self._sender)

    def events(self, job_id: str, *, points: int | None = None, max_rate: int | None = None) -> AsyncEventStream:
        """Follow a job live: its costs, its steps and its end. See `backprop_client.streams`."""
        return AsyncEventStream(_events(job_id, points, max_rate), (job_id,), self._sender)


def _create(spec: JobSpec | Mapping[str, Any] | None, fields: JobFields) -> Call[JobOut]:
    return Call("POST", "/v1/jobs", as_type(JobOut), body=json_body(said(spec, fields)), creates=True)


def _plan(spec: JobSpec | Mapping[str, Any] | None, fields: JobFields) -> Call[JobPlan]:
    return Call("POST", "/v1/jobs", as_type(JobPlan), query={"dry_run": True}, body=json_body(said(spec, fields)))


def _list(
    status: Status | None,
    tag: Sequence[str] | None,
    name: str | None,
    q: str | None,
    after: str | None,
    limit: int | None,
) -> Listing[JobOut]:
    return Listing(
        Call(
            "GET",
            "/v1/jobs",
            as_type(JobPage),
            query={"status": status, "tag": tag, "name": name, "q": q, "after": after, "limit": limit},
        ),
        lambda item: item.id,
    )


def _get(job_id: str) -> Call[JobOut]:
    return Call("GET", f"/v1/jobs/{quoted(job_id)}", as_type(JobOut))


def _update(
    job_id: str, name: str | NotGiven | None, tags: Sequence[str] | NotGiven | None, note: str | NotGiven | None
) -> Call[JobOut]:
    return Call(
        "PATCH", f"/v1/jobs/{quoted(job_id)}", as_type(JobOut), body=json_body(given(name=name, tags=tags, note=note))
    )


def _delete(job_id: str, with_models: bool) -> Call[None]:
    return Call("DELETE", f"/v1/jobs/{quoted(job_id)}", nothing, query={"with_models": with_models})


def _cancel(job_id: str) -> Call[JobOut]:
    return Call("POST", f"/v1/jobs/{quoted(job_id)}/cancel", as_type(JobOut))


def _resume(job_id: str, iterations: int | None) -> Call[JobOut]:
    return Call(
        "POST",
        f"/v1/jobs/{quoted(job_id)}/resume",
        as_type(JobOut),
        body=json_body({"iterations": iterations}),
        creates=True,
    )


def _history(job_id: str, after: int | None, limit: int | None) -> Listing[EventOut]:
    return Listing(
        Call("GET", f"/v1/jobs/{quoted(job_id)}/history", as_type(EventPage), query={"after": after, "limit": limit}),
        lambda item: item.sequence,
    )


def _costs(
    job_id: str, after: int | None, before: int | None, limit: int | None, points: int | None
) -> Listing[CostOut]:
    return Listing(
        Call(
            "GET",
            f"/v1/jobs/{quoted(job_id)}/costs",
            as_type(CostPage),
            query={"after": after, "before": before, "limit": limit, "points": points},
        ),
        lambda item: item.iteration,
    )


def _events(job_id: str, points: int | None, max_rate: int | None) -> Call[None]:
    return Call(
        "GET",
        f"/v1/jobs/{quoted(job_id)}/events",
        nothing,
        query={"points": points, "max_rate": max_rate},
        headers={"Accept": "text/event-stream"},
    )
