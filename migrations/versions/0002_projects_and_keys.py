"""projects, keys and idempotency records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OWNED = ("datasets", "networks", "jobs", "models")


def upgrade() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("secret_sha256", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
    )
    op.create_table(
        "idempotency_records",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "key", name=op.f("pk_idempotency_records")),
    )
    op.create_index(op.f("ix_idempotency_records_expires_at"), "idempotency_records", ["expires_at"])
    for table in OWNED:
        # Added in place: copying a table, as SQLite needs for most changes, would break the keys that refer to it.
        op.add_column(table, sa.Column("project", sa.String(), nullable=False, server_default="default"))
        op.create_index(op.f(f"ix_{table}_project_id"), table, ["project", "id"])
    op.create_index(op.f("ix_jobs_project_status"), "jobs", ["project", "status"])


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_project_status"), "jobs")
    for table in OWNED:
        op.drop_index(op.f(f"ix_{table}_project_id"), table)
        op.drop_column(table, "project")
    op.drop_table("idempotency_records")
    op.drop_table("keys")
