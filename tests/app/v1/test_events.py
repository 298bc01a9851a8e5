"""Streams of events: what is in them, how they go on, and what is refused. What kills them is in tests/faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backprop_client.wire.events import CostBatch, End, Transition
from backprop_client.wire.jobs import JobOut
from domain.access.keys import Scope
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import removal
from infra.settings import Settings
from tests.support.api_process import ApiProcess, running_api
from tests.support.faults import job_body
from tests.support.keys import bearing, make_key
from tests.support.service import Service
from tests.support.streams import Listener, SentEvent, read_all

ITERATIONS = 2_500
STREAMS = 40


@pytest.fixture
def listening(settings: Settings) -> Iterator[ApiProcess]:
    """The same service over a socket: the test client hands an answer on when it has ended."""
    with running_api(settings.model_copy(update={"max_event_streams": STREAMS})) as api:
        yield api


def events_of(service: Service, address: str, last_id: str = "", **parameters: Any) -> list[SentEvent]:  # noqa: ANN401
    """All events of a stream that ends."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    return read_all(service.api.get(address, headers=headers, params=parameters or None))


def columns_of(events: list[SentEvent]) -> dict[str, list[Any]]:
    """The costs of all batches, column by column."""
    batches = [event.data for event in events if event.name == "cost"]
    names = CostBatch.model_fields.keys() - {"job_id"}
    return {
        name: [value for batch in batches for value in batch[name] or [None] * len(batch["iteration"])]
        for name in names
    }


def without_job(events: list[SentEvent]) -> list[SentEvent]:
    """All but the job as it stands, with which every stream begins."""
    return [event for event in events if event.name != "job"]


def test_a_job_that_has_ended_is_told_whole_and_goes_on_behind_every_event(service: Service) -> None:
    job = service.train({**job_body(service, rows=50, iterations=ITERATIONS, held_out_every=7), "holdout": 0.2})
    address = f"/v1/jobs/{job['id']}/events"
    events = events_of(service, address)
    assert events[0].name == "job"
    assert JobOut.model_validate(events[0].data) == JobOut.model_validate(job)
    rows = service.costs(job["id"])
    assert columns_of(events) == {name: [row[name] for row in rows] for name in rows[0]}
    for event in events:
        if event.name == "cost":
            CostBatch.model_validate(event.data)
    history = service.api.get(f"/v1/jobs/{job['id']}/history").json()["data"]
    assert [event.data for event in events if event.name == "transition"] == [
        {**step, "job_id": job["id"]} for step in history
    ]
    names = [event.name for event in events]
    assert names == ["job", "transition", "transition", "cost", "cost", "cost", "transition", "end"]
    assert End.model_validate(events[-1].data) == End(job_id=job["id"], status="succeeded")
    Transition.model_validate(events[1].data)
    for place, event in enumerate(events[:-1]):
        assert without_job(events_of(service, address, event.id)) == without_job(events[place + 1 :])
    assert service.api.get(address, headers={"Last-Event-ID": events[-1].id}).status_code == 204


def test_the_stream_of_several_jobs_has_each_of_them_whole(service: Service) -> None:
    body = job_body(service, rows=50, iterations=ITERATIONS)
    jobs = [service.train(body)["id"] for _ in range(2)]
    address = f"/v1/events?job={jobs[1]}&job={jobs[0]}&job={jobs[1]}"
    events = events_of(service, address)
    for job_id in jobs:
        own = [event for event in events if event.data.get("job_id", event.data.get("id")) == job_id]
        assert [(event.name, event.data) for event in own] == [
            (event.name, event.data) for event in events_of(service, f"/v1/jobs/{job_id}/events")
        ]
    for place in range(0, len(events) - 1, 3):
        rest = without_job(events_of(service, address, events[place].id))
        expected = without_job(events[place + 1 :])
        for job_id in jobs:
            assert [event.data for event in rest if event.data["job_id"] == job_id] == [
                event.data for event in expected if event.data["job_id"] == job_id
            ]
    assert service.api.get(address, headers={"Last-Event-ID": events[-1].id}).status_code == 204


def test_a_resumed_job_goes_on_behind_its_end(service: Service) -> None:
    job = service.train(job_body(service, rows=50, iterations=30))
    address = f"/v1/jobs/{job['id']}/events"
    last_id = events_of(service, address)[-1].id
    service.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": 50})
    service.attempt(job["id"])
    rest = without_job(events_of(service, address, last_id))
    assert [event.data["kind"] for event in rest if event.name == "transition"] == ["resumed", "started", "succeeded"]
    assert columns_of(rest)["iteration"] == list(range(31, 51))


def test_points_thin_what_is_there_already_as_the_costs_route_does(service: Service) -> None:
    job_id = service.train(job_body(service, rows=50, iterations=ITERATIONS))["id"]
    thinned = columns_of(events_of(service, f"/v1/jobs/{job_id}/events", points=100))
    rows = service.api.get(f"/v1/jobs/{job_id}/costs", params={"points": 100}).json()["data"]
    assert 20 < len(rows) <= 100
    assert thinned == {name: [row[name] for row in rows] for name in rows[0]}


def test_max_rate_bounds_the_rows_of_a_second(service: Service) -> None:
    job_id = service.train(job_body(service, rows=50, iterations=ITERATIONS))["id"]
    iterations = columns_of(events_of(service, f"/v1/jobs/{job_id}/events", max_rate=100))["iteration"]
    assert iterations[-1] == ITERATIONS
    assert 4 <= len(iterations) <= 100
    whole = columns_of(events_of(service, f"/v1/jobs/{job_id}/events", max_rate=10_000))["iteration"]
    assert whole == list(range(ITERATIONS + 1))


