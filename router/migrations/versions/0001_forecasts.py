"""Makes the tables that keep the field of forecasts, and how far their stream has been taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "station_forecasts",
        sa.Column("station_id", sa.String(20), primary_key=True),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("network", sa.String(20), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("issue_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("horizon_hours", sa.JSON, nullable=False),
        sa.Column("series", sa.JSON, nullable=False),
    )
    position = op.create_table(
        "forecast_position",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("resume_token", sa.String(200), nullable=False),
        sa.Column("status", sa.JSON, nullable=False),
    )
    op.bulk_insert(position, [{"id": 1, "resume_token": "", "status": {"state": "FRESH"}}])


def downgrade() -> None:
    op.drop_table("forecast_position")
    op.drop_table("station_forecasts")
