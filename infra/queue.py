"""The queue in Redis. It only carries ids, of jobs and of queued predictions: losing all of it loses none of these.

The database has their rows. What is said here of jobs holds for both.
"""

from __future__ import annotations

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from infra.errors import Unavailable
from infra.ids import job_of_delivery, new_delivery_id

TASKS = {"job": "worker.tasks.train", "prd": "worker.tasks.predict"}
"""The worker calls the function of this dotted name with the id, by the id's kind. Nothing is imported here."""


def connect(redis_url: str) -> redis.Redis:
    """A client of that Redis. Nothing is sent yet."""
    return redis.Redis.from_url(redis_url, socket_connect_timeout=5, health_check_interval=30)


class JobQueue:
    """Puts job ids where RQ workers take them. They are JSON all along: nothing is ever pickled or unpickled."""

    def __init__(self, connection: redis.Redis, name: str) -> None:
        self.connection = connection
        self.rq = Queue(name, connection=connection, serializer=JSONSerializer)

    def enqueue(self, job_id: str) -> None:
        """Deliver the id to some worker. Delivering it twice is harmless: only one claim succeeds.

        Each delivery has an id of its own, since RQ forgets a finished one only after a while. RQ keeps no
        result, sets no time limit and does not retry: the job's life is in the database.

        Raises:
            Unavailable: Redis cannot be reached (code ``redis_unavailable``).
        """
        try:
            self.rq.enqueue(
                TASKS[job_id.partition("_")[0]],
                job_id,
                job_id=new_delivery_id(job_id),
                job_timeout=-1,
                result_ttl=0,
                failure_ttl=3600,
            )
        except redis.RedisError as error:
            raise _unavailable() from error

    def waiting(self) -> set[str]:
        """The ids of the jobs that wait in Redis.

        Not those that a worker has just taken and not yet claimed: if it died there, nobody else would ever take them.

        Raises:
            Unavailable: Redis cannot be reached (code ``redis_unavailable``).
        """
        try:
            deliveries = self.rq.get_job_ids()
        except redis.RedisError as error:
            raise _unavailable() from error
        return {job_of_delivery(delivery) for delivery in deliveries}

    def ping(self) -> None:
        """One round trip.

        Raises:
            Unavailable: Redis cannot be reached (code ``redis_unavailable``).
        """
        try:
            self.connection.ping()
        except redis.RedisError as error:
            raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("redis_unavailable", "Redis cannot be reached right now; try again later.")
