"""How many requests a second a key may make.

They are counted in Redis, so that a key has one allowance however many processes serve the API. While Redis is away,
each process counts for itself: the API works without Redis.
"""

from __future__ import annotations

import math
import time

import redis
import structlog
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from infra.errors import TooMany
from infra.settings import Settings

REDIS_SECONDS = 0.5
"""Seconds. A request waits for Redis no longer than this, and is let in then."""

AWAY_SECONDS = 5.0
"""Seconds. When Redis has not answered, it is not asked again for so long."""

_log = structlog.get_logger(__name__)


class RateLimiter:
    """Counts requests in a window that slides over the last second."""

    def __init__(self, settings: Settings) -> None:
        self._limit = RateLimitItemPerSecond(settings.max_requests_per_second)
        self._pool = redis.ConnectionPool.from_url(
            settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        self._prefix = settings.queue_name
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._redis_asked_from = 0.0

    def admit(self, who: str) -> None:
        """Count a request.

        Raises:
            TooMany: `who` has made too many lately (code ``too_many_requests``).
        """
        if not self._hit(who):
            raise TooMany(
                "too_many_requests",
                f"This key may make {self._limit.amount:,} requests a second (BACKPROP_MAX_REQUESTS_PER_SECOND).",
                retry_after=math.ceil(self._limit.get_expiry()),
            )

    def close(self) -> None:
        """Close the connections to Redis."""
        self._pool.disconnect()

    def _hit(self, who: str) -> bool:
        if time.monotonic() >= self._redis_asked_from:
            try:
                return self._in_redis().hit(self._limit, self._prefix, who)
            except redis.RedisError as error:
                self._redis_asked_from = time.monotonic() + AWAY_SECONDS
                _log.warning("Redis is away; requests are counted in this process", reason=str(error))
        return self._own.hit(self._limit, who)

    def _in_redis(self) -> SlidingWindowCounterRateLimiter:
        """The limiter in Redis. It is made when it is first needed, because it sends its scripts to Redis at once."""
        if self._shared is None:
            storage = RedisStorage("redis://", connection_pool=self._pool, key_prefix="backprop-rates")
            self._shared = SlidingWindowCounterRateLimiter(storage)
        return self._shared
