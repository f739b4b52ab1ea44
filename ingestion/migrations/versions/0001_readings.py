"""Makes the table of readings and the log of their changes."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "air_quality_readings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("station_id", sa.String(20), nullable=False),
        sa.Column("station_name", sa.String(100), nullable=False),
        sa.Column("latitude", sa.Numeric(10, 8), nullable=False),
        sa.Column("longitude", sa.Numeric(11, 8), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pm25", sa.Numeric(6, 2)),
        sa.Column("pm10", sa.Numeric(6, 2)),
        sa.Column("o3", sa.Numeric(8, 4)),
        sa.Column("no2", sa.Numeric(8, 4)),
        sa.Column("co", sa.Numeric(8, 4)),
        sa.Column("so2", sa.Numeric(8, 4)),
        sa.Column("air_quality_index", sa.Integer),
        sa.Column("grade", sa.String(20)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("network", sa.String(20), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("flags", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_index("idx_air_quality_station_time", "air_quality_readings", ["station_id", "measured_at"], unique=True)
    op.create_index("idx_air_quality_measured_at", "air_quality_readings", ["measured_at"])
    op.create_index("idx_air_quality_sequence", "air_quality_readings", ["sequence"], unique=True)
    if op.get_bind().dialect.name == "postgresql" and _postgis():
        # GIST (ST_Point(longitude, latitude)), with the casts that the function's index form asks for.
        op.execute(
            "CREATE INDEX idx_air_quality_location ON air_quality_readings"
            " USING GIST (ST_Point(longitude::double precision, latitude::double precision))"
        )
    log = op.create_table(
        "reading_log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(log, [{"id": 1, "epoch": secrets.token_hex(8), "sequence": 0}])


def downgrade() -> None:
    op.drop_table("reading_log")
    op.drop_table("air_quality_readings")


def _postgis() -> bool:
    """True when PostGIS is in the database; it is installed where that is allowed."""
    connection = op.get_bind()
    installed = sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")
    allowed = sa.text(
        "SELECT count(*) FROM pg_available_extensions, pg_roles"
        " WHERE name = 'postgis' AND rolname = current_user AND rolsuper"
    )
    if connection.scalar(installed):
        return True
    if not connection.scalar(allowed):
        return False
    op.execute("CREATE EXTENSION postgis")
    return True
