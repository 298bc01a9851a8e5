"""order of events: their numbers among those of all jobs, and how far each job had come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_events", sa.Column("iteration", sa.BigInteger(), nullable=True))
    op.add_column("job_events", sa.Column("number", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE job_events SET number = numbered.number FROM"
        " (SELECT job_id, sequence, row_number() OVER (ORDER BY at, job_id, sequence) AS number FROM job_events)"
        " AS numbered WHERE numbered.job_id = job_events.job_id AND numbered.sequence = job_events.sequence"
    )
    # How far a job had come is known of its end only, if that was the last event.
    op.execute(
        "UPDATE job_events SET iteration = jobs.iteration FROM jobs"
        " WHERE jobs.id = job_events.job_id AND jobs.finished_at IS NOT NULL AND job_events.sequence ="
        " (SELECT max(others.sequence) FROM job_events AS others WHERE others.job_id = job_events.job_id)"
    )
    with op.batch_alter_table("job_events") as batch_op:
        batch_op.alter_column("number", existing_type=sa.BigInteger(), nullable=False)
    op.create_index(op.f("ix_job_events_number"), "job_events", ["number"], unique=True)
    op.create_table(
        "event_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_number")),
    )
    op.execute("INSERT INTO event_number (id, newest) SELECT 1, coalesce(max(number), 0) FROM job_events")


def downgrade() -> None:
    op.drop_table("event_number")
    op.drop_index(op.f("ix_job_events_number"), "job_events")
    op.drop_column("job_events", "number")
    op.drop_column("job_events", "iteration")
