"""The worker's process: waits for job ids and forks a work-horse for each."""

from __future__ import annotations

import os
import signal
from typing import Any

from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from infra.processes import request_signal_at_parent_death
from infra.queue import JobQueue, connect
from infra.settings import Settings

SINGLE_THREADED_BLAS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Training has threads of its own; and a BLAS with threads in the parent could hang a forked work-horse."""


class TrainingWorker(Worker):
    """RQ's forking worker, whose work-horse never outlives it."""

    def main_work_horse(self, job: Job, queue: Queue) -> Any:  # noqa: ANN401  # RQ's own signature
        """Run in the forked process."""
        request_signal_at_parent_death(signal.SIGKILL)
        return super().main_work_horse(job, queue)


def run_worker(settings: Settings) -> None:
    """Take jobs until SIGTERM or SIGINT.

    The task's modules are imported here, before any fork, so that a work-horse starts within milliseconds.
    """
    os.environ.update(SINGLE_THREADED_BLAS)
    import worker.tasks  # noqa: F401  # NumPy must find the variables above

    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    TrainingWorker([queue.rq], connection=queue.connection, serializer=JSONSerializer).work(
        logging_level=settings.log_level
    )
