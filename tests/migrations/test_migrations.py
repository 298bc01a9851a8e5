"""The migrations build exactly the schema that the code uses, and can be taken back, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from alembic import command
from sqlalchemy import create_engine, inspect, select, text

from backprop.training import Record
from domain.access.projects import DEFAULT_PROJECT
from domain.captions import Wanted
from domain.datasets import rows as datasets
from domain.jobs import costs
from domain.jobs import rows as jobs
from domain.models import rows as models
from infra.database import Database
from infra.tables import Base, CostRow, Job
from migrations.commands import configuration
from tests.support.jobs import queued_job

OLD_JOB = """
    INSERT INTO jobs (id, dataset_id, spec, status, iterations, attempt, crashes, cancel_requested, model_id,
                      created_at, updated_at)
    VALUES ('job_1', 'ds_1', '{}', 'succeeded', 5, 1, 0, false, 'mdl_1', :now, :now)
"""
OLD_MODEL = """
    INSERT INTO models (id, job_id, dataset_id, task, network, preprocessing, metrics, iteration, cost, weights,
                        created_at)
    VALUES ('mdl_1', 'job_1', 'ds_1', 'regression', '{}', '{}', '{}', 5, 0.5, :weights, :now)
"""
SECOND_MODEL = """
    INSERT INTO models (id, job_id, from_model_id, dataset_id, task, network, preprocessing, metrics, iteration, cost,
                        weights, created_at)
    SELECT 'mdl_2', job_id, id, dataset_id, task, network, preprocessing, metrics, 9, cost, :weights, created_at
    FROM models
