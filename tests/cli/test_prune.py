"""`backprop prune`: what it tells, and what it lets go."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from infra.database import Database
from infra.tables import Job
from migrations.commands import upgrade
from tests.support.captions import add_dataset, add_job


def prune(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "prune", "--data", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_it_tells_what_would_go_and_lets_it_go(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'backprop.db'}"
    upgrade(url)
    database = Database(url)
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        ids = [add_job(session, dataset_id).id for _ in range(3)]
        for job in session.scalars(select(Job)):
            job.status, job.finished_at = "failed", datetime.now(UTC) - timedelta(days=40)

    def left() -> set[str]:
        with database.reading() as session:
            return set(session.scalars(select(Job.id)))

    told = prune(tmp_path, "--older-than", "30d", "--keep", "1", "--dry-run")
    assert [line.split()[1] for line in told.stdout.splitlines()[:2]] == ids[:2]
    assert told.stdout.splitlines()[2].startswith("2 jobs")
    assert left() == set(ids)
    for options in (("--older-than", "6w", "--keep", "0"), ("--older-than", "30d")):  # too young; too few
        assert prune(tmp_path, *options).returncode == 0
        assert left() == set(ids)
    done = prune(tmp_path, "--older-than", "30d", "--keep", "1")
    assert done.stdout == told.stdout.replace("would go", "gone")
    assert done.stderr.count("let go, since it is old") == 2
    assert left() == {ids[2]}
    for age, why in (("30", "is no age"), ("999999w", "36500 days are the most")):
        refused = prune(tmp_path, "--older-than", age)
        assert (refused.returncode, why in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)
    elsewhere = prune(tmp_path / "elsewhere", "--older-than", "30d")
    assert (elsewhere.returncode, "There is no database" in elsewhere.stderr) == (1, True)
    assert not (tmp_path / "elsewhere").exists()
    database.close()
