"""Damaged files of every format: a table or a refusal, from an API that lives on, with nothing left behind."""

from __future__ import annotations

import base64
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.settings import Settings
from tests.domain.datasets.fuzz import fuzz
from tests.support.api_process import ApiProcess, running_api
from tests.support.damage import damaged_file
from tests.support.waiting import wait_for

SECONDS = 8.0
"""Of the thousands. For longer: ``python -m tests.domain.datasets.fuzz --seconds 600``."""

SEED = int(os.environ.get("FUZZ_SEED", random.randrange(10**6)))  # noqa: S311

ENDS_ITS_READER = base64.b64decode(
    "UEFSMRUEFTAVLkwVBhUAEgAAGAQBAAkBPAIAAAAAAAAAAwAAAAAAAAAVABUUFRgsFQYVEBUGFQYcGAgDAAAAAAAAABgIAQAAAAAA"
    "AAAWACgIAwAAAAAAAAAYCAEAAAAAAAAAEREAAAAKJAIAAAAGAQIDJAAVBBksNQAYBnNjaGVtYRUCABUEJQIYAWEAFgYZHBkcJgAc"
    "FQQZNQAGEBkYAWEVAhYGFt4BFuABJlImCBwYCAMAAAAAAAAAGAgBAAAAAAAAABYAKAgDAAAAAAAAABgIAQAAAAAAAAAREQAZLBUE"
    "FQAVAgAVABUQFQIAPBkGGSYABgAAABbeARYGJggW4AEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRkcHAAAALYA"
    "AABQQVIx"
)
"""A Parquet file of three integers with a histogram too long by one in its footer: Arrow throws what nobody catches."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def api_process(migrated_sqlite: Path, redis_url: str, folder: Path) -> Iterator[ApiProcess]:
    shutil.copy(migrated_sqlite, folder / "test.db")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'test.db'}",
        redis_url=redis_url,
        max_reading_bytes=2**29,
        max_reading_seconds=20,
    )
    with running_api(settings) as api:
        yield api


def assert_lives(api: ApiProcess) -> None:
    """It is the same process, and answers; it reads nothing any more, and has kept no file of an upload."""
    assert api.process.poll() is None
    assert api.client.get("/healthz").json() == {"status": "ok"}
    (fork_server,) = psutil.Process(api.process.pid).children()
    wait_for("the end of all readers", lambda: not fork_server.children())


def assert_nothing_left(api: ApiProcess, folder: Path) -> None:
    """Besides the datasets themselves."""
    assert list((folder / "uploads").iterdir()) == []
    kept = {path.stem for path in (folder / "artifacts").rglob("*") if path.is_file()}
    known: set[str] = set()
    page: dict[str, object] = {"has_more": True}
    while page["has_more"]:
        after = {"after": min(known)} if known else {}
        page = api.client.get("/v1/datasets", params={"limit": 100, **after}).json()
        known |= {dataset["id"] for dataset in page["data"]}  # type: ignore[attr-defined]
    assert kept == known


@pytest.mark.parametrize("name", ["t.parquet", "without a suffix"])
def test_a_file_that_ends_its_reader_is_refused(api_process: ApiProcess, folder: Path, name: str) -> None:
    response = api_process.client.post("/v1/datasets", files={"file": (name, ENDS_ITS_READER)})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_parquet")
    assert_lives(api_process)
    assert_nothing_left(api_process, folder)


def test_damaged_uploads(api_process: ApiProcess, folder: Path) -> None:
    print(f"FUZZ_SEED={SEED}")  # noqa: T201  # shown when the test fails
    statuses = set()
    for number in range(100):
        file = damaged_file(SEED, number)
        response = api_process.client.post(
            "/v1/datasets", files={"file": ("damaged", file.content)}, data={"format": file.format}
        )
        assert response.status_code in (201, 413, 422), (number, response.text)
        statuses.add(response.status_code)
    assert {201, 422} <= statuses
    assert_lives(api_process)
    assert_nothing_left(api_process, folder)


def test_thousands_of_damaged_files() -> None:
    print(f"FUZZ_SEED={SEED}")  # noqa: T201  # shown when the test fails
    tally = fuzz(SEED, SECONDS)
    assert tally.faults == []
    assert tally.files > 100
    assert tally.deaths < tally.files / 20  # else most of them were no files at all to the process that reads many
    assert {"table", "invalid_parquet", "invalid_npz", "invalid_json", "invalid_arrow"} <= set(tally.ends)
