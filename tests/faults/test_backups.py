"""A backup taken while the service runs is whole, and what is restored from it goes on by itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from backprop_client import Backprop
from backprop_client.wire.jobs import CostOut
from cli.own_client import client_of
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


def costs_of(client: Backprop, job_id: str) -> list[CostOut]:
    return list(client.jobs.costs(job_id, limit=10_000))


def test_a_copy_of_a_running_stack_goes_on_by_itself(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with serving(tmp_path / "data", environment=ENVIRONMENT) as stack, client_of(stack.url) as client:
        job = client.train(
            TABLE.encode(),
            target="y",
            task="regression",
            network={"layers": [{"units": 40, "activation": "tanh"}, {"activation": "sigmoid"}]},
            iterations=6_000,
            learning_rate=0.1,
        )
        wait_for("progress", lambda: (job.refresh().data.iteration or 0) > 100)
        before = job.data
        for command in documented("python3 -c"), "cp -a data/artifacts backup/artifacts":
            subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)
        job.wait(progress=False, timeout=60)
        original = costs_of(client, job.id)
    shutil.rmtree(tmp_path / "data")
    with serving(tmp_path / "backup", environment=ENVIRONMENT) as stack, client_of(stack.url) as client:
        restored = client.job(job.id)
        restored.wait(progress=False, timeout=60)  # which also asks for its model
        assert restored.data.attempt > before.attempt
        assert costs_of(client, job.id) == original


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
