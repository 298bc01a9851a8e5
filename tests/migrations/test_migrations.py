"""The migrations build exactly the schema that the code uses, and can be taken back, on both databases."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, inspect

from infra.tables import Table
from migrations.commands import configuration


def test_migrated_schema_is_the_one_the_code_declares(database_url: str) -> None:
    command.check(configuration(database_url))


def test_downgrade_removes_everything_and_upgrade_brings_it_back(database_url: str) -> None:
    config = configuration(database_url)
    command.downgrade(config, "base")
    assert _tables(database_url) == {"alembic_version"}
    command.upgrade(config, "head")
    assert _tables(database_url) == {"alembic_version", *Table.metadata.tables}
    command.check(config)


def _tables(database_url: str) -> set[str]:
    engine = create_engine(database_url)
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    return tables
