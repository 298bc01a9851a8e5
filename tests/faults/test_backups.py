"""A backup taken while the service runs is whole, and what is restored from it goes on by itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import make_url, text

from infra.settings import Settings
from migrations.commands import upgrade
from tests.support.faults import (
    StartWorker,
    assert_same_as_undisturbed,
    ended,
    job_body,
    progressed,
)
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.service import Service
from tests.support.serving import ROOT, serving
from tests.support.waiting import wait_for

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ENVIRONMENT = {
    "BACKPROP_CHECKPOINT_SECONDS": "0.2",
    "BACKPROP_FLUSH_SECONDS": "0.1",
    "BACKPROP_LEASE_SECONDS": "2",
    "BACKPROP_TRAINING_THREADS": "1",
}
TABLE = "a,b,y\n" + "".join(f"{i % 17},{i % 5},{(i * 7) % 11}\n" for i in range(1_000))


def documented(first_words: str) -> str:
    """The page's shell block that begins so."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", OPERATIONS, re.DOTALL)
    (block,) = [each for each in blocks if each.startswith(first_words)]
    return block


def client_of(url: str) -> httpx2.Client:
    return httpx2.Client(base_url=f"{url}/v1", trust_env=False, timeout=30)


def costs_of(client: httpx2.Client, job_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/jobs/{job_id}/costs", params={"limit": 10_000}).json()["data"]
    return rows


def test_a_copy_of_a_running_stack_goes_on_by_itself(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    training = {"iterations": 6_000, "learning_rate": 0.1}
    with serving(tmp_path / "data", environment=ENVIRONMENT) as stack, client_of(stack.url) as client:
        dataset = client.post("/datasets", files={"file": ("t.csv", TABLE.encode())}).json()
        body = {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "task": "regression",
            "network": {"layers": [{"units": 40, "activation": "tanh"}, {"activation": "sigmoid"}]},
            "training": training,
        }
        job_id = client.post("/jobs", json=body).json()["id"]
        before = wait_for(
            "progress",
            lambda: ((found := client.get(f"/jobs/{job_id}").json())["iteration"] or 0) > 100 and found,
        )
        for command in documented("python3 -c"), "cp -a data/artifacts backup/artifacts":
            subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)
        wait_for("the end", lambda: client.get(f"/jobs/{job_id}").json()["status"] == "succeeded", 60)
        original = costs_of(client, job_id)
    shutil.rmtree(tmp_path / "data")
    with serving(tmp_path / "backup", environment=ENVIRONMENT) as stack, client_of(stack.url) as client:
        job = wait_for(
            "the end", lambda: (found := client.get(f"/jobs/{job_id}").json())["status"] == "succeeded" and found, 60
        )
        assert job["attempt"] > before["attempt"]
        assert costs_of(client, job_id) == original
        assert client.get(f"/models/{job['model_id']}").status_code == 200


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of this test's own."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def database_url(server: PostgresServer) -> str:
    """Its database."""
    upgrade(server.url)
    return server.url


def test_a_dump_of_a_running_database_goes_on_by_itself(
    service: Service, settings: Settings, new_worker: StartWorker, server: PostgresServer, tmp_path: Path
) -> None:
    folder = make_url(server.url).query["host"]
    assert isinstance(folder, str)
    connection = ["--host", folder, "--username", "backprop"]
    dump = Path(folder) / "backprop.dump"
    body = job_body(service, iterations=8_000)
    worker = new_worker()
    job = service.submit(body)
    before = progressed(service, job["id"], 200)
    server.run("pg_dump", *connection, "--format", "custom", "--file", str(dump), "postgres")
    worker.kill()
    worker.wait()
    with service.database.writing() as session:  # everything is lost
        session.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    server.run("pg_restore", *connection, "--dbname", "postgres", "--clean", "--if-exists", str(dump))
    new_worker()
    done = ended(service, job["id"])
    assert done["attempt"] > before["attempt"]
    assert_same_as_undisturbed(service, body, done)
