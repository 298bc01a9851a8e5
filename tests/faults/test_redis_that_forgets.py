"""Redis may lose everything, or not be there: jobs run all the same, once it is back."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from rq import Queue

from infra.settings import Settings
from tests.support.faults import (
    LONG_LEASE,
    SOON,
    StartWorker,
    assert_same_as_undisturbed,
    ended,
    has_ended,
    job_body,
    job_of,
    progressed,
    row_of,
    work_horse,
)
from tests.support.redis import RedisServer, redis_server
from tests.support.service import Service
from tests.support.waiting import wait_for
from worker.health import worker_is_alive

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The database has no part in this."""


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of this test's own, down until started."""
    with redis_server() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, own_redis: RedisServer) -> Settings:
    """Settings that name it."""
    return settings.model_copy(update={"redis_url": own_redis.url})


def test_a_flushed_queue_is_filled_again(service: Service, new_worker: StartWorker, own_redis: RedisServer) -> None:
    own_redis.start()
    body = job_body(service, iterations=50)
    submitted = [service.submit(body) for _ in range(5)]
    own_redis.flush()
    new_worker()
    assert [ended(service, job["id"])["status"] for job in submitted] == ["succeeded"] * 5


def test_a_redis_flushed_while_a_job_trains_is_noticed_by_nobody(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    own_redis.start()
    body = job_body(service)
    new_worker(lease_seconds=LONG_LEASE)
    job = service.submit(body)
    progressed(service, job["id"], 100)
    own_redis.flush()
    after = service.submit(body)
    done = ended(service, job["id"])
    assert done["attempt"] == 1
    assert_same_as_undisturbed(service, body, done)
    assert ended(service, after["id"])["status"] == "succeeded"
    assert worker_is_alive(service.settings)


def test_jobs_delivered_many_times_run_once(service: Service, new_worker: StartWorker, own_redis: RedisServer) -> None:
    own_redis.start()
    body = job_body(service, iterations=50)
    job = service.submit(body)
    queue = service.api.app.state.services.queue  # type: ignore[attr-defined]
    for _ in range(10):
        queue.enqueue(job["id"])
    new_worker(lease_seconds=LONG_LEASE)
    new_worker(lease_seconds=LONG_LEASE)
    assert ended(service, job["id"])["attempt"] == 1
    wait_for("the queue to be empty", lambda: not queue.rq.get_job_ids())
    assert job_of(service, job["id"])["attempt"] == 1


def test_redis_may_be_away_when_workers_start_when_jobs_come_and_for_their_whole_life(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    worker = new_worker(lease_seconds=LONG_LEASE)  # Redis has never been there
    body = job_body(service)
    job = service.submit(body)
    assert job["status"] == "queued"
    own_redis.start()
    progressed(service, job["id"], 100)
    own_redis.wipe()  # in the middle, and with all that it had written
    later = service.submit(body)
    done = ended(service, job["id"])
    assert done["attempt"] == 1
    assert_same_as_undisturbed(service, body, done)
    assert job_of(service, later["id"])["status"] == "queued"
    own_redis.start()
    assert ended(service, later["id"])["status"] == "succeeded"
    assert worker.poll() is None


def test_a_worker_without_redis_ends_when_asked(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    own_redis.start()
    worker = new_worker(lease_seconds=LONG_LEASE)
    job = service.submit(job_body(service, iterations=1_000_000))
    progressed(service, job["id"], 100)
    own_redis.kill()
    worker.send_signal(signal.SIGTERM)
    worker.wait(SOON)
    row = row_of(service, job["id"])
    assert (row.status, row.crashes) == ("queued", 0)


def test_a_job_taken_and_dropped_before_it_was_claimed_is_delivered_again(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    own_redis.start()
    job = service.submit(job_body(service, iterations=50))
    queue = rq_queue(service)
    taken = queue.connection.lmove(queue.key, queue.intermediate_queue_key)  # and the worker is killed right here
    assert taken is not None
    new_worker()
    assert ended(service, job["id"])["status"] == "succeeded"


def test_what_dead_workers_leave_in_redis_ends_by_itself(
    service: Service, new_worker: StartWorker, own_redis: RedisServer
) -> None:
    own_redis.start()
    job = service.submit(job_body(service, iterations=10_000_000))
    for attempt in (1, 2):
        worker = new_worker(max_crashes=100)
        wait_for("the next attempt", lambda: job_of(service, job["id"])["attempt"] >= attempt)  # noqa: B023
        horse = work_horse(worker)
        worker.kill()
        worker.wait()
        wait_for("the end of the work-horse", lambda: has_ended(horse), SOON)  # noqa: B023
    new_worker()
    service.api.post(f"/v1/jobs/{job['id']}/cancel")
    ended(service, job["id"])

    queue = rq_queue(service)
    queue.started_job_registry.cleanup(time.time() + 300)  # what a worker does every minute, five minutes later
    lasting = {key for key in own_redis.all_keys() if queue.connection.ttl(key) == -1}
    assert lasting <= {
        "rq:queues",
        "rq:workers",
        f"rq:workers:{queue.name}",
        f"rq:wip:{queue.name}",
        f"rq:failed:{queue.name}",
    }
    assert queue.connection.zcard(f"rq:wip:{queue.name}") == 0
    assert len(queue.failed_job_registry.get_job_ids()) == 2  # for an hour


def rq_queue(service: Service) -> Queue:
    queue: Queue = service.api.app.state.services.queue.rq  # type: ignore[attr-defined]
    return queue
