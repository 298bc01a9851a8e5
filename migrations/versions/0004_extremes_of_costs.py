"""extremes of costs: where J is least and greatest in blocks of 32, 64, 128, … iterations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SMALLEST_BLOCKS = """
    INSERT INTO cost_extremes (job_id, level, block, least_at, least, greatest_at, greatest)
    SELECT b.job_id, 0, b.block,
           MIN(CASE WHEN c.cost = b.least THEN c.iteration END), b.least,
           MIN(CASE WHEN c.cost = b.greatest THEN c.iteration END), b.greatest
    FROM (
        SELECT job_id, iteration / 32 AS block, MIN(cost) AS least, MAX(cost) AS greatest
        FROM costs GROUP BY job_id, iteration / 32 HAVING COUNT(*) = 32
    ) AS b
    JOIN costs AS c ON c.job_id = b.job_id AND c.iteration >= b.block * 32 AND c.iteration < b.block * 32 + 32
    GROUP BY b.job_id, b.block, b.least, b.greatest
"""
BLOCKS_OF_TWO = """
    INSERT INTO cost_extremes (job_id, level, block, least_at, least, greatest_at, greatest)
    SELECT a.job_id, a.level + 1, a.block / 2,
           CASE WHEN b.least < a.least THEN b.least_at ELSE a.least_at END,
           CASE WHEN b.least < a.least THEN b.least ELSE a.least END,
           CASE WHEN b.greatest > a.greatest THEN b.greatest_at ELSE a.greatest_at END,
           CASE WHEN b.greatest > a.greatest THEN b.greatest ELSE a.greatest END
    FROM cost_extremes AS a
    JOIN cost_extremes AS b ON b.job_id = a.job_id AND b.level = a.level AND b.block = a.block + 1
    WHERE a.level = :level AND a.block % 2 = 0
"""
LEVELS = 26


def upgrade() -> None:
    op.create_table(
        "cost_extremes",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("least_at", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.Column("greatest_at", sa.BigInteger(), nullable=False),
        sa.Column("greatest", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_cost_extremes_job_id")),
        sa.PrimaryKeyConstraint("job_id", "level", "block", name=op.f("pk_cost_extremes")),
        sqlite_with_rowid=False,
    )
    op.execute(SMALLEST_BLOCKS)
    for level in range(LEVELS - 1):
        op.execute(sa.text(BLOCKS_OF_TWO).bindparams(level=level))


def downgrade() -> None:
    op.drop_table("cost_extremes")
