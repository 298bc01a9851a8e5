"""The embedded Redis is reached by its own user alone: over a socket in a private folder, and over no network."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil
import redis


def test_only_its_own_user_reaches_the_embedded_redis(redis_url: str) -> None:
    path = Path(redis_url.removeprefix("unix://"))
    assert stat.S_ISSOCK(path.stat().st_mode)
    for private in (path, path.parent):
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0
    with redis.Redis.from_url(redis_url) as client:
        server = psutil.Process(client.info("server")["process_id"])
        assert client.config_get("port")["port"] == "0"
    assert server.net_connections("inet") == []
