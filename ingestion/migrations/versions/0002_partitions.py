"""Adds verdicts; on PostgreSQL, parts the readings by month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VERDICTS = ("pm25_verdict", "pm10_verdict", "o3_verdict", "no2_verdict", "co_verdict", "so2_verdict")


def upgrade() -> None:
    for name in _VERDICTS:
        op.add_column("air_quality_readings", sa.Column(name, sa.Integer))
    op.drop_index("idx_air_quality_sequence", "air_quality_readings")
    if op.get_bind().dialect.name == "postgresql":
        _part_by_month()
    op.create_index("idx_air_quality_sequence", "air_quality_readings", ["sequence", "measured_at"], unique=True)


def downgrade() -> None:
    op.drop_index("idx_air_quality_sequence", "air_quality_readings")
    if op.get_bind().dialect.name == "postgresql":
        _join_months()
    op.create_index("idx_air_quality_sequence", "air_quality_readings", ["sequence"], unique=True)
    for name in _VERDICTS:
        op.drop_column("air_quality_readings", name)


def _part_by_month() -> None:
    _make_anew("PARTITION BY RANGE (measured_at)", "(id, measured_at)")
    # Once, for what is there; from now on the server makes them ahead.
    op.execute(
        """
        DO $$
        DECLARE month timestamp;
        BEGIN
            FOR month IN
                SELECT DISTINCT date_trunc('month', measured_at AT TIME ZONE 'UTC') FROM unparted_readings
            LOOP
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF air_quality_readings FOR VALUES FROM (%L) TO (%L)',
                    'air_quality_readings_' || to_char(month, 'YYYY_MM'),
                    month::text || '+00', (month + interval '1 month')::text || '+00'
                );
            END LOOP;
        END $$
        """
    )
    _move()


def _join_months() -> None:
    _make_anew("", "(id)")
    _move()


def _make_anew(clause: str, key: str) -> None:
    """The table again, with its indexes but the one on the sequence; the old one under another name, without any."""
    op.execute("ALTER TABLE air_quality_readings RENAME TO unparted_readings")
    op.execute("ALTER TABLE unparted_readings DROP CONSTRAINT air_quality_readings_pkey")
    op.drop_index("idx_air_quality_station_time", "unparted_readings")
    op.drop_index("idx_air_quality_measured_at", "unparted_readings")
    op.execute("DROP INDEX IF EXISTS idx_air_quality_location")
    op.execute(f"CREATE TABLE air_quality_readings (LIKE unparted_readings INCLUDING DEFAULTS) {clause}")
    op.execute(f"ALTER TABLE air_quality_readings ADD CONSTRAINT air_quality_readings_pkey PRIMARY KEY {key}")
    op.execute("ALTER SEQUENCE air_quality_readings_id_seq OWNED BY air_quality_readings.id")
    op.create_index("idx_air_quality_station_time", "air_quality_readings", ["station_id", "measured_at"], unique=True)
    op.create_index("idx_air_quality_measured_at", "air_quality_readings", ["measured_at"])
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")):
        op.execute(
            "CREATE INDEX idx_air_quality_location ON air_quality_readings"
            " USING GIST (ST_Point(longitude::double precision, latitude::double precision))"
        )


def _move() -> None:
    op.execute("INSERT INTO air_quality_readings SELECT * FROM unparted_readings")
    op.execute("DROP TABLE unparted_readings")
