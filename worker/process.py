"""The worker's process: waits for job ids and forks a work-horse for each."""

from __future__ import annotations

import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from infra.processes import request_signal_at_parent_death
from infra.queue import JobQueue, connect
from infra.settings import Settings
from worker.reconciler import Reconciler

SINGLE_THREADED_BLAS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Training has threads of its own; and a BLAS with threads in the parent could hang a forked work-horse."""

HEARTBEAT_SECONDS = 45
"""How often a worker tells Redis, at the least, that it is alive."""


class TrainingWorker(Worker):
    """RQ's forking worker, with a work-horse that never outlives it and is told when the worker is to stop.

    Asked to stop (SIGTERM, SIGINT), RQ would wait for the job to end. Instead the work-horse is asked too: it leaves
    a checkpoint, puts its job back into the queue and exits.
    """

    reconciler: Reconciler

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork while the reconciler holds no connection."""
        with self.reconciler.quiet:
            super().fork_work_horse(job, queue)
        if self._stop_requested:  # asked between taking the job and forking
            os.kill(self.horse_pid, signal.SIGTERM)

    def main_work_horse(self, job: Job, queue: Queue) -> Any:  # noqa: ANN401  # RQ's own signature
        """Run in the forked process."""
        request_signal_at_parent_death(signal.SIGKILL)
        return super().main_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """Pass the request to stop on to the work-horse."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)


def run_worker(settings: Settings) -> None:
    """Take jobs until SIGTERM or SIGINT.

    The task's modules are imported here, before any fork, so that a work-horse starts within milliseconds.
    """
    os.environ.update(SINGLE_THREADED_BLAS)
    import worker.tasks  # noqa: F401  # NumPy must find the variables above

    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    rq_worker = TrainingWorker(
        [queue.rq],
        connection=queue.connection,
        serializer=JSONSerializer,
        worker_ttl=HEARTBEAT_SECONDS + 15,  # RQ reports 15 seconds before it would be given up
        job_monitoring_interval=HEARTBEAT_SECONDS,
    )
    rq_worker.reconciler = Reconciler(settings)
    rq_worker.reconciler.start()
    rq_worker.work(logging_level="WARNING")  # what happens to jobs is in our own log


def worker_is_alive(settings: Settings) -> bool:
    """Whether a worker on this host has lately told Redis that it is alive."""
    oldest = datetime.now(UTC) - timedelta(seconds=2 * HEARTBEAT_SECONDS)
    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    return any(
        worker.hostname == socket.gethostname() and worker.last_heartbeat and worker.last_heartbeat > oldest
        for worker in Worker.all(queue=queue.rq)
    )
