"""Bring a database to the newest schema, from wherever the package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is loaded where it is needed: with its templates it takes 0.3 s, and every command of `backprop`, every worker
# and every API would wait for it, of which few migrate.


def configuration(database_url: str) -> Config:
    """Alembic's configuration for that database."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade(database_url: str) -> None:
    """Apply every migration that the database does not have yet."""
    from alembic import command

    command.upgrade(configuration(database_url), "head")