def test_what_is_deleted_is_not_there(service: Service) -> None:
    job_id = service.train(job_body(service, rows=50, iterations=5))["id"]
    with service.database.writing() as session:
        removal.delete_job(session, DEFAULT_PROJECT, job_id)
    for address in (f"/v1/jobs/{job_id}/events", f"/v1/events?job={job_id}"):
        assert service.api.get(address).json()["code"] == "job_not_found"


@pytest.mark.parametrize(
    "last_id", ["x", "-1.0", "00000000:-1.0", "all:0", "all:1~x", "all:5~job_1@99999999999999999999.0", "all:", "é"]
)
def test_an_id_of_another_stream_is_refused(service: Service, last_id: str) -> None:
    job_id = service.train(job_body(service, rows=50, iterations=5))["id"]
    response = service.api.get(f"/v1/jobs/{job_id}/events", headers=[(b"Last-Event-ID", last_id.encode())])
    assert (response.status_code, response.json()["errors"][0]["path"]) == (422, "Last-Event-ID")


def test_no_job_of_another_project_is_followed(service: Service, listening: ApiProcess) -> None:
    job_id = service.train(job_body(service, rows=50, iterations=5))["id"]
    scopes: list[Scope] = ["read"]
    theirs = bearing(make_key(service.database, "theirs", scopes))
    for address in (f"/v1/jobs/{job_id}/events", f"/v1/events?job={job_id}"):
        assert listening.client.get(address, headers=theirs).json()["code"] == "job_not_found"
    # Whatever an id says, only the own project's jobs are in the stream that goes on there.
    stream = Listener("/v1/events", lambda: f"http://127.0.0.1:{listening.port}", theirs)
    stream.last_id = f"all:0~{job_id}@-1.0"
    stream.start()
    stream.wait_until("its beginning", lambda it: it.last_id != f"all:0~{job_id}@-1.0")
    mine = bearing(make_key(service.database, "default"))
    ours = Listener("/v1/events", lambda: f"http://127.0.0.1:{listening.port}", mine)
    ours.last_id = "all:0"
    ours.start()
    ours.wait_until("the end", lambda it: it.named("end"))
    assert stream.events == []
    stream.stop()
    ours.stop()


def test_the_stream_of_a_project_tells_what_happens_from_now_on(service: Service, listening: ApiProcess) -> None:
    body = job_body(service, rows=50, iterations=ITERATIONS)
    before = service.train(body)["id"]
    waiting = service.submit(body)["id"]
    stream = Listener("/v1/events", lambda: f"http://127.0.0.1:{listening.port}").start()
    thinned = Listener("/v1/events?points=4", lambda: f"http://127.0.0.1:{listening.port}").start()
    for each in (stream, thinned):
        each.wait_until("its beginning", lambda it: it.last_id)
    assert stream.events == []
    new = service.submit(body)["id"]
    for job_id in (new, waiting):
        service.attempt(job_id)
    stream.wait_until("two ends", lambda it: len(it.named("end")) == 2)
    assert stream.iterations(new) == stream.iterations(waiting) == list(range(ITERATIONS + 1))
    thinned.wait_until("two ends", lambda it: len(it.named("end")) == 2)
    thinned.stop()
    assert thinned.iterations(new) == stream.iterations(new)  # nothing of it was there when that began
    assert stream.sequences(new) == [1, 2, 3]
    assert stream.sequences(waiting) == [2, 3]
    service.api.post(f"/v1/jobs/{before}/resume", json={"iterations": ITERATIONS + 10})
    service.attempt(before)
    stream.wait_until("a third end", lambda it: len(it.named("end")) == 3)
    assert stream.iterations(before) == list(range(ITERATIONS + 1, ITERATIONS + 11))
    assert stream.sequences(before) == [4, 5, 6]
    for place in range(0, len(stream.events) - 1, 4):  # wherever somebody goes on, the rest is the same
        rest = Listener("", lambda: "", events=stream.events[place + 1 :])
        again = Listener("/v1/events", lambda: f"http://127.0.0.1:{listening.port}", last_id=stream.events[place].id)
        again.start().wait_until("the rest", lambda it: len(it.named("end")) >= len(rest.named("end")))  # noqa: B023
        for job_id in (before, new, waiting):
            assert again.iterations(job_id) == rest.iterations(job_id)
            assert again.sequences(job_id) == rest.sequences(job_id)
        assert sorted(end["job_id"] for end in again.named("end")) == sorted(end["job_id"] for end in rest.named("end"))
        again.stop()
    stream.stop()


def test_streams_are_limited_and_hold_no_threads_and_head_opens_none(service: Service, listening: ApiProcess) -> None:
    job_id = service.submit(job_body(service, rows=50, iterations=5))["id"]
    address = f"/v1/jobs/{job_id}/events"
    for _ in range(5):
        answer = listening.client.head(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
    open_ones = [Listener(address, lambda: f"http://127.0.0.1:{listening.port}").start() for _ in range(STREAMS)]
    for each in open_ones:
        each.wait_until("the job", lambda it: it.named("job"))
    assert listening.threads() < STREAMS
    refused = listening.client.get(address)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_event_streams")
    assert int(refused.headers["retry-after"]) > 0
    service.attempt(job_id)
    for each in open_ones:
        assert each.ended.wait(30)
    assert listening.client.get(address).status_code == 200
