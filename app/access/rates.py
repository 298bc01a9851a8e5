"""How many requests a second a key may make.

Each process counts in its memory, and no request waits for Redis: a thread tells Redis several times a second what has
been counted here, and learns what others have counted. While Redis is away, each process counts for itself: the API
works without Redis.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import redis
import structlog

from infra.errors import TooMany
from infra.settings import Settings

EXCHANGE_SECONDS = 0.1
"""Seconds between two exchanges of counts. So long a process may not know of what another has let in."""

REDIS_SECONDS = 0.5
"""Seconds. An exchange waits for Redis no longer than this."""

AWAY_SECONDS = 5.0
"""Seconds. When Redis has not answered, it is not asked again for so long."""

RETRY_SECONDS = 1
"""Seconds. After so long the whole allowance is there again."""

_KEPT_SECONDS = 3
"""Seconds. Redis forgets the counts of a second after so long. Nobody asks for them later than a second after it."""

_ADD = f"""
local totals = {{}}
for i = 1, #ARGV, 2 do
  totals[#totals + 1] = redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], {_KEPT_SECONDS})
return totals
"""
"""Adds to the counts of one second, and gives their totals."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Second:
    """The requests of one key in one second of the clock.

    Attributes:
        own: let in by this process.
        told: those of `own` that Redis knows of.
        others: let in by other processes, as far as Redis knew at the last exchange.
    """

    own: int = 0
    told: int = 0
    others: int = 0

    @property
    def all(self) -> int:
        """Let in by anybody."""
        return self.own + self.others


@dataclass(slots=True)
class _Count:
    """The requests of one key.

    Attributes:
        number: of the current second, counted from 1970 on.
        now: in that second.
        before: in the one before.
    """

    number: int
    now: _Second = field(default_factory=_Second)
    before: _Second = field(default_factory=_Second)

    def move_on(self, number: int) -> None:
        """Let that second be the current one, unless it is long over."""
        if number > self.number:
            self.before = self.now if number == self.number + 1 else _Second()
            self.now = _Second()
            self.number = number


class RateLimiter:
    """Counts requests in a window that slides over the last second.

    Of the second before the current one, as much counts as the window still has of it.
    """

    def __init__(self, settings: Settings) -> None:
        """Count nothing with others before `start`."""
        self._most = settings.max_requests_per_second
        self._pool = redis.ConnectionPool.from_url(
            settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        self._redis = redis.Redis(connection_pool=self._pool)
        self._prefix = f"backprop-rates:{settings.queue_name}"
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()
        self._ahead = 0.0  # of our clock is Redis's, whose seconds all processes share
        self._redis_asked_from = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Exchange counts with other processes from now on, until `close`."""
        self._thread = threading.Thread(target=self._keep_exchanging, name="rates", daemon=True)
        self._thread.start()

    def admit(self, who: str) -> None:
        """Count a request.

        Raises:
            TooMany: `who` has made too many lately (code ``too_many_requests``).
        """
        now = time.time() + self._ahead
        number = int(now)
        with self._lock:
            count = self._counts.get(who)
            if count is None:
                count = self._counts[who] = _Count(number)
            count.move_on(number)
            if count.now.all + count.before.all * (1 - now % 1) + 1 <= self._most:
                count.now.own += 1
                return
        raise TooMany(
            "too_many_requests",
            f"This key may make {self._most:,} requests a second (BACKPROP_MAX_REQUESTS_PER_SECOND).",
            retry_after=RETRY_SECONDS,
        )

    def take_back(self, who: str) -> None:
        """Let a request that was let in a moment ago count no more."""
        with self._lock:
            if who in self._counts:
                self._counts[who].now.own -= 1

    def exchange(self) -> None:
        """Tell Redis what has been counted here since the last time, and learn what others have counted."""
        number = int(time.time() + self._ahead)
        with self._lock:
            self._counts = {who: count for who, count in self._counts.items() if count.number >= number - 1}
            for count in self._counts.values():
                count.move_on(number)
            seconds = {
                number: {who: count.now for who, count in self._counts.items()},
                number - 1: {who: count.before for who, count in self._counts.items()},
            }
        if not seconds[number] or time.monotonic() < self._redis_asked_from:
            return
        try:
            self._add_up(seconds)
        except redis.RedisError as error:
            self._redis_asked_from = time.monotonic() + AWAY_SECONDS
            _log.warning("Redis is away; requests are counted in this process", reason=str(error))

    def close(self) -> None:
        """Exchange no more, and close the connections to Redis."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._pool.disconnect()

    def _keep_exchanging(self) -> None:
        while not self._ended.wait(EXCHANGE_SECONDS):
            self.exchange()

    def _add_up(self, seconds: dict[int, dict[str, _Second]]) -> None:
        own = {number: {who: each.own for who, each in keys.items()} for number, keys in seconds.items()}
        with self._redis.pipeline(transaction=False) as pipeline:
            for number, keys in seconds.items():
                news = (part for who, each in keys.items() for part in (who, own[number][who] - each.told))
                pipeline.eval(_ADD, 1, f"{self._prefix}:{number}", *news)
            pipeline.time()
            *totals, (whole, millionths) = pipeline.execute()
        self._ahead = whole + millionths / 1e6 - time.time()
        with self._lock:
            for (number, keys), sums in zip(seconds.items(), cast("Iterable[list[int]]", totals), strict=True):
                for (who, each), total in zip(keys.items(), sums, strict=True):
                    each.told = own[number][who]
                    each.others = max(0, total - each.told)  # less, if Redis has been emptied meanwhile
