"""captions: names, tags and notes; what is removed bit by bit; curves that were thinned; metrics that lists show."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

from infra.tables import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CAPTIONED = ("datasets", "jobs", "models")
NOT_LISTED = ("confusion_matrix", "roc_curve", "reliability_curve")

DATASETS = sa.table("datasets", *map(sa.column, ("id", "name")))
JOBS = sa.table("jobs", *map(sa.column, ("id", "removed_at")))
SEARCHED_TEXTS = sa.table("searched_texts", *map(sa.column, ("thing_id", "project", "text")))
MODELS = sa.table(
    "models",
    sa.column("id", sa.String),
    sa.column("metrics", sa.JSON),
    sa.column("listed_metrics", sa.JSON),
)


def upgrade() -> None:
    op.create_table(
        "taggings",
        sa.Column("thing_id", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("thing_id", "tag", name=op.f("pk_taggings")),
    )
    op.create_index(op.f("ix_taggings_project_tag_thing_id"), "taggings", ["project", "tag", "thing_id"])
    op.create_table(
        "searched_texts",
        sa.Column("thing_id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("thing_id", name=op.f("pk_searched_texts")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_searched_texts_project"), "searched_texts", ["project"])
    op.create_table(
        "artifact_removals",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_artifact_removals")),
    )
    for table in CAPTIONED:
        # Added in place: copying a table, as SQLite needs for most changes, would break the keys that refer to it.
        op.add_column(table, sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
        op.add_column(table, sa.Column("note", sa.Text(), nullable=True))
        if table != "datasets":
            op.add_column(table, sa.Column("name", sa.String(), nullable=True))
        op.create_index(op.f(f"ix_{table}_project_name_id"), table, ["project", "name", "id"])
    op.add_column("jobs", sa.Column("thinned_before", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("removed_at", UtcDateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_jobs_removed_at"), "jobs", ["removed_at"])
    op.create_index(op.f("ix_jobs_project_removed_at_id"), "jobs", ["project", "removed_at", "id"])
    op.drop_index(op.f("ix_jobs_project_id"), "jobs")
    op.create_index(op.f("ix_models_dataset_id"), "models", ["dataset_id"])
    op.add_column("models", sa.Column("listed_metrics", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("predictions") as batch_op:
        batch_op.drop_constraint(op.f("fk_predictions_model_id"), type_="foreignkey")
    connection = op.get_bind()
    _compose_names(connection)
    for table in CAPTIONED:
        _make_searchable(connection, table)
    for model_id in connection.scalars(sa.select(MODELS.c.id)).all():
        metrics = connection.execute(sa.select(MODELS.c.metrics).where(MODELS.c.id == model_id)).scalar_one()
        listed = {name: _listed(part) for name, part in metrics.items()}
        connection.execute(sa.update(MODELS).where(MODELS.c.id == model_id).values(listed_metrics=listed))


def downgrade() -> None:
    # Predictions whose model has been deleted cannot be told any more.
    op.execute("DELETE FROM predictions WHERE model_id NOT IN (SELECT id FROM models)")
    with op.batch_alter_table("predictions") as batch_op:
        batch_op.create_foreign_key(op.f("fk_predictions_model_id"), "models", ["model_id"], ["id"])
    # Of the jobs that have been deleted, those go that no model needs. The others cannot be hidden any more.
    removed = sa.select(JOBS.c.id).where(JOBS.c.removed_at.is_not(None))
    for name in ("costs", "cost_extremes", "checkpoint_parts", "checkpoints", "job_events"):
        rows = sa.table(name, sa.column("job_id"))
        op.execute(sa.delete(rows).where(rows.c.job_id.in_(removed)))
    op.execute("DELETE FROM jobs WHERE removed_at IS NOT NULL AND id NOT IN (SELECT job_id FROM models)")
    op.drop_column("models", "listed_metrics")
    op.drop_index(op.f("ix_models_dataset_id"), "models")
    op.create_index(op.f("ix_jobs_project_id"), "jobs", ["project", "id"])
    op.drop_index(op.f("ix_jobs_project_removed_at_id"), "jobs")
    op.drop_index(op.f("ix_jobs_removed_at"), "jobs")
    op.drop_column("jobs", "removed_at")
    op.drop_column("jobs", "thinned_before")
    for table in CAPTIONED:
        op.drop_index(op.f(f"ix_{table}_project_name_id"), table)
        for column in ("tags", "note", *(("name",) if table != "datasets" else ())):
            op.drop_column(table, column)
    op.drop_table("artifact_removals")
    op.drop_table("searched_texts")
    op.drop_table("taggings")


def _compose_names(connection: sa.Connection) -> None:
    """Those that files of a Mac gave are in Unicode's form NFD, and a filter by name has NFC."""
    for each in connection.execute(sa.select(DATASETS.c.id, DATASETS.c.name)).all():
        name = unicodedata.normalize("NFC", each.name)
        if name != each.name:
            connection.execute(sa.update(DATASETS).where(DATASETS.c.id == each.id).values(name=name))


def _make_searchable(connection: sa.Connection, table: str) -> None:
    """What is there is found by its id and its name, in which upper and lower case are the same."""
    columns = sa.table(table, *map(sa.column, ("id", "project", "name"))).c
    things = connection.execute(sa.select(columns.id, columns.project, columns.name)).all()
    rows = [{"thing_id": each.id, "project": each.project, "text": _text(each.id, each.name)} for each in things]
    if rows:
        connection.execute(sa.insert(SEARCHED_TEXTS), rows)


def _text(thing_id: str, name: str | None) -> str:
    text = unicodedata.normalize("NFC", f"{thing_id}\n{name or ''}\n")
    return unicodedata.normalize("NFC", text.casefold())


def _listed(part: dict[str, Any] | None) -> dict[str, Any] | None:
    """The metrics of some rows, or those of the trivial model, without those of many values."""
    if part is None:
        return None
    return {
        name: _listed(value) if name in ("training", "held_out") else value
        for name, value in part.items()
        if name not in NOT_LISTED
    }
