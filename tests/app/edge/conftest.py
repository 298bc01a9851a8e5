"""An API with a socket of its own, for what only bytes on a wire show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.support.api_process import ApiProcess, running_api


@pytest.fixture(scope="package")
def listening(migrated_sqlite: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("forms")
    shutil.copy(migrated_sqlite, folder / "test.db")
    settings = Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'test.db'}", redis_url=redis_url)
    with running_api(settings) as api:
        yield api
