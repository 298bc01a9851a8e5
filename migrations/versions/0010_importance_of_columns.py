"""importance of columns: how much a model needs each of its inputs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("importance", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "importance")
