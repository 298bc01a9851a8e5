"""Streams are taken up again where they broke, and end where they end."""

from __future__ import annotations

import asyncio
import json

import httpx2
import pytest

from backprop_client import AsyncBackprop, Backprop, ConnectionFailed, NotFound, ServerFailed, UnreadableAnswer
from backprop_client.streams.events import GIVE_UP_SECONDS
from backprop_client.wire.events import CostBatch, End


class Service:
    """Sends the costs of a job, some a connection, and remembers where each connection began."""

    def __init__(self, *connections: str | int) -> None:
        self._connections = iter(connections)
        self.begun_at: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.begun_at.append(request.headers.get("Last-Event-ID"))
        what = next(self._connections)
        if isinstance(what, int):
            said = {"title": "t", "status": what, "code": "job_not_found", "detail": "No."}
            return httpx2.Response(what, json=said) if what >= 400 else httpx2.Response(what)
        return httpx2.Response(200, text=what, headers={"Content-Type": "text/event-stream"})


def cost(iteration: int) -> str:
    batch = CostBatch(
        job_id="job_1",
        iteration=[iteration],
        cost=[1.0],
        data_cost=[1.0],
        decay_cost=[0.0],
        sparsity_cost=[0.0],
        held_out_cost=None,
        evaluations=[iteration],
    )
    return f"id: {iteration}\nevent: cost\ndata: {batch.model_dump_json()}\n\n"


END = f"id: e\nevent: end\ndata: {json.dumps({'job_id': 'job_1', 'status': 'succeeded', 'later': 1})}\n\n"


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backprop_client.streams.following.time.sleep", lambda _seconds: None)


def heard(service: Service) -> list[object]:
    with httpx2.Client(transport=httpx2.MockTransport(service)) as over:
        events = Backprop(None, "http://s", http_client=over, max_retries=0).jobs.events("job_1")
        return [event.iteration[0] if isinstance(event, CostBatch) else event for event in events]


def heard_in_a_loop(service: Service) -> list[object]:
    async def main() -> list[object]:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(service)) as over:
            events = AsyncBackprop(None, "http://s", http_client=over, max_retries=0).jobs.events("job_1")
            return [event.iteration[0] if isinstance(event, CostBatch) else event async for event in events]

    return asyncio.run(main())


@pytest.mark.parametrize("hear", [heard, heard_in_a_loop])
def test_it_goes_on_behind_the_last_event(hear: object) -> None:
    assert callable(hear)
    cut = cost(2)[:-8]  # half an event is none
    service = Service(cost(0) + cost(1) + cut, ": nothing\n\n", 503, "event: mood\ndata: {}\n\n" + cost(2) + END)
    assert hear(service) == [0, 1, 2, End(job_id="job_1", status="succeeded")]
    assert service.begun_at == [None, "1", "1", "1"]


@pytest.mark.parametrize("hear", [heard, heard_in_a_loop])
def test_what_somebody_else_has_seen_the_end_of_has_ended(hear: object) -> None:
    assert callable(hear)
    assert hear(Service(cost(0), 204)) == [0]


def test_several_jobs_are_followed_to_the_last_end_of_each() -> None:
    def end(job_id: str) -> str:
        return f"event: end\ndata: {json.dumps({'job_id': job_id, 'status': 'succeeded'})}\n\n"

    service = Service(end("job_1") + cost(7) + end("job_2"), end("job_1"))  # somebody has resumed it
    with httpx2.Client(transport=httpx2.MockTransport(service)) as over:
        events = Backprop(None, "http://s", http_client=over, max_retries=0).events.stream(job=["job_1", "job_2"])
        assert [event.job_id for event in events if isinstance(event, End)] == ["job_1", "job_2", "job_1"]


def test_a_stream_that_was_silent_for_long_is_taken_up_and_a_service_that_is_away_for_long_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("backprop_client.streams.events.time.monotonic", lambda: now[0])

    class Slow(Service):
        def __call__(self, request: httpx2.Request) -> httpx2.Response:
            now[0] += 2 * GIVE_UP_SECONDS / 3
            return super().__call__(request)

    assert heard(Slow(cost(0), ": ping\n\n", 503, ": ping\n\n", 503, cost(1) + END))[:2] == [0, 1]
    with pytest.raises(ServerFailed):
        heard(Slow(cost(0), 503, 503, 503))


def test_what_never_began_or_is_gone_is_told_of() -> None:
    with pytest.raises(ConnectionFailed):
        list(Backprop(None, "http://127.0.0.1:1", max_retries=0).jobs.events("job_1"))
    with pytest.raises(NotFound):
        heard(Service(cost(0), 404))


@pytest.mark.parametrize(
    ("answer", "headers"),
    [("<html>", {"Content-Type": "text/html"}), ("event: end\ndata: {}\n\n", {"Content-Type": "text/event-stream"})],
)
def test_what_is_no_stream_of_events_is_told_of(answer: str, headers: dict[str, str]) -> None:
    def service(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text=answer, headers=headers)

    with (
        httpx2.Client(transport=httpx2.MockTransport(service)) as over,
        pytest.raises(UnreadableAnswer),
    ):
        list(Backprop(None, "http://s", http_client=over).jobs.events("job_1"))
