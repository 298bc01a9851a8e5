"""What Alembic runs: connects to the service's database and applies or compares the schema."""

from __future__ import annotations

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from infra.database import Database
from infra.settings import Settings
from infra.tables import Base, UtcDateTime


def render_type(kind: str, thing: object, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types as what the database sees: a migration must not change when our code does."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    """Apply the migrations to the database of the settings, or to the one the caller names."""
    url = context.config.get_main_option("sqlalchemy.url") or Settings().resolved_database_url
    database = Database(url)
    with database.writing() as session:
        context.configure(
            connection=session.connection(),
            target_metadata=Base.metadata,
            render_as_batch=True,  # SQLite can alter a table only by copying it
            compare_type=True,
            render_item=render_type,
        )
        with context.begin_transaction():
            context.run_migrations()
    database.close()


run()
