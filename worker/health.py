"""Whether a worker is alive. Container engines ask that all the time, so this loads nothing that trains."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

from rq import Worker

from infra.queue import JobQueue, connect
from infra.settings import Settings

HEARTBEAT_SECONDS = 45
"""Seconds. A worker tells Redis at least so often that it is alive."""


def worker_is_alive(settings: Settings) -> bool:
    """Whether a worker on this host has lately told Redis that it is alive."""
    oldest = datetime.now(UTC) - timedelta(seconds=2 * HEARTBEAT_SECONDS)
    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    return any(
        worker.hostname == socket.gethostname() and worker.last_heartbeat and worker.last_heartbeat > oldest
        for worker in Worker.all(queue=queue.rq)
    )
