"""The worker's process: waits for job ids and forks a work-horse for each."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import redis
import structlog
from redis.client import Pipeline
from rq import Worker, worker_registration
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from infra.processes import die_with_parent, end_with_parent
from infra.queue import JobQueue, connect
from infra.settings import Settings
from worker.health import HEARTBEAT_SECONDS
from worker.reconciler import Reconciler
from worker.scratch import remove_abandoned_job_folders

MAINTENANCE_SECONDS = 60
"""Seconds. So often one of the workers removes from Redis what others have left there when they died."""

RECONNECT_SECONDS = 1.0
"""Seconds between two tries to reach a Redis that is away."""

LAST_SECONDS = 2.0
"""Seconds. A worker that is to end, and has no job, gets so long to take leave of Redis."""

_log = structlog.get_logger(__name__)


class Stopping:
    """Takes SIGTERM and SIGINT for as long as this process lives.

    It does so whether RQ's worker has begun, waits or has just failed.

    RQ installs handlers of its own for each of its workers, but only after it has told Redis that the worker is there.
    A signal that came while Redis was away reached a worker that was no more.

    Attributes:
        requested: the process is to end.
    """

    def __init__(self) -> None:
        self.requested = False
        self._busy: TrainingWorker | None = None

    @staticmethod
    def at_once_on_signals() -> None:
        """End at once when a signal comes, while there is nothing to be put in order.

        An exception would reach modules that are just being imported, and some of these take it for something else.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: os._exit(0))

    def on_signals(self) -> None:
        """Take the signals from now on. Main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    @contextmanager
    def busy(self, rq_worker: TrainingWorker) -> Iterator[None]:
        """Inside, the worker has a job: its work-horse is asked to stop, and the worker when that has ended."""
        self._busy = rq_worker
        try:
            yield
        finally:
            self._busy = None
            if self.requested:
                self._end_soon()
                raise StopRequested

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._busy is not None:
            self._busy.ask_horse_to_stop()
        else:
            self._end_soon()
            raise StopRequested

    @staticmethod
    def _end_soon() -> None:
        """Wait no longer than that for a Redis that gives no answer."""
        deadline = threading.Timer(LAST_SECONDS, os._exit, (0,))
        deadline.daemon = True
        deadline.start()


class TrainingWorker(Worker):
    """RQ's forking worker, with a work-horse that never outlives it and is told when the worker is to stop.

    Asked to stop (SIGTERM, SIGINT), RQ would wait for the job to end. Instead the work-horse is asked too: it leaves
    a checkpoint, puts its job back into the queue and exits.

    A Redis that goes away is nothing to a work-horse that trains. RQ would end the worker, and so the work-horse.

    Attributes:
        reconciler: holds still while this worker forks.
        stopping: whether the process is to end.
    """

    max_connection_wait_time = 2.0
    reconciler: Reconciler
    stopping: Stopping

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork while the reconciler holds no connection, and no signal is lost between parent and child."""
        with self.reconciler.quiet, _sigterm_blocked():
            super().fork_work_horse(job, queue)
        if self.stopping.requested:  # asked between taking the job and forking
            self.ask_horse_to_stop()

    def main_work_horse(self, job: Job, queue: Queue) -> Any:  # noqa: ANN401  # RQ's own signature
        """Run in the forked process."""
        die_with_parent(self.pid or os.getppid())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return super().main_work_horse(job, queue)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Have a work-horse carry the job out. Redis may be away when it ends, and does not need to know."""
        with self.stopping.busy(self):
            try:
                super().execute_job(job, queue)
            except redis.RedisError as error:
                _log.warning("Redis is away; it is not told that a job has ended", reason=str(error))
            _reap_orphans()

    def ask_horse_to_stop(self) -> None:
        """Pass the request to stop on to the work-horse, if there is one."""
        if self.horse_pid:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.horse_pid, signal.SIGTERM)

    def _install_signal_handlers(self) -> None:
        """Leave the signals to `Stopping`."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell Redis that this worker is alive, also a Redis that has forgotten it."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            self.connection.hset(self.key, mapping=self.serialize())
        worker_registration.register(self, pipeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Tell Redis that the job is alive, if Redis is there."""
        try:
            super().maintain_heartbeats(job, execution)
        except redis.RedisError:
            _log.warning("Redis is away; the job trains on")

    def subscribe(self) -> None:
        """Take no commands through Redis: it only carries job ids."""

    def teardown(self) -> None:
        """Leave Redis, if that is there."""
        with suppress(redis.RedisError):
            super().teardown()  # type: ignore[no-untyped-call]


def run_worker(settings: Settings, parent: int | None = None) -> None:
    """Take jobs until SIGTERM or SIGINT. A Redis that is away is waited for.

    The task's modules are imported here, before any fork, so that a work-horse starts within milliseconds.

    Args:
        settings: of the service.
        parent: the process with which this one is to end, if there is one.
    """
    stopping = Stopping()
    stopping.at_once_on_signals()
    if parent is not None:
        end_with_parent(parent)
    import worker.tasks  # noqa: F401

    with suppress(StopRequested):  # raised by the signal's handler, wherever the worker then is
        stopping.on_signals()
        remove_abandoned_job_folders()
        reconciler = Reconciler(settings)
        reconciler.start()
        while not stopping.requested:
            _work(settings, reconciler, stopping)
            time.sleep(RECONNECT_SECONDS)


def _work(settings: Settings, reconciler: Reconciler, stopping: Stopping) -> None:
    """Take jobs for as long as Redis is there, or until the process is to end."""
    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    try:
        rq_worker = TrainingWorker(
            [queue.rq],
            connection=queue.connection,
            serializer=JSONSerializer,
            worker_ttl=HEARTBEAT_SECONDS + 15,  # RQ reports 15 seconds before it would be given up
            job_monitoring_interval=HEARTBEAT_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
        )
        rq_worker.reconciler = reconciler
        rq_worker.stopping = stopping
        rq_worker.work(logging_level="WARNING")  # what happens to jobs is in our own log
    except redis.RedisError as error:
        _log.warning("Redis is away; the worker waits for it", reason=str(error))
    finally:
        queue.connection.close()


def _reap_orphans() -> None:
    """Take note of the end of processes that were left to us, as the first process of a container.

    Those are what wrote for work-horses that were killed.
    """
    with suppress(ChildProcessError):  # there is none
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


@contextmanager
def _sigterm_blocked() -> Iterator[None]:
    """Inside, SIGTERM waits. A child forked there inherits that, and must end it when it is ready."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
