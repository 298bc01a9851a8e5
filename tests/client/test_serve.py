"""`backprop serve` as its user meets it: ports, folders, and nothing left running."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from infra.processes import stop
from tests.support.faults import SOON
from tests.support.waiting import wait_for


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The command, once it has said where it listens; stopped at the end."""
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "client", "serve", "--data", str(folder), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if not name.startswith("BACKPROP_")},
        )
    try:
        found = wait_for("the greeting", lambda: re.search(r"is at (http://\S+),", log.read_text()), 60)
        yield process, found[1]
    finally:
        stop(process)


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    with serve(tmp_path / "data", "--port", "0") as (process, url):
        children = family(process)
        assert len(children) >= 3  # Redis, the API, a worker
        assert httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200
        process.send_signal(number)
        assert process.wait(SOON) == 0
        assert psutil.wait_procs(children, SOON)[1] == []


def test_killed_it_leaves_nothing_running(tmp_path: Path) -> None:
    """And what it was given is there when it is started again."""
    with serve(tmp_path / "data", "--port", "0") as (process, url):
        network = {"name": "kept", "layers": [{"activation": "tanh"}]}
        network_id = httpx2.post(f"{url}/v1/networks", json=network, trust_env=False).json()["id"]
        children = family(process)
        process.kill()
        assert psutil.wait_procs(children, SOON)[1] == []
    with serve(tmp_path / "data", "--port", "0") as (_process, url):
        assert httpx2.get(f"{url}/v1/networks/{network_id}", trust_env=False).json()["name"] == "kept"


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with serve(tmp_path / "data", "--port", "0") as (process, _url):

        def workers() -> list[psutil.Process]:
            alive = [child for child in family(process) if child.status() != psutil.STATUS_ZOMBIE]
            return [child for child in alive if "worker" in child.cmdline()]

        (first,) = wait_for("the worker", workers)
        first.kill()
        wait_for("another worker", lambda: [worker for worker in workers() if worker.pid != first.pid])


def test_a_folder_serves_one_at_a_time(tmp_path: Path) -> None:
    with serve(tmp_path / "data", "--port", "0"):
        second = subprocess.run(
            [sys.executable, "-m", "client", "serve", "--data", str(tmp_path / "data"), "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert second.returncode == 1
    assert "Another `backprop serve` runs in the folder" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_told_if_it_was_asked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "client", "serve", "--data", str(tmp_path / "data"), "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_port_is_taken_if_the_usual_one_is(tmp_path: Path) -> None:
    with socket.socket() as usual:
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            usual.bind(("127.0.0.1", 8000))
            usual.listen()
        except OSError:
            pass  # somebody else has it: as good
        with serve(tmp_path / "data") as (_process, url):
            assert not url.endswith(":8000")
            assert httpx2.get(f"{url}/healthz", trust_env=False).status_code == 200
