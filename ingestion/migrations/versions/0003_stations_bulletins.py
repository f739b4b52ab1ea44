"""Makes the tables of stations, with the places where they have stood, and of bulletins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("station_id", sa.String(20), nullable=False),
        sa.Column("feed", sa.String(20), nullable=False),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("address", sa.String(100), nullable=False),
        sa.Column("latitude", sa.Numeric(10, 8), nullable=False),
        sa.Column("longitude", sa.Numeric(11, 8), nullable=False),
        sa.Column("network", sa.String(20), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True)),
    )
    op.create_index("idx_stations_station_time", "stations", ["station_id", "valid_from"])
    current = sa.text("valid_to IS NULL")
    op.create_index(
        "idx_stations_current",
        "stations",
        ["station_id"],
        unique=True,
        postgresql_where=current,
        sqlite_where=current,
    )
    if op.get_bind().dialect.name == "postgresql" and _postgis():
        op.execute(
            "CREATE INDEX idx_stations_location ON stations"
            " USING GIST (ST_Point(longitude::double precision, latitude::double precision))"
        )
    op.create_table(
        "bulletins",
        sa.Column("issued_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("target_date", sa.Date, primary_key=True),
        sa.Column("pollutant", sa.String(10), primary_key=True),
        sa.Column("grades", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("overall", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )
    op.create_index("idx_bulletins_target_date", "bulletins", ["target_date"])


def downgrade() -> None:
    op.drop_table("bulletins")
    op.drop_table("stations")


def _postgis() -> bool:
    """True when PostGIS is in the database: the first migration installs it where that is allowed."""
    return bool(op.get_bind().scalar(sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")))
