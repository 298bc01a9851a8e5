"""Streams of events while processes of the API, workers and Redis are killed: everything is heard exactly once."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from backprop_client import Backprop
from backprop_client.streams.events import Event
from backprop_client.wire.events import CostBatch, End, Transition
from domain.access import keys
from infra.settings import Settings
from infra.tables import Key
from tests.support.api_process import ApiProcess, running_api
from tests.support.faults import SOON, StartWorker, ended, job_body, progressed, some_moments, work_horse
from tests.support.keys import bearing, id_of, make_key
from tests.support.redis import RedisServer, redis_server
from tests.support.service import Service
from tests.support.streams import Listener
from tests.support.waiting import wait_for

MOST_STREAM_SECONDS = 2.0
"""Seconds. A stream is to end within so long of SIGTERM, and of its key's revocation."""

MOST_MEMORY = 500_000
"""Bytes. A stream takes no more, however much there is that its client does not read."""


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of this test's own."""
    with redis_server() as server:
        server.start()
        yield server


@pytest.fixture
def settings(settings: Settings, own_redis: RedisServer) -> Settings:
    """Settings that name it."""
    return settings.model_copy(update={"redis_url": own_redis.url, "max_crashes": 100})


@dataclass
class Apis:
    """Some processes of the API; a listener finds another one at each of its connections.

    Attributes:
        settings: theirs.
        running: those that are there.
    """

    settings: Settings
    running: list[ApiProcess] = field(default_factory=list)
    _closing: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Start another one."""
        self.running.append(self._closing.enter_context(running_api(self.settings)))

    def kill(self, rng: random.Random) -> None:
        """Start another one, and kill one of the others."""
        self.start()
        victim = self.running.pop(rng.randrange(len(self.running) - 1))
        victim.process.kill()
        victim.process.wait()

    def url(self) -> str:
        """Where one of them is."""
        return f"http://127.0.0.1:{random.choice(self.running).port}"  # noqa: S311


@contextmanager
def several_apis(settings: Settings, count: int) -> Iterator[Apis]:
    """So many of them, stopped at the end."""
    apis = Apis(settings)
    with apis._closing:
        for _ in range(count):
            apis.start()
        yield apis


@dataclass
class AnyOf(httpx2.BaseTransport):
    """Sends each request to one of the processes that are there.

    Attributes:
        apis: the processes.
    """

    apis: Apis
    _over: httpx2.HTTPTransport = field(default_factory=httpx2.HTTPTransport)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(port=httpx2.URL(self.apis.url()).port)
        return self._over.handle_request(request)

    def close(self) -> None:
        self._over.close()


def heard_by_the_client(apis: Apis, jobs: list[str]) -> list[Event]:
    """All that the Python client tells of some jobs."""
    with httpx2.Client(transport=AnyOf(apis)) as over:
        return list(Backprop(base_url="http://127.0.0.1", http_client=over).events.stream(job=jobs))


def rows_heard(batches: list[dict[str, Any]], job_id: str) -> list[dict[str, Any]]:
    """The costs of a job as they have been heard, as `/costs` gives them."""
    names = [name for name in CostBatch.model_fields if name != "job_id"]
    rows = []
    for batch in batches:
        if batch["job_id"] == job_id:
            columns = [batch[name] or [None] * len(batch["iteration"]) for name in names]
            rows += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return rows


def test_everything_is_heard_once_whatever_is_killed(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    rng = some_moments()
    body = job_body(service, iterations=25_000)
    with several_apis(service.settings, 2) as apis, ThreadPoolExecutor() as pool:
        of_project = Listener("/v1/events", apis.url).start()
        of_project.wait_until("its beginning", lambda it: it.last_id)
        jobs = [service.submit(body)["id"] for _ in range(2)]
        named = Listener(f"/v1/events?job={jobs[0]}&job={jobs[1]}", apis.url).start()
        single = [Listener(f"/v1/jobs/{job_id}/events", apis.url).start() for job_id in jobs]
        client = pool.submit(heard_by_the_client, apis, jobs)
        workers = [new_worker() for _ in range(2)]

        def kill_a_worker() -> None:
            worker = workers.pop()
            with suppress(AssertionError):  # it may have no job just now
                wait_for("a work-horse", lambda: work_horse(worker), seconds=0.5)
            worker.kill()
            worker.wait()
            workers.insert(0, new_worker())

        def lose_redis() -> None:
            own_redis.kill()
            time.sleep(rng.uniform(0, 0.5))
            own_redis.start()

        faults: list[Callable[[], None]] = [lambda: apis.kill(rng), kill_a_worker, lose_redis]
        for fault in rng.sample(faults * 2, 6):
            time.sleep(rng.uniform(0, 0.7))
            fault()
        for job_id in jobs:
            assert ended(service, job_id)["status"] == "succeeded"
        for listener in (*single, named):
            assert listener.ended.wait(SOON)
            assert listener.statuses[-1] == 204
        of_project.wait_until("the ends", lambda it: len(it.named("end")) >= 2)
        for job_id, own in zip(jobs, single, strict=True):
            stored = service.costs(job_id)
            history = service.api.get(f"/v1/jobs/{job_id}/history", params={"limit": 1000}).json()["data"]
            for listener in (own, named, of_project):
                assert rows_heard(listener.named("cost"), job_id) == stored
                assert listener.sequences(job_id) == [step["sequence"] for step in history]
                assert [end["status"] for end in listener.named("end") if end["job_id"] == job_id] == ["succeeded"]
            events = [event for event in client.result(SOON) if getattr(event, "job_id", None) == job_id]
            batches = [event.model_dump() for event in events if isinstance(event, CostBatch)]
            assert rows_heard(batches, job_id) == stored
            steps = [event.sequence for event in events if isinstance(event, Transition)]
            assert steps == [step["sequence"] for step in history]
            assert isinstance(events[-1], End)
        of_project.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_redis_streams_are_only_slower(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    new_worker()
    job_id = service.submit(job_body(service, iterations=10_000_000))["id"]
    progressed(service, job_id, 100)
    with running_api(service.settings) as api:
        listener = Listener(f"/v1/jobs/{job_id}/events?max_rate=1000", lambda: f"http://127.0.0.1:{api.port}").start()
        listener.wait_until("costs", lambda it: it.named("cost"))
        for change in (own_redis.kill, own_redis.start):
            change()
            heard = len(listener.named("cost"))
            listener.wait_until("more costs", lambda it: len(it.named("cost")) > heard + 3)  # noqa: B023
        service.api.post(f"/v1/jobs/{job_id}/cancel")
        assert listener.ended.wait(SOON)
        assert listener.statuses == [200, 204]
        assert listener.named("end") == [{"job_id": job_id, "status": "cancelled"}]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sigterm_ends_streams_at_once_even_of_clients_that_do_not_read(service: Service) -> None:
    job_id = service.train(job_body(service, rows=50, iterations=60_000))["id"]
    waiting = service.submit(job_body(service, rows=50))["id"]
    with running_api(service.settings) as api:
        lazy = [api.connect() for _ in range(20)]
        api.client.get(f"/v1/jobs/{job_id}/events", params={"points": 1000})  # which makes all that streams share
        before = api.memory()
        for connection in lazy:
            connection.sendall(f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        url = f"http://127.0.0.1:{api.port}"
        listeners = [Listener(path, lambda: url) for path in (f"/v1/jobs/{waiting}/events", "/v1/events")]
        for each in listeners:
            each.start().wait_until("its beginning", lambda it: it.last_id)
        assert all(connection.recv(10) for connection in lazy)
        time.sleep(1)
        grown = api.memory() - before
        assert grown < len(lazy) * MOST_MEMORY  # all of it would be ten times as much
        began = time.monotonic()
        api.process.send_signal(signal.SIGTERM)
        api.process.wait(SOON)
        assert time.monotonic() - began < MOST_STREAM_SECONDS
        for each in listeners:
            each.wait_until("its end", lambda it: it.statuses)
            each.stop()
            assert each.statuses[0] == 200  # and the answer was complete
        for connection in lazy:
            connection.close()


def test_a_key_that_is_revoked_or_loses_its_scope_ends_its_streams(service: Service) -> None:
    job_id = service.submit(job_body(service, rows=50))["id"]
    revoked, narrowed, other = (make_key(service.database, "default", ["read"]) for _ in range(3))
    with running_api(service.settings) as api:
        listeners = [
            Listener(path, lambda: f"http://127.0.0.1:{api.port}", bearing(key))
            for key, path in ((revoked, f"/v1/jobs/{job_id}/events"), (narrowed, "/v1/events"), (other, "/v1/events"))
        ]
        for each in listeners:
            each.start().wait_until("its beginning", lambda it: it.last_id)
        with service.database.writing() as session:
            keys.revoke(session, id_of(revoked))
            session.execute(update(Key).where(Key.id == id_of(narrowed)).values(scopes=["predict"]))
        began = time.monotonic()
        for each, status in zip(listeners, (401, 403), strict=False):
            assert each.ended.wait(SOON)
            assert each.statuses == [200, status]
        assert time.monotonic() - began < MOST_STREAM_SECONDS + 1  # a busy machine takes its time to say so
        assert listeners[2].statuses == []
        listeners[2].stop()


def test_who_follows_a_job_that_is_deleted_is_told(service: Service) -> None:
    gone = service.train(job_body(service, rows=50, iterations=5))["id"]
    waiting = service.submit(job_body(service, rows=50))["id"]
    with running_api(service.settings) as api:
        address = f"/v1/events?job={gone}&job={waiting}"
        listener = Listener(address, lambda: f"http://127.0.0.1:{api.port}").start()
        listener.wait_until("the end of one", lambda it: it.named("end"))
        service.api.delete(f"/v1/jobs/{gone}")
        listener.wait_until("its deletion", lambda it: len(it.named("end")) == 2)
        service.api.post(f"/v1/jobs/{waiting}/cancel")
        assert listener.ended.wait(SOON)
        assert listener.statuses == [200, 404]
        assert [(end["job_id"], end["status"]) for end in listener.named("end")] == [
            (gone, "succeeded"),
            (gone, "deleted"),
            (waiting, "cancelled"),
        ]
