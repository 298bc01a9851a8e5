"""events of jobs: every step of a job's life, written in the transaction that takes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from infra.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_events",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_status", sa.String(), nullable=True),
        sa.Column("to_status", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_events_job_id")),
        sa.PrimaryKeyConstraint("job_id", "sequence", name=op.f("pk_job_events")),
    )
    # What is known of the jobs that are there: that they came. The rest of their past was never written down.
    op.execute(
        "INSERT INTO job_events (job_id, sequence, kind, from_status, to_status, at, attempt, reason)"
        " SELECT id, 1, 'submitted', NULL, 'queued', created_at, 0, NULL FROM jobs"
    )


def downgrade() -> None:
    op.drop_table("job_events")
