"""how files were read, what is to be said about them, and what has become of their rows in a job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_as", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("remarks", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("row_counts", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "row_counts")  # copying the table would drop what rows of costs and events refer to
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("remarks")
        batch_op.drop_column("read_as")
