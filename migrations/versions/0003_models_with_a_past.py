"""models with a past: several of one job, and which one a model's training went on from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("from_model_id", sa.String(), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_models_job_id"), type_="unique")
        batch_op.create_index(batch_op.f("ix_models_job_id"), ["job_id"], unique=False)


def downgrade() -> None:
    # A job could have one model only: the newest, which is the one that it names.
    op.execute("DELETE FROM models WHERE id NOT IN (SELECT model_id FROM jobs WHERE model_id IS NOT NULL)")
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_models_job_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_models_job_id"), ["job_id"])
        batch_op.drop_column("from_model_id")