"""


def test_migrated_schema_is_the_one_the_code_declares(database_url: str) -> None:
    command.check(configuration(database_url))


def test_downgrade_removes_everything_and_upgrade_brings_it_back(database_url: str) -> None:
    config = configuration(database_url)
    command.downgrade(config, "base")
    assert _tables(database_url) == {"alembic_version"}
    command.upgrade(config, "head")
    assert _tables(database_url) == {"alembic_version", *Base.metadata.tables}
    command.check(config)


def test_what_was_there_before_projects_is_in_the_default_one(database_url: str) -> None:
    config = configuration(database_url)
    command.downgrade(config, "0001")
    _execute(
        database_url,
        "INSERT INTO datasets (id, name, format, filename, bytes, sha256, rows, columns, artifact, created_at)"
        " VALUES ('ds_1', 'n', 'csv', 'f', 1, 'x', 1, '[]', 'a', '2026-01-01')",
        "INSERT INTO networks (id, name, spec, created_at) VALUES ('net_1', 'n', '{}', '2026-01-01')",
        "INSERT INTO jobs (id, dataset_id, spec, status, iterations, attempt, crashes, cancel_requested, created_at,"
        " updated_at) VALUES ('job_1', 'ds_1', '{}', 'queued', 1, 0, 0, false, '2026-01-01', '2026-01-01')",
        "INSERT INTO costs (job_id, iteration, cost, data_cost, decay_cost, sparsity_cost, evaluations)"
        " VALUES ('job_1', 0, 1, 1, 0, 0, 1)",
        "INSERT INTO models (id, job_id, dataset_id, task, network, preprocessing, metrics, iteration, cost, weights,"
        " created_at) VALUES ('mdl_1', 'job_1', 'ds_1', 't', '{}', '{}', '{}', 0, 1, '', '2026-01-01')",
    )
    command.upgrade(config, "head")
    command.check(config)
    for table in ("datasets", "networks", "jobs", "models"):
        assert _execute(database_url, f"SELECT project FROM {table}") == [("default",)]
    assert _execute(database_url, "SELECT count(*) FROM costs") == [(1,)]


def _execute(database_url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run these; gives the rows of the last one, if it has any."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        rows = [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    engine.dispose()
    return rows


def _tables(database_url: str) -> set[str]:
    engine = create_engine(database_url)
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    return tables


def test_models_keep_their_weights_through_the_migration_to_several_a_job_and_back(database_url: str) -> None:
    config = configuration(database_url)
    engine = create_engine(database_url)
    command.downgrade(config, "0001")
    with engine.begin() as connection:
        for statement in (OLD_JOB, OLD_MODEL):
            connection.execute(text(statement), {"now": datetime.now(UTC), "weights": b"first"})
    command.upgrade(config, "head")
    with engine.begin() as connection:
        connection.execute(text(SECOND_MODEL), {"weights": b"second"})
        connection.execute(text("UPDATE jobs SET model_id = 'mdl_2'"))
        rows = connection.execute(text("SELECT id, weights, from_model_id FROM models ORDER BY id")).all()
    assert [(name, bytes(weights), origin) for name, weights, origin in rows] == [
        ("mdl_1", b"first", None),
        ("mdl_2", b"second", "mdl_1"),
    ]
    command.downgrade(config, "0001")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT id FROM models")).scalars().all() == ["mdl_2"]
    engine.dispose()
    command.upgrade(config, "head")


def test_what_was_there_before_captions_is_found_and_listed(database_url: str, database: Database) -> None:
    config = configuration(database_url)
    command.downgrade(config, "0011")
    metrics = '{"training": {"rows": 1, "roc_curve": []}, "held_out": null, "trivial": {"training": {"roc_curve": 2}}}'
    _execute(
        database_url,
        "INSERT INTO datasets (id, project, name, format, filename, bytes, sha256, rows, columns, artifact, created_at)"
        " VALUES ('ds_1', 'default', 'U\u0308ber', 'csv', 'f', 1, 'x', 1, '[]', 'a', '2026-01-01')",
        "INSERT INTO jobs (id, project, dataset_id, spec, status, iterations, attempt, crashes, cancel_requested,"
        " created_at, updated_at) VALUES ('job_1', 'default', 'ds_1', '{}', 'failed', 1, 0, 0, false, '2026-01-01',"
        " '2026-01-01')",
        "INSERT INTO models (id, project, job_id, dataset_id, task, network, preprocessing, metrics, iteration, cost,"
        " weights, created_at) VALUES ('mdl_1', 'default', 'job_1', 'ds_1', 't', '{}', '{}', "
        f"'{metrics}', 0, 1, '', '2026-01-01')",
    )
    command.upgrade(config, "head")
    with database.reading() as session:
        assert len(datasets.list_page(session, DEFAULT_PROJECT, None, 9, Wanted(name="Über")).rows) == 1
        for text in ("ÜBER", "_1"):
            wanted = Wanted(text=text)
            assert [each.id for each in jobs.list_page(session, DEFAULT_PROJECT, None, 9, wanted=wanted).rows] == [
                "job_1"
            ]
            (model,) = models.list_page(session, DEFAULT_PROJECT, None, 9, wanted).rows
            assert model.listed_metrics == {"training": {"rows": 1}, "held_out": None, "trivial": {"training": {}}}


def test_a_deleted_job_does_not_come_back_when_captions_are_taken_back(database_url: str, database: Database) -> None:
    deleted, kept = (queued_job(database) for _ in range(2))
    with database.writing() as session:
        costs.add(session, deleted, [Record(k, 1.0, 1.0, 0.0) for k in range(40)])
        session.get_one(Job, deleted).removed_at = datetime.now(UTC)
    config = configuration(database_url)
    command.downgrade(config, "0011")
    command.upgrade(config, "head")
    with database.reading() as session:
        assert session.scalars(select(Job.id)).all() == [kept]
        assert session.scalars(select(CostRow.job_id)).all() == []


def test_costs_that_are_there_get_their_extremes(database_url: str, database: Database) -> None:
    ids = [queued_job(database) for _ in range(2)]
    rng = np.random.default_rng(5)
    with database.writing() as session:
        for job_id, count in zip(ids, (1_100, 33), strict=True):
            J = rng.integers(0, 9, count) / 4  # so that there are equal ones
            costs.add(session, job_id, [Record(k, cost, cost, 0.0) for k, cost in enumerate(J.tolist())])
    recorded = _rows(database_url, "cost_extremes")
    config = configuration(database_url)
    command.downgrade(config, "0003")
    command.upgrade(config, "head")
    assert len(recorded) == 34 + 17 + 8 + 4 + 2 + 1 + 1
    assert _rows(database_url, "cost_extremes") == recorded


def _rows(database_url: str, table: str) -> set[tuple[object, ...]]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = {tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))}
    engine.dispose()
    return rows
