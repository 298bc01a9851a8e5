"""Old things go by the rules, whatever else happens at the same time, and what is needed stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backprop.training import Record
from backprop_client.wire.captions import CaptionPatch
from domain import captions
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, checkpoints, control, cost_thinning, costs
from domain.jobs import rows as jobs
from domain.jobs.attempts import Progress
from domain.models import rows as models
from domain.registry import rows as registry
from domain.registry import versions
from domain.retention.pruning import clean_up, foreseen, prune
from domain.retention.rules import Rules
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import NotFound
from infra.tables import Job, Model, QueuedPrediction
from tests.support.captions import add_dataset, add_job, add_model
from tests.support.jobs import LEASE, reported
from tests.support.registry import AUTHOR

MONTH = timedelta(days=30)
LONG_AGO = datetime.now(UTC) - 2 * MONTH
EVERYTHING_OLD = Rules.for_everything(MONTH, 0)


def ended(session: Session, job: Job, status: str, at: datetime = LONG_AGO) -> Job:
    job.status, job.finished_at, job.iteration = status, at, 0
    session.flush()
    return job


def old_model(session: Session, job: Job, at: datetime = LONG_AGO, **said: Any) -> Model:  # noqa: ANN401
    model = add_model(session, job)
    model.created_at = at
    captions.change(session, model, CaptionPatch(**said))
    return model


def gone(database: Database, rules: Rules) -> set[tuple[str, str]]:
    """What goes: what was foreseen, and nothing of it again."""
    expected = {(old.what, old.id) for old in foreseen(database, rules)}
    went: set[tuple[str, str]] = {(old.what, old.id) for old in prune(database, rules)}
    assert went == expected
    assert list(foreseen(database, rules)) == []
    return went


def test_what_goes_is_old_and_what_is_named_registered_or_needed_stays(database: Database) -> None:
    recently = datetime.now(UTC) - timedelta(days=29)
    with database.writing() as session:
        dataset_id = add_dataset(session).id

        def job(**more: Any) -> Job:  # noqa: ANN401
            return add_job(session, dataset_id, **more)

        goes = [
            ("job", ended(session, job(name="n", tags=["t"], note="x"), status).id)
            for status in ("failed", "cancelled")
        ]
        ended(session, job(), "failed", recently)
        ended(session, job(), "succeeded")
        job()
        other = add_job(session, dataset_id, project="other")
        goes += [("job", ended(session, other, "failed").id)]
        has_model = ended(session, job(), "failed")
        goes += [("model", old_model(session, has_model).id)]
        old_model(session, has_model, recently)
        for said in ({"name": "n"}, {"tags": ("t",)}, {"note": "x"}):
            old_model(session, has_model, **said)
        versions.create(
            session, registry.create(session, DEFAULT_PROJECT, "r", AUTHOR), old_model(session, has_model).id, AUTHOR
        )
        needed = old_model(session, has_model)
        job(from_model_id=needed.id)
        predicting = old_model(session, has_model)
        now = datetime.now(UTC)
        prediction = QueuedPrediction(
            id="prd_1",
            project=DEFAULT_PROJECT,
            model_id=predicting.id,
            dataset_id=dataset_id,
            status="running",
            unknown_categories="refuse",
            rows=1,
            part_rows=1,
            rows_done=0,
            unknown={},
            attempt=1,
            crashes=0,
            cancel_requested=False,
            created_at=now,
            updated_at=now,
        )
        session.add(prediction)
    assert gone(database, EVERYTHING_OLD) == set(goes)
    with database.writing() as session:
        session.get_one(QueuedPrediction, "prd_1").status = "succeeded"
    assert gone(database, EVERYTHING_OLD) == {("model", predicting.id)}


def test_the_newest_of_each_project_stay_however_old(database: Database) -> None:
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        of = {
            project: [ended(session, add_job(session, dataset_id, project=project), "failed").id for _ in range(3)]
            for project in ("one", "two")
        }
    assert list(foreseen(database, Rules.for_everything(MONTH, 3))) == []
    assert gone(database, Rules.for_everything(MONTH, 2)) == {("job", ids[0]) for ids in of.values()}
    assert gone(database, Rules.for_everything(MONTH, 1)) == {("job", ids[1]) for ids in of.values()}


def test_each_rule_is_for_its_own_kind(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_thinning, "POINTS", 10)
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        failed = ended(session, add_job(session, dataset_id), "failed").id
        job = ended(session, add_job(session, dataset_id), "succeeded")
        model = old_model(session, job).id
        costs.add(session, job.id, [Record(k, float(k), float(k), 0.0) for k in range(100)])
        job.iteration = 99
    assert list(foreseen(database, Rules(None, None, None, 0))) == []
    assert gone(database, Rules(None, None, MONTH, 0)) == {("costs of job", job.id)}
    assert gone(database, Rules(None, MONTH, None, 0)) == {("model", model)}
    assert gone(database, Rules(MONTH, None, None, 0)) == {("job", failed)}
    with database.reading() as session:
        rows, _ = costs.list_rows(session, job.id, -1, 100)
        assert [rows[0].iteration, rows[-1].iteration] == [0, 99]
        assert len(rows) <= 10


def at_the_same_time(*actions: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(len(actions))

    def act(action: Callable[[], Any]) -> Any:  # noqa: ANN401
        start.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(act, actions))


def test_a_job_is_let_go_or_resumed_and_claimed_but_never_both(database: Database, artifacts: ArtifactStore) -> None:
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        ids = [ended(session, add_job(session, dataset_id), "failed").id for _ in range(15)]

    def resume_all() -> list[str]:
        resumed = []
        for job_id in reversed(ids):
            try:
                with database.writing() as session:
                    control.resume(session, DEFAULT_PROJECT, job_id, None)
                with database.writing() as session:
                    assert attempts.claim(session, job_id, LEASE) is not None
            except NotFound:
                continue
            resumed.append(job_id)
        return resumed

    def let_go() -> list[str]:
        return [old.id for old in prune(database, EVERYTHING_OLD)]

    resumed, *pruned = at_the_same_time(resume_all, let_go, let_go)
    assert sorted([*resumed, *pruned[0], *pruned[1]]) == sorted(ids)
    clean_up(database, artifacts)
    with database.reading() as session:
        left = {job.id: job.status for job in session.scalars(select(Job))}
    assert left == dict.fromkeys(resumed, "running")


def test_a_model_is_let_go_or_named_or_started_from_but_nothing_is_lost(database: Database) -> None:
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        job = ended(session, add_job(session, dataset_id), "succeeded")
        ids = [old_model(session, job).id for _ in range(16)]

    def need_all() -> list[str]:
        needed = []
        for number, model_id in enumerate(reversed(ids)):
            try:
                with database.writing() as session:
                    if number % 2:
                        captions.change(
                            session, models.locked(session, DEFAULT_PROJECT, model_id), CaptionPatch(name="n")
                        )
                    else:
                        models.get_to_keep(session, DEFAULT_PROJECT, model_id)
                        add_job(session, dataset_id, from_model_id=model_id)
            except NotFound:
                continue
            needed.append(model_id)
        return needed

    needed, pruned = at_the_same_time(need_all, lambda: [old.id for old in prune(database, EVERYTHING_OLD)])
    assert set(needed) | set(pruned) == set(ids)
    with database.reading() as session:
        assert set(session.scalars(select(Model.id))) == set(needed)


def test_costs_are_thinned_while_the_job_is_resumed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_thinning, "POINTS", 100)
    monkeypatch.setattr(cost_thinning, "PIECE", 512)
    J = np.random.default_rng(0).normal(size=8_000).tolist()
    checkpoint = 6_001
    with database.writing() as session:
        job = ended(session, add_job(session, add_dataset(session).id), "cancelled")
        job.iteration = len(J) - 1
        costs.add(session, job.id, [Record(k, cost, cost, 0.0) for k, cost in enumerate(J)])
        for part in checkpoints.cut(checkpoint, b"state"):
            checkpoints.write(session, job.id, part)
        add_model(session, job)  # so that it is not let go as a whole

    def go_on() -> None:
        with database.writing() as session:
            control.resume(session, DEFAULT_PROJECT, job.id, 10_000)
        with database.writing() as session:
            claim = attempts.claim(session, job.id, LEASE)
            assert claim is not None
            costs.add(session, job.id, [Record(k, J[k], J[k], 0.0) for k in range(checkpoint + 1, len(J))])
            reported(session, claim.owner, Progress(len(J) - 1, J[-1], None))
            attempts.cancel(session, claim.owner)

    at_the_same_time(
        go_on, lambda: list(prune(database, EVERYTHING_OLD)), lambda: list(prune(database, EVERYTHING_OLD))
    )
    with database.writing() as session:
        row = jobs.locked(session, DEFAULT_PROJECT, job.id)
        thinned_before = row.thinned_before or 0
        rows, _ = costs.list_rows(session, job.id, -1, 10_000)
        assert thinned_before <= checkpoint + 1
        assert [each.iteration for each in rows if each.iteration > checkpoint] == list(range(checkpoint + 1, len(J)))
        assert all(each.cost == J[each.iteration] for each in rows)
        drawn = costs.thin_rows(session, job.id, -1, 50, thinned_before=thinned_before)
        assert {J.index(f(J)) for f in (min, max)} <= {each.iteration for each in drawn}
        session.execute(update(Job).values(finished_at=LONG_AGO))
    assert {old.what for old in prune(database, EVERYTHING_OLD)} == {"costs of job"}
    with database.reading() as session:
        rows, _ = costs.list_rows(session, job.id, -1, 10_000)
    assert {0, len(J) - 1, J.index(min(J)), J.index(max(J))} <= {each.iteration for each in rows}
    assert len(rows) < 400
