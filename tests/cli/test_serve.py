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
from tempfile import TemporaryDirectory

import httpx2
import psutil
import pytest

from backprop_client import Backprop, Job, ServerFailed
from cli.own_client import client_of
from infra.processes import stop
from tests.support.faults import SOON
from tests.support.waiting import wait_for


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The command, once it has said where it listens; stopped at the end."""
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "serve", "--data", str(folder), *options],
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
    with serve(tmp_path / "data", "--port", "0", "--api-processes", "2") as (process, url):
        children = family(process)
        assert len(children) >= 4  # Redis, twice the API, a worker
        assert httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200
        process.send_signal(number)
        assert process.wait(SOON) == 0
        assert psutil.wait_procs(children, SOON)[1] == []


def test_killed_it_leaves_nothing_running(tmp_path: Path) -> None:
    """And what it was given is there when it is started again."""
    with serve(tmp_path / "data", "--port", "0", "--api-processes", "2") as (process, url), client_of(url) as client:
        network_id = client.networks.create(name="kept", layers=[{"activation": "tanh"}]).id
        children = family(process)
        process.kill()
        assert psutil.wait_procs(children, SOON)[1] == []
    with serve(tmp_path / "data", "--port", "0") as (_process, url), client_of(url) as client:
        assert client.networks.get(network_id).name == "kept"


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
            [sys.executable, "-m", "cli", "serve", "--data", str(tmp_path / "data"), "--port", "0"],
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
            [sys.executable, "-m", "cli", "serve", "--data", str(tmp_path / "data"), "--port", str(port)],
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


def parts(process: subprocess.Popen[bytes], word: str) -> list[psutil.Process]:
    """Its children that run and whose command line has the word."""
    alive = [child for child in family(process) if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if any(word in each for each in child.cmdline())]


def log_of(folder: Path) -> str:
    return folder.with_suffix(".log").read_text()


def job_of_minutes(client: Backprop) -> Job:
    """Submit a job that takes long."""
    csv = "a,b\n" + "\n".join(f"{i},{i % 7}" for i in range(500))
    network = {"layers": [{"units": 5}, {}]}
    return client.train(
        csv.encode(), target="b", task="regression", network=network, preset="tutorial", iterations=10_000_000
    )


def wait_until_it_trains(job: Job) -> None:
    wait_for("the job to train", lambda: job.refresh().data.iteration)


def is_ready(client: Backprop) -> bool:
    try:
        return client.health.ready().status == "ok"
    except ServerFailed:
        return False


def test_a_redis_that_dies_is_started_again_and_jobs_go_on(tmp_path: Path) -> None:
    with serve(tmp_path / "data", "--port", "0") as (process, url), client_of(url) as client:
        running = job_of_minutes(client)
        wait_until_it_trains(running)
        waiting = job_of_minutes(client)
        for _ in range(2):
            (redis,) = wait_for("Redis", lambda: parts(process, "redis-server") or parts(process, "valkey-server"))
            redis.kill()
            wait_for("Redis again", lambda: is_ready(client))
        assert "The Redis ended by itself" in log_of(tmp_path / "data")
        assert running.refresh().data.attempt == 1  # it trained on
        running.cancel()
        wait_for("the job that waited", lambda: waiting.refresh().status == "running")


def test_an_api_that_dies_is_started_again(tmp_path: Path) -> None:
    with serve(tmp_path / "data", "--port", "0") as (process, url):
        (api,) = parts(process, "api")
        api.kill()
        wait_for("another API", lambda: [each for each in parts(process, "api") if each.pid != api.pid])
        assert httpx2.get(f"{url}/healthz", timeout=SOON, trust_env=False).status_code == 200  # at the same address


def test_a_redis_that_cannot_be_started_again_ends_it_loudly(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serve(folder, "--port", "0") as (process, _url):
        children = family(process)
        (redis,) = wait_for("Redis", lambda: parts(process, "redis-server") or parts(process, "valkey-server"))
        (folder / "redis").rename(folder / "moved")
        (folder / "redis").write_text("no folder")
        redis.kill()
        assert process.wait(60) == 1
        assert psutil.wait_procs(children, SOON)[1] == []
    said = log_of(folder)
    assert "The Redis ends again and again by itself." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_lost_its_redis_while_it_was_busy_ends_with_the_rest(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Its Redis does not come back, and its worker waits for it with a work-horse that trains."""
    with serve(tmp_path / "data", "--port", "0") as (process, url), client_of(url) as client:
        running = job_of_minutes(client)
        wait_until_it_trains(running)
        children = family(process)
        (redis,) = wait_for("Redis", lambda: parts(process, "redis-server") or parts(process, "valkey-server"))
        process.send_signal(signal.SIGSTOP)  # so that it does not start another
        redis.kill()
        running.cancel()
        wait_for("the job to end", lambda: running.refresh().status == "cancelled")
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        process.wait(SOON)
        assert psutil.wait_procs(children, SOON)[1] == []


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder for the stack, with a path that is short enough for the address of a socket."""
    with TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, temporary: Path) -> None:
    with serve(tmp_path / "data", "--port", "0") as (process, _url):
        children = family(process)
        process.kill()
        psutil.wait_procs(children, SOON)
    left = set(temporary.iterdir())
    assert len(left) == 1
    with serve(tmp_path / "data", "--port", "0"):
        assert not left & set(temporary.iterdir())
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_leaves_nothing(tmp_path: Path, temporary: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--data", str(tmp_path / "data"), "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        children = wait_for("the first part", lambda: family(process))
        process.send_signal(number)
        assert process.wait(SOON) == 0
        assert psutil.wait_procs(children, SOON)[1] == []
        assert list(temporary.iterdir()) == []
    finally:
        stop(process)


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}


def test_others_can_read_nothing_of_it(tmp_path: Path) -> None:
    """Also what was there before it took care, and whatever umask it is started with."""
    folder = tmp_path / "data"
    (folder / "artifacts" / "datasets").mkdir(parents=True)
    (folder / "artifacts" / "datasets" / "old.parquet").write_bytes(b"")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    before = os.umask(0)
    try:
        with serve(folder, "--port", "0") as (_process, url), client_of(url) as client:
            wait_until_it_trains(job_of_minutes(client))
            assert modes(folder) == {0}
    finally:
        os.umask(before)


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["api", "--port", "0"], ["worker"], ["migrate"]])
def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    done = subprocess.run(
        [sys.executable, "-m", "cli", *command],
        env=os.environ | {"BACKPROP_DATA_DIR": str(tmp_path / "file" / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"The data folder {tmp_path / 'file' / 'data'} cannot be used: Not a directory." in done.stderr
    assert "Traceback" not in done.stderr
