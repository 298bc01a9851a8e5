"""Who is asked to end does so, and leaves jobs where others find them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from rq import Worker
from rq.worker import BaseWorker, WorkerStatus

from cli.own_client import client_of
from domain.jobs import checkpoints
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.faults import (
    LONG_LEASE,
    SOON,
    StartWorker,
    assert_same_as_undisturbed,
    ended,
    job_body,
    progressed,
    row_of,
)
from tests.support.service import Service
from tests.support.serving import serving
from tests.support.waiting import wait_for


def test_sigterm_puts_the_job_back_and_another_worker_goes_on(service: Service, new_worker: StartWorker) -> None:
    body = job_body(service, iterations=6_000)
    worker = new_worker(lease_seconds=LONG_LEASE)
    job = service.submit(body)
    before = progressed(service, job["id"], 200)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SOON) == 0
    row = row_of(service, job["id"])
    assert row.status == "queued"
    assert row.iteration is not None
    assert row.iteration >= before["iteration"]
    assert checkpoint_of(service, job["id"]) == row.iteration  # nothing is to be done again
    new_worker(lease_seconds=LONG_LEASE)
    done = ended(service, job["id"])
    assert done["attempt"] == 2
    assert_same_as_undisturbed(service, body, done)


def checkpoint_of(service: Service, job_id: str) -> int | None:
    with service.database.reading() as session:
        return checkpoints.iteration_of(session, job_id)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_rolling_restart_under_load_loses_no_iteration(service: Service, new_worker: StartWorker) -> None:
    body = job_body(service, iterations=2_000)
    lasting = {"checkpoint_seconds": 60.0, "lease_seconds": LONG_LEASE}
    workers = [new_worker(**lasting) for _ in range(2)]
    wait_for("the workers", lambda: len(ready_workers(service)) == 2)
    submitted = [service.submit(body)["id"] for _ in range(5)]
    progressed(service, submitted[0], 1)
    for worker in workers:
        running = [job_id for job_id in submitted if row_of(service, job_id).status == "running"]
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SOON) == 0
        for job_id in running:
            row = row_of(service, job_id)
            if row.status == "queued":
                assert checkpoint_of(service, job_id) == row.iteration
        new_worker(**lasting)
    done = [ended(service, job_id) for job_id in submitted]
    assert all(row_of(service, job_id).crashes == 0 for job_id in submitted)
    assert_same_as_undisturbed(service, body, done[0])
    assert all(service.costs(job["id"]) == service.costs(done[0]["id"]) for job in done[1:])


def ready_workers(service: Service) -> list[BaseWorker]:
    """Those that listen to signals by now: before, SIGTERM ends a process as it ends any."""
    queue = service.api.app.state.services.queue.rq  # type: ignore[attr-defined]
    return [worker for worker in Worker.all(queue=queue) if worker.get_state() == WorkerStatus.IDLE]


@contextmanager
def api_process(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], tuple[str, int]]]:
    """The API alone, as a process, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        variables = {f"BACKPROP_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "api", "--fd", str(listener.fileno())],
            env=os.environ | variables,
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # uvicorn tells of every connection that it cuts
        )
        address = listener.getsockname()
        try:
            wait_for("the API", lambda: answers(f"http://{address[0]}:{address[1]}"))
            yield process, address
        finally:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", trust_env=False).is_success
    except httpx2.TransportError:
        return False


BEGINNING = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'


def begin_upload(address: tuple[str, int], length: int, content: bytes = b"") -> socket.socket:
    """A connection on which an upload of that length has begun."""
    connection = socket.create_connection(address)
    connection.sendall(
        b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        + f"Content-Length: {length}\r\n\r\n".encode()
        + BEGINNING
        + content
    )
    return connection


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_api_ends_whatever_its_clients_are_doing(settings: Settings) -> None:
    table = b"[" + b"[1,2]," * 1_000_000 + b"[1,2]]"  # some seconds to read
    end = b"\r\n--b--\r\n"
    with api_process(settings) as (process, address):
        idle = socket.create_connection(address)
        endless = begin_upload(address, 10**9, b"[[1,2],")
        being_read = begin_upload(address, len(BEGINNING + table + end), table + end)
        stopping = threading.Event()
        polling = threading.Thread(target=poll, args=(address, stopping))
        polling.start()
        uploads = settings.data_dir / "uploads"
        wait_for("the upload", lambda: len(table) in [path.stat().st_size for path in uploads.glob("*")])
        process.send_signal(signal.SIGTERM)
        process.wait(SOON)
        assert not list((settings.data_dir / "artifacts").rglob("*.parquet"))  # it did not wait for that to be read
        stopping.set()
        polling.join()
        for connection in (idle, endless, being_read):
            connection.close()
    with TestClient(open_app(settings)):  # the next one clears away what was left
        assert list(uploads.iterdir()) == []


def poll(address: tuple[str, int], stopping: threading.Event) -> None:
    with httpx2.Client(base_url=f"http://{address[0]}:{address[1]}", trust_env=False) as client:
        while not stopping.is_set():
            try:
                client.get("/v1/jobs")
            except httpx2.TransportError:
                return


def test_the_whole_stack_ends_with_its_job_put_back_and_goes_on(tmp_path: Path) -> None:
    environment = {"BACKPROP_CHECKPOINT_SECONDS": "60", "BACKPROP_TRAINING_THREADS": "1"}
    table = "a,b,y\n" + "".join(f"{i % 17},{i % 5},{(i * 7) % 11}\n" for i in range(500))
    with serving(tmp_path / "data", environment=environment) as stack, client_of(stack.url) as client:
        job = client.train(
            table.encode(),
            target="y",
            task="regression",
            network={"layers": [{"units": 20, "activation": "tanh"}, {"activation": "sigmoid"}]},
            preset="tutorial",
            iterations=10_000_000,
            learning_rate=0.1,
        )
        wait_for("progress", lambda: (job.refresh().data.iteration or 0) > 100)
        reached = job.refresh().data.iteration
        assert reached is not None
        address = (urlsplit(stack.url).hostname or "", urlsplit(stack.url).port or 0)
        upload = begin_upload(address, 10**9)
        stack.process.send_signal(signal.SIGTERM)
        assert stack.process.wait(SOON) == 0
        upload.close()
    with serving(tmp_path / "data", environment=environment) as stack, client_of(stack.url) as client:
        again = client.job(job.id)
        wait_for("the job to go on", lambda: again.refresh().status == "running")
        assert again.data.attempt == 2
        assert again.data.iteration is not None
        assert again.data.iteration >= reached
        again.cancel()
        wait_for("the end", lambda: again.refresh().status == "cancelled")
        rows = client.jobs.costs(job.id, limit=10_000).data
        assert [row.iteration for row in rows] == list(range(len(rows)))
