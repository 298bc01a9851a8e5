"""A bell that rings in other processes when something in the database has changed: Redis' publish and subscribe.

It only says where to look. Whoever hears nothing looks by itself after a while: without the bell all is slower.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import redis
import structlog

from infra.settings import Settings

REDIS_SECONDS = 0.2
"""Seconds. Ringing takes no longer than this: whoever has just committed something is to go on."""

AWAY_SECONDS = 5.0
"""Seconds. When Redis has not answered, the bell is silent for so long."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Change:
    """What has changed.

    Attributes:
        job_id: this job.
        project: the project that it is of, if it has taken a step of its life; else None.
    """

    job_id: str
    project: str | None = None

    def to_text(self) -> str:
        """As it travels."""
        return f"{self.job_id} {self.project or ''}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` has made a text of."""
        job_id, _, project = text.partition(" ")
        return cls(job_id, project or None)


def channel(settings: Settings) -> str:
    """The channel of Redis that a service's bell rings in."""
    return f"backprop-changes:{settings.queue_name}"


class Bell:
    """Rings. It may go through a fork: the connection is made again there."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet."""
        self._redis = redis.Redis.from_url(
            settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        self._channel = channel(settings)
        self._silent_until = 0.0

    def ring(self, changes: Iterable[Change]) -> None:
        """Tell everybody who listens. Without Redis nobody is told."""
        if time.monotonic() < self._silent_until:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for change in changes:
                    pipeline.publish(self._channel, change.to_text())
                pipeline.execute()
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + AWAY_SECONDS
            _log.warning("Redis is away; who follows jobs hears of changes later", reason=str(error))

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()
