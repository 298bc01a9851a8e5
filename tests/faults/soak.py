"""A soak: jobs of every optimizer on several workers, while everything around them is killed, flushed and stopped.

Run as a script (`make soak`), half of the time on PostgreSQL and half on SQLite. Each half ends by comparing every job
with an undisturbed run, cost row by cost row and byte by byte of its weights, and prints its tally. The exit status is
1 if anything is missing, doubled or different.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from fastapi.testclient import TestClient
from sqlalchemy import text

from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.processes import stop
from infra.settings import Settings
from migrations.commands import upgrade
from tests.conftest import start_worker
from tests.faults.conftest import SHORT
from tests.support.apps import open_app
from tests.support.faults import OPTIMIZERS, job_of, optimizer_body
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.redis import RedisServer, redis_server
from tests.support.service import Service

WORKERS = 3
MOST_UNFINISHED = 6
LENGTHS = (300, 3_000)
"""Iterations: jobs that are mostly preparation and finishing, and jobs that mostly train."""

LONG_OUTAGE = 30.0
SECONDS_TO_END = 180.0
"""What the last jobs get once nothing is done to them any more."""

Result = tuple[list[dict[str, Any]], dict[str, bytes]]


class Soak:
    """A service and all that is done to it."""

    def __init__(self, service: Service, redis: RedisServer, postgres: PostgresServer | None, seed: int) -> None:
        self.tally: Counter[str] = Counter()
        self._service = service
        self._redis = redis
        self._postgres = postgres
        self._random = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._workers: list[subprocess.Popen[bytes]] = []
        self._stopping = threading.Event()
        self._bodies = [
            optimizer_body(service, training, iterations) for training in OPTIMIZERS.values() for iterations in LENGTHS
        ]
        self._jobs: dict[str, int] = {}
        self._to_cancel: set[str] = set()

    def run(self, seconds: float) -> int:
        """Disturb for so long, then let everything end; tells how many jobs are not as they should be."""
        disturbances: list[Callable[[], None]] = [self._kill_workers, self._disturb_redis, self._disturb_database]
        threads = [threading.Thread(target=each) for each in (self._keep_workers, *disturbances)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._submit_and_cancel()
            time.sleep(0.2)
        self._stopping.set()
        for thread in threads[1:]:
            thread.join()
        bad = self._wait_for_the_end()
        threads[0].join()
        for worker in self._workers:
            stop(worker)
        return bad + self._verify()

    def _between(self, least: float, most: float) -> float:
        with self._lock:
            return self._random.uniform(least, most)

    def _choose(self, *things: Any) -> Any:  # noqa: ANN401
        with self._lock:
            return self._random.choice(things)

    def _pause(self, least: float, most: float) -> bool:
        """Wait so long; tells whether to go on after that."""
        return not self._stopping.wait(self._between(least, most))

    def _submit_and_cancel(self) -> None:
        """Keep some jobs going; now and then cancel one, and resume it when it has ended."""
        unfinished = 0
        for job_id in list(self._jobs):
            answer = self._service.api.get(f"/v1/jobs/{job_id}")
            if answer.status_code != 200:
                self.tally["polls refused while the database was away"] += 1
                return
            job = answer.json()
            if job["status"] == "cancelled":
                if self._service.api.post(f"/v1/jobs/{job_id}/resume").status_code == 202:
                    self.tally["jobs resumed after a cancel"] += 1
                    self._to_cancel.discard(job_id)
            elif job["status"] in ("queued", "running"):
                unfinished += 1
                if job_id in self._to_cancel and self._between(0, 1) < 0.1:
                    self._service.api.post(f"/v1/jobs/{job_id}/cancel")
        if unfinished < MOST_UNFINISHED:
            body = self._choose(*range(len(self._bodies)))
            answer = self._service.api.post("/v1/jobs", json=self._bodies[body])
            if answer.status_code != 202:
                self.tally["jobs refused while the database was away"] += 1
                return
            self._jobs[answer.json()["id"]] = body
            if self._between(0, 1) < 0.25:
                self._to_cancel.add(answer.json()["id"])

    def _keep_workers(self) -> None:
        """Put another in the place of every worker that has ended, also while the last jobs end."""
        while not (self._stopping.is_set() and self._all_have_ended()):
            with self._lock:
                self._workers = [worker for worker in self._workers if worker.poll() is None]
                missing = WORKERS - len(self._workers)
                self._workers += [start_worker(self._service.settings) for _ in range(missing)]
                self.tally["workers started"] += missing
            time.sleep(0.3)

    def _all_have_ended(self) -> bool:
        return all(job_of(self._service, job_id).get("status") in ("succeeded", "failed") for job_id in self._jobs)

    def _kill_workers(self) -> None:
        while self._pause(0.3, 2.5):
            with self._lock:
                worker = self._random.choice(self._workers) if self._workers else None
            if worker is None:
                continue
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                self._harm(worker, psutil.Process(worker.pid).children())

    def _harm(self, worker: subprocess.Popen[bytes], horses: list[psutil.Process]) -> None:
        how = self._choose("horse", "horse", "worker", "both", "sigterm", "frozen")
        if not horses and how in ("horse", "both", "frozen"):
            return
        self.tally[f"killed: {how}" if how in ("horse", "worker", "both") else how] += 1
        if how in ("worker", "both"):
            worker.kill()
        if how in ("horse", "both"):
            horses[0].kill()
        if how == "sigterm":
            worker.send_signal(signal.SIGTERM)
        if how == "frozen":
            horses[0].suspend()
            self._stopping.wait(self._between(0.5, 3) * self._service.settings.lease_seconds)
            horses[0].resume()

    def _disturb_redis(self) -> None:
        while self._pause(2, 12):
            how = self._choose("flushed", "killed", "wiped")
            self.tally[f"Redis {how}"] += 1
            if how == "flushed":
                self._redis.flush()
                continue
            if how == "killed":
                self._redis.kill()
            else:
                self._redis.wipe()
            self._pause(0, 5)
            self._redis.start()

    def _disturb_database(self) -> None:
        if self._postgres is None:
            self._hog_sqlite()
            return
        first = True
        while self._pause(10, 25):
            self._postgres.stop()
            seconds = LONG_OUTAGE if first else self._between(0.5, 5)
            self._stopping.wait(seconds)
            self._postgres.start()
            self.tally[f"PostgreSQL away for {seconds:.0f} s" if first else "PostgreSQL away for up to 5 s"] += 1
            first = False

    def _hog_sqlite(self) -> None:
        """Hold the lock that every writer needs, for longer than a lease."""
        while self._pause(5, 15):
            with self._service.database.writing() as session:
                session.execute(text("SELECT 1"))
                self._pause(0.5, 4)
            self.tally["SQLite locked for up to 4 s"] += 1

    def _wait_for_the_end(self) -> int:
        end = time.monotonic() + SECONDS_TO_END
        while time.monotonic() < end and not self._all_have_ended():
            for job_id in self._jobs:
                if job_of(self._service, job_id)["status"] == "cancelled":
                    self._service.api.post(f"/v1/jobs/{job_id}/resume")
            time.sleep(0.3)
        late = [job_id for job_id in self._jobs if job_of(self._service, job_id)["status"] in ("queued", "running")]
        for job_id in late:
            print(f"{job_id} has not ended: {job_of(self._service, job_id)}")  # noqa: T201
            self._jobs.pop(job_id)
        return len(late)

    def _verify(self) -> int:
        """Compare every job with an undisturbed run of the same body."""
        undisturbed: dict[int, Result] = {}
        different = 0
        for job_id, body in self._jobs.items():
            if body not in undisturbed:
                undisturbed[body] = self._result(self._service.train(self._bodies[body]))
            job = job_of(self._service, job_id)
            self.tally["attempts"] += job["attempt"]
            if job["status"] == "succeeded" and self._result(job) == undisturbed[body]:
                self.tally["jobs with the same bits"] += 1
            else:
                different += 1
                print(f"{job_id} is not as it should be: {job['status']} {job['error']}")  # noqa: T201
        self.tally["cost rows compared"] = sum(len(undisturbed[body][0]) for body in self._jobs.values())
        return different

    def _result(self, job: dict[str, Any]) -> Result:
        return self._service.costs(job["id"]), self._service.weight_bits(job["model_id"])


@contextmanager
def soaked_service(folder: Path, kind: str) -> Iterator[tuple[Service, RedisServer, PostgresServer | None]]:
    """A service of its own Redis and database, with workers' logs in a file."""
    with ExitStack() as cleanup:
        redis = cleanup.enter_context(redis_server())
        redis.start()
        postgres = cleanup.enter_context(running_postgres()) if kind == "postgresql" else None
        settings = Settings(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'soak.db'}" if postgres is None else postgres.url,
            redis_url=redis.url,
            training_threads=1,
            max_crashes=1_000,  # the killer does not care whether there was a checkpoint
        ).model_copy(update=SHORT)
        upgrade(settings.resolved_database_url)
        database = Database(settings.resolved_database_url)
        cleanup.callback(database.close)
        api = cleanup.enter_context(TestClient(open_app(settings), raise_server_exceptions=False))
        yield Service(api, database, ArtifactStore(settings.resolved_artifacts_uri), settings), redis, postgres


def soak(kind: str, seconds: float, seed: int) -> int:
    """One half. Tells how many jobs are not as they should be."""
    print(f"{kind}: {seconds:.0f} s, seed {seed}", flush=True)  # noqa: T201
    with (
        tempfile.TemporaryDirectory(prefix="backprop-soak-") as folder,
        soaked_service(Path(folder), kind) as (service, redis, postgres),
    ):
        half = Soak(service, redis, postgres, seed)
        bad = half.run(seconds)
    for what, count in sorted(half.tally.items()):
        print(f"  {count:>9,}  {what}")  # noqa: T201
    print(f"  {bad:>9,}  jobs that are not as they should be", flush=True)  # noqa: T201
    return bad


def main() -> None:
    """Read the arguments and soak both databases."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of disturbing, in all [%(default)s]")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    arguments = parser.parse_args()
    bad = [soak(kind, arguments.minutes * 30, arguments.seed) for kind in ("postgresql", "sqlite")]
    sys.exit(1 if any(bad) else 0)


if __name__ == "__main__":
    main()
