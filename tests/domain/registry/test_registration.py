from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Outcome, TargetCoding
from backprop_client.wire.registration import ComparableMetric, IfBetter, Registered, Registration
from domain.access.projects import DEFAULT_PROJECT
from domain.models import rows as models
from domain.registry import aliases, rows
from domain.registry.comparing import BETTER, OF_TASK, is_better, value_of
from domain.registry.history import list_events
from domain.registry.registration import register
from infra.database import Database
from infra.tables import Model
from tests.support.registry import moved, registered, stored_model

ASKED = Registration(name="digits", alias="production")
BY_RMSE = Registration(name="digits", alias="production", if_better=IfBetter(metric="rmse"))


def ended(database: Database, asked: Registration, rmse: float | None = None, **values: Any) -> Registered:  # noqa: ANN401
    """Register a model as a job that ends does."""
    held_out = {"rmse": {"y": rmse}}
    model_id = stored_model(database, **{"metrics": {"training": {}, "held_out": held_out}, **values})
    with database.writing() as session:
        return register(session, models.get(session, DEFAULT_PROJECT, model_id), asked)


def production(database: Database) -> int:
    with database.reading() as session:
        there = rows.get(session, DEFAULT_PROJECT, "digits")
        return aliases.get(session, there, "production").version.number


def test_the_name_and_the_alias_are_made_where_there_are_none_and_the_history_names_the_job(
    database: Database,
) -> None:
    first = ended(database, Registration(name="digits"))
    assert (first.version, first.alias_taken) == (1, None)
    second = ended(database, BY_RMSE)  # nothing to be better than
    assert (second.version, second.alias_taken, production(database)) == (2, True, 2)
    third = ended(database, ASKED)
    assert (third.version, third.alias_taken, production(database)) == (3, True, 3)
    with database.reading() as session:
        events = list_events(session, DEFAULT_PROJECT, "digits", 0, 100).rows
    assert [(each.kind, each.from_version, each.to_version) for each in events] == [
        ("created", None, None),
        ("version_created", None, 1),
        ("version_created", None, 2),
        ("alias_moved", None, 2),
        ("version_created", None, 3),
        ("alias_moved", 2, 3),
    ]
    assert all(each.job_id is not None and each.key_id is None for each in events)
    assert events[2].job_id == events[3].job_id != events[1].job_id


@pytest.mark.parametrize(
    ("old", "new", "taken", "said"),
    [
        (0.5, 0.4, True, "0.4, which is better than 0.5"),
        (0.5, 0.6, False, "0.6, which is not better than 0.5"),
        (0.5, 0.5, False, "not better"),
        (0.5, None, False, "the new model's rmse on the held-out rows is not known"),
        (None, 0.5, False, "that version's rmse on the held-out rows is not known"),
    ],
)
def test_only_a_better_model_takes_the_alias(
    database: Database, old: float | None, new: float | None, taken: bool, said: str
) -> None:
    ended(database, ASKED, old)
    came = ended(database, BY_RMSE, new)
    assert (came.version, came.alias_taken, production(database)) == (2, taken, 2 if taken else 1)
    assert said in came.reason


@pytest.mark.parametrize(
    "metrics",
    [
        {"training": {"rmse": {"y": 9.0}}, "held_out": None},
        {"training": {}, "held_out": {"accuracy": 0.5}},
        {"training": {}, "held_out": {"rmse": {"y": 9.0, "z": 9.0}}},
    ],
)
def test_a_model_that_cannot_be_compared_keeps_its_alias(database: Database, metrics: dict[str, Any]) -> None:
    registered(database, "digits", stored_model(database, metrics=metrics))
    moved(database, "digits", "production", 1)
    assert ended(database, BY_RMSE, 0.1).alias_taken is False
    assert ended(database, BY_RMSE, 0.1, task="classification").alias_taken is False


def test_every_metric_says_that_a_perfect_model_is_better_than_a_bad_one() -> None:
    rng = np.random.default_rng(0)
    labels = ClassCoding("y", ("a", "b"), (0.0, 1.0))
    yes = np.tile([[0.0], [1.0]], (20, 1))
    numbers = NumberCoding(("p",), Scaler.identity(1))
    Y = rng.random((40, 1))
    cases: dict[str, tuple[TargetCoding, Outcome, Outcome]] = {
        "classification": (
            labels,
            Outcome(yes, yes),
            Outcome(yes, np.where(rng.random(yes.shape) < 0.7, 1 - yes, yes)),
        ),
        "regression": (numbers, Outcome(Y, Y), Outcome(Y, Y[::-1])),
    }
    compared: set[str] = set()
    for task, (coding, perfect, bad) in cases.items():
        for metric in OF_TASK[task]:
            by = IfBetter(metric=metric, split="training")
            good, poor = (
                value_of(Model(task=task, metrics={"training": coding.metrics([outcome])}), by)
                for outcome in (perfect, bad)
            )
            assert good is not None
            assert poor is not None
            assert is_better(good, poor, metric)
            assert not is_better(poor, good, metric)
            assert not is_better(good, good, metric)
            compared.add(metric)
    assert compared == set(BETTER) == set(get_args(ComparableMetric))
