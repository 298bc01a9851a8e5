"""Whoever follows a job hears of everything once, in an order that makes sense, whenever they look."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlalchemy import select

from backprop.training import Record
from domain.access.projects import DEFAULT_PROJECT, Project
from domain.jobs import attempts, control, costs, following, removal
from domain.jobs import events as history
from domain.jobs import rows as jobs
from domain.jobs.attempts import Claim, Progress
from domain.jobs.following import Place
from infra.database import Database
from infra.tables import JobEvent
from tests.support.jobs import LEASE, claimed, crash, queued_job, save_checkpoint, status


class Life:
    """A job to which anything may happen."""

    def __init__(self, database: Database, rng: random.Random) -> None:
        self.database = database
        self.rng = rng
        self.job_id = queued_job(database)
        self.claim: Claim | None = None
        self.next_iteration = 0

    def go_on(self) -> None:
        """Let something happen that can."""
        now = status(self.database, self.job_id)
        if now == "queued":
            self.claim = claimed(self.database, self.job_id)
            self.next_iteration = 0 if self.claim.checkpoint is None else self.claim.checkpoint + 1
        elif now == "running":
            self.rng.choices((self.flush, self.save, self.lose_the_worker, self.end), (12, 3, 2, 1))[0]()
        else:
            with self.database.writing() as session:
                control.resume(session, DEFAULT_PROJECT, self.job_id, 1_000_000)

    def flush(self) -> None:
        records = [record_of(self.next_iteration + i) for i in range(self.rng.choice((1, 3, 40)))]
        assert self.claim is not None
        progress = Progress(records[-1].iteration, records[-1].cost, None)
        with (
            self.database.writing() as session,
            attempts.reporting(session, self.claim.owner, progress, LEASE),
        ):
            costs.add(session, self.job_id, records)
        self.next_iteration = records[-1].iteration + 1

    def save(self) -> None:
        if self.next_iteration > 0:
            save_checkpoint(self.database, self.job_id, self.next_iteration - 1)

    def lose_the_worker(self) -> None:
        crash(self.database, self.job_id, max_crashes=10**6)

    def end(self) -> None:
        assert self.claim is not None
        with self.database.writing() as session:
            if self.rng.random() < 0.5:
                attempts.fail(session, self.claim.owner, "out_of_memory", "no memory")
            else:
                control.request_cancel(session, DEFAULT_PROJECT, self.job_id)
                attempts.cancel(session, self.claim.owner)


class Follower:
    """Somebody who looks now and then, and takes some of what there is."""

    def __init__(self, life: Life, points: int | None = None, sizes: tuple[int, ...] = (1, 7, 1000)) -> None:
        self.life = life
        self.sizes = sizes
        self.points = points
        self.place = Place()
        self.heard: list[Record | JobEvent] = []

    def look(self, *, once: bool = True) -> None:
        """Take in some news, or all that there is."""
        has_more = True
        while has_more:
            most = self.life.rng.choice(self.sizes)
            with self.life.database.reading() as session:
                news = following.news(session, self.life.job_id, self.place, most, self.points)
            steps = list(news.steps)
            if once and steps:  # the connection may break between any two
                steps = steps[: self.life.rng.randrange(len(steps) + 1)]
            for step in steps:
                self.take(step)
            has_more = news.has_more and not once

    def take(self, step: list[Record] | JobEvent) -> None:
        if isinstance(step, JobEvent):
            self.place = replace(self.place, sequence=step.sequence)
            self.heard.append(step)
        else:
            self.place = replace(self.place, iteration=step[-1].iteration)
            self.heard += step

    @property
    def records(self) -> list[Record]:
        return [each for each in self.heard if isinstance(each, Record)]


def record_of(iteration: int) -> Record:
    """What every attempt finds there."""
    cost = 1 / (iteration + 1)
    return Record(iteration, cost, cost, 0.0, 0.0, None, iteration + 1)


@pytest.mark.parametrize("seed", range(3))
def test_costs_and_steps_are_heard_once_and_in_order(database: Database, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    life = Life(database, rng)
    eager, lazy, thinning = Follower(life), Follower(life), Follower(life, points=20)
    for _ in range(60):
        life.go_on()
        for follower, chance in ((eager, 0.8), (lazy, 0.1), (thinning, 0.2)):
            if rng.random() < chance:
                follower.look()
    late = Follower(life)
    with database.reading() as session:
        situation = following.situation(session, life.job_id)
        stored = costs.list_rows(session, life.job_id, -1, 100_000)[0]
        told = [row.sequence for row in history.list_events(session, life.job_id, 0, 1000).rows]
    assert situation is not None
    for follower in (eager, lazy, thinning, late):
        follower.look(once=False)
        assert not situation.has_news_for(follower.place)
        assert [step.sequence for step in follower.heard if isinstance(step, JobEvent)] == told
    for follower in (eager, lazy, late):
        assert follower.records == [record_of(i) for i in range(len(follower.records))]
        assert follower.records[: len(stored)] == stored  # and more, if an attempt has to do some again
    seen = [record.iteration for record in thinning.records]
    assert seen == sorted(set(seen))


def test_a_step_comes_after_the_costs_before_it_and_before_those_behind(database: Database) -> None:
    life = Life(database, random.Random(0))  # noqa: S311
    life.go_on()
    life.flush()
    life.save()
    first_part = life.next_iteration
    life.end()
    life.go_on()
    life.go_on()
    life.flush()
    for most in (1, 1000):
        follower = Follower(life, sizes=(most,))
        follower.look(once=False)
        heard = [step.kind if isinstance(step, JobEvent) else "cost" for step in follower.heard]
        end = heard.index("failed") if "failed" in heard else heard.index("cancelled")
        assert heard.count("cost") == life.next_iteration
        before = heard[:end].count("cost")
        assert before == first_part
        assert heard[end + 1 : end + 3] == ["resumed", "started"]


def test_the_numbers_of_events_are_dense_and_in_the_order_of_commits(database: Database) -> None:
    job_ids = [queued_job(database) for _ in range(3)]
    claimed(database, job_ids[1])
    crash(database, job_ids[1])
    with database.reading() as session:
        events = session.scalars(select(JobEvent).order_by(JobEvent.number)).all()
        assert following.newest_number(session) == len(events)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.job_id for event in events] == [*job_ids, job_ids[1], job_ids[1]]


def test_a_projects_news_are_its_own_and_pass_over_those_of_others(database: Database) -> None:
    ours = queued_job(database)
    claimed(database, ours)
    theirs = queued_job(database)
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, theirs).project = "theirs"
    with database.reading() as session:
        news = following.project_news(session, DEFAULT_PROJECT, 1)
        assert [(event.job_id, event.kind) for event in news.events] == [(ours, "started")]
        assert news.number == 3
        assert following.project_news(session, DEFAULT_PROJECT, 3).events == ()
        assert following.under_way(session, DEFAULT_PROJECT) == {ours: Place(-1, 2)}
        assert following.under_way(session, Project("theirs")) == {}
        assert following.those_of(session, DEFAULT_PROJECT, [theirs, ours]) == [ours]


def test_a_deleted_job_has_no_situation(database: Database) -> None:
    life = Life(database, random.Random(0))  # noqa: S311
    life.go_on()
    life.end()
    with database.writing() as session:
        removal.delete_job(session, DEFAULT_PROJECT, life.job_id)
    with database.reading() as session:
        assert following.situation(session, life.job_id) is None
        assert following.those_of(session, DEFAULT_PROJECT, [life.job_id]) == []
