"""Models in the database that nobody has trained, for tests of what is done with their names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain.access.projects import DEFAULT_PROJECT, Project
from domain.models import rows as models
from domain.registry import aliases, rows, versions
from domain.registry.aliases import PointedAt
from domain.registry.history import Author
from infra.database import Database
from infra.ids import new_id
from infra.tables import Job, Model
from tests.support.jobs import queued_job

AUTHOR = Author(key_id="key_1")


def stored_model(database: Database, project: Project = DEFAULT_PROJECT, **values: Any) -> str:  # noqa: ANN401
    """A model that cannot predict; gives its id."""
    job_id = queued_job(database)
    model = Model(
        id=new_id("mdl"),
        project=project,
        job_id=job_id,
        dataset_id=new_id("ds"),
        task="regression",
        network={},
        preprocessing={},
        metrics={},
        iteration=5,
        cost=0.5,
        weights=b"",
        created_at=datetime.now(UTC),
    )
    for name, value in values.items():
        setattr(model, name, value)
    with database.writing() as session:
        session.get_one(Job, job_id).project = project
        models.add(session, model)
    return model.id


def registered(database: Database, name: str, *model_ids: str, project: Project = DEFAULT_PROJECT) -> None:
    """A registered model with these as its versions 1, 2, 3, …"""
    with database.writing() as session:
        made = rows.create(session, project, name, AUTHOR)
        for model_id in model_ids:
            versions.create(session, made, model_id, AUTHOR)


def moved(
    database: Database, name: str, alias: str, number: int, condition: aliases.Condition = aliases.UNCONDITIONAL
) -> PointedAt:
    """Move an alias of the default project."""
    with database.writing() as session:
        there = rows.locked(session, DEFAULT_PROJECT, name)
        return aliases.move(session, there, alias, number, AUTHOR, condition).now
