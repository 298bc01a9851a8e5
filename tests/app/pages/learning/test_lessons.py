"""Lessons are started with a button, and the networks learn what they are to show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from domain.lessons.lessons import LESSONS
from infra.database import Database
from tests.support.keys import bearing, make_key
from tests.support.service import Service


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: nothing here depends on the database."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


def started(service: Service, slug: str) -> str:
    """The id of the job that starting a lesson makes."""
    answer = service.api.post(f"/learn/{slug}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/jobs/")


@pytest.mark.parametrize("slug", [each.slug for each in LESSONS])
def test_a_lesson_learns_what_it_is_about(service: Service, slug: str) -> None:
    job = service.attempt(started(service, slug))
    assert job["status"] == "succeeded"
    assert job["tags"] == ["lesson"]
    metrics = service.api.get(f"/v1/models/{job['model_id']}").json()["metrics"]
    if slug == "autoencoder":
        assert metrics["training"]["r2_mean"] > 0.7
    else:
        assert metrics["training"]["accuracy"] == 1.0
    if slug == "digits":
        assert metrics["held_out"]["accuracy"] > 0.95
    assert service.api.get(f"/jobs/{job['id']}/example").status_code == 200


def test_the_page_offers_all_and_lists_those_that_were_started(service: Service) -> None:
    assert "Started</h2>" not in service.api.get("/learn").text
    job_id = started(service, "circles")
    html = service.api.get("/learn").text
    for each in LESSONS:
        assert f'action="/learn/{each.slug}"' in html
    assert f'href="/jobs/{job_id}"' in html
    assert "when it is trained" in html
    service.api.patch(f"/v1/jobs/{job_id}", json={"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in service.api.get("/learn").text


def test_an_unknown_lesson_is_not_found(service: Service) -> None:
    assert service.api.post("/learn/none").status_code == 404


def test_who_may_only_read_cannot_start_one(service: Service, database: Database) -> None:
    reader = bearing(make_key(database, "default", ["read"]))
    assert service.api.post("/learn/xor", headers=reader).status_code == 403
    html = service.api.get("/learn", headers=reader).text
    assert "Start this lesson" not in html
