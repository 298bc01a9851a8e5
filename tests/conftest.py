"""The services that tests talk to, all real: Redis, SQLite, PostgreSQL, the API and its workers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, text

from infra import redis_server
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.settings import Settings
from migrations.commands import upgrade
from tests.support.apps import open_app
from tests.support.postgres import running_postgres
from tests.support.service import Service


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that all tests share; each has a queue of its own in it."""
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server that all tests share; each has a database of its own in it."""
    with running_postgres() as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """Name of an empty PostgreSQL database of the newest schema, to be used as a template."""
    _execute(postgres_url, "CREATE DATABASE migrated")
    upgrade(_database_on(postgres_url, "migrated"))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the newest schema: every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        shutil.copy(template, tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: str = request.getfixturevalue("postgres_url")
    template_name: str = request.getfixturevalue("migrated_postgres")
    name = f"test_{uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template_name}")
    yield _database_on(server, name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a service of this test's own."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        redis_url=redis_url,
        queue_name=f"test-{uuid4().hex}",
        training_threads=1,
        max_requests_per_second=1_000_000,
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The service's database."""
    database = Database(settings.resolved_database_url)
    yield database
    database.close()


@pytest.fixture
def artifacts(settings: Settings) -> ArtifactStore:
    """The service's artifacts."""
    return ArtifactStore(settings.resolved_artifacts_uri)


@pytest.fixture
def api(settings: Settings) -> Iterator[TestClient]:
    """The API in this process, in front of the real database and the real Redis."""
    with TestClient(open_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def service(api: TestClient, database: Database, artifacts: ArtifactStore, settings: Settings) -> Service:
    """The API together with a worker's attempts, run in this process when the test says so."""
    return Service(api, database, artifacts, settings)


def start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    """A real worker: a process of its own that takes jobs from Redis and forks. The caller stops it."""
    variables = {f"BACKPROP_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "worker"], env=os.environ | variables, stdin=subprocess.DEVNULL
    )


def _execute(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _database_on(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
