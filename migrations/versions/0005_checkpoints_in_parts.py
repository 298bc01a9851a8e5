"""checkpoints in parts: a state of hundreds of megabytes is written in many short transactions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoint_parts",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("generation", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_checkpoint_parts_job_id")),
        sa.PrimaryKeyConstraint("job_id", "generation", "number", name=op.f("pk_checkpoint_parts")),
    )
    # As one part each, however large: they are read like any other.
    op.execute(
        "INSERT INTO checkpoint_parts (job_id, generation, number, content)"
        " SELECT job_id, 'before parts', 0, state FROM checkpoints"
    )
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.add_column(sa.Column("generation", sa.String(), nullable=False, server_default="before parts"))
        batch_op.drop_column("state")
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.alter_column("generation", server_default=None)


def downgrade() -> None:
    # A state of several parts does not come back into one value in SQL: such a job begins again.
    op.execute(
        "DELETE FROM checkpoints WHERE EXISTS (SELECT 1 FROM checkpoint_parts AS p WHERE"
        " p.job_id = checkpoints.job_id AND p.generation = checkpoints.generation AND p.number > 0)"
    )
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.LargeBinary(), nullable=True))
    op.execute(
        "UPDATE checkpoints SET state = (SELECT p.content FROM checkpoint_parts AS p WHERE"
        " p.job_id = checkpoints.job_id AND p.generation = checkpoints.generation AND p.number = 0)"
    )
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.alter_column("state", nullable=False)
        batch_op.drop_column("generation")
    op.drop_table("checkpoint_parts")
