"""Makes the tables of weather, observed and forecast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "weather_observations",
        sa.Column("nx", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ny", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), primary_key=True),
        *_conditions(),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )
    op.create_table(
        "weather_forecasts",
        sa.Column("nx", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ny", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("product", sa.String(20), primary_key=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("valid_at", sa.DateTime(timezone=True), primary_key=True),
        *_conditions(),
        sa.Column("sky", sa.String(20)),
        sa.Column("precipitation_probability", sa.Numeric(6, 2)),
        sa.Column("snow_amount", sa.Numeric(6, 2)),
        sa.Column("snow_text", sa.String(40)),
        sa.Column("wave_height", sa.Numeric(6, 2)),
        sa.Column("day_minimum", sa.Numeric(6, 2)),
        sa.Column("day_maximum", sa.Numeric(6, 2)),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )
    op.create_index("idx_weather_forecasts_valid", "weather_forecasts", ["nx", "ny", "valid_at", "issued_at"])
    op.create_index("idx_weather_forecasts_issued_at", "weather_forecasts", ["issued_at"])


def downgrade() -> None:
    op.drop_table("weather_forecasts")
    op.drop_table("weather_observations")


def _conditions() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("temperature", sa.Numeric(6, 2)),
        sa.Column("humidity", sa.Numeric(6, 2)),
        sa.Column("precipitation", sa.String(20)),
        sa.Column("precipitation_amount", sa.Numeric(6, 2)),
        sa.Column("precipitation_text", sa.String(40)),
        sa.Column("wind_east", sa.Numeric(6, 2)),
        sa.Column("wind_north", sa.Numeric(6, 2)),
        sa.Column("wind_direction", sa.Numeric(6, 2)),
        sa.Column("wind_speed", sa.Numeric(6, 2)),
    )
