"""Makes the tables of the schedule: runs, the fences that keep them apart, and requests counted against quotas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collection_fences",
        sa.Column("feed", sa.String(20), primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "collection_runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("feed", sa.String(20), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True)),
        sa.Column("token", sa.BigInteger),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("new_count", sa.Integer, nullable=False),
        sa.Column("corrected_count", sa.Integer, nullable=False),
        sa.Column("unchanged_count", sa.Integer, nullable=False),
        sa.Column("rejected_count", sa.Integer, nullable=False),
        sa.Column("error_code", sa.String(60)),
    )
    op.create_index("idx_collection_runs_feed_started", "collection_runs", ["feed", "started_at"])
    op.create_index("idx_collection_runs_feed_slot", "collection_runs", ["feed", "slot"])
    op.create_table(
        "request_quota",
        sa.Column("service", sa.String(60), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("used", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("request_quota")
    op.drop_table("collection_runs")
    op.drop_table("collection_fences")
