"""Makes the table of predictions, the window that they are made from, and the log of their issue."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PARTICLES = sa.Numeric(6, 2)
_GAS = sa.Numeric(8, 4)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("station_id", sa.String(20), nullable=False),
        sa.Column("predicted_at", _TIME, nullable=False),
        sa.Column("prediction_horizon", sa.Integer, nullable=False),
        sa.Column("pm25_prediction", _PARTICLES),
        sa.Column("pm10_prediction", _PARTICLES),
        sa.Column("o3_prediction", _GAS),
        sa.Column("no2_prediction", _GAS),
        sa.Column("confidence_score", sa.Numeric(4, 3)),
        sa.Column("model_version", sa.String(50), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.func.now()),
        sa.Column("pm25_lower", _PARTICLES),
        sa.Column("pm25_upper", _PARTICLES),
        sa.Column("pm10_lower", _PARTICLES),
        sa.Column("pm10_upper", _PARTICLES),
        sa.Column("o3_lower", _GAS),
        sa.Column("o3_upper", _GAS),
        sa.Column("no2_lower", _GAS),
        sa.Column("no2_upper", _GAS),
        sa.UniqueConstraint(
            "station_id", "predicted_at", "prediction_horizon", name="uq_predictions_station_time_horizon"
        ),
    )
    op.create_index("idx_predictions_station_time", "predictions", ["station_id", "predicted_at"])
    op.create_index("idx_predictions_horizon", "predictions", ["prediction_horizon"])
    op.create_table(
        "prediction_stations",
        sa.Column("station_id", sa.String(20), primary_key=True),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("network", sa.String(20), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
    )
    op.create_table(
        "reading_window",
        sa.Column("station_id", sa.String(20), primary_key=True),
        sa.Column("measured_at", _TIME, primary_key=True),
        sa.Column("pm25", sa.Float),
        sa.Column("pm10", sa.Float),
        sa.Column("o3", sa.Float),
        sa.Column("no2", sa.Float),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_index("idx_reading_window_measured_at", "reading_window", ["measured_at"])
    op.create_table(
        "prediction_heads",
        sa.Column("station_id", sa.String(20), primary_key=True),
        sa.Column("issue_time", _TIME, nullable=False),
        sa.Column("newest_measured_at", _TIME),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_index("idx_prediction_heads_sequence", "prediction_heads", ["sequence"], unique=True)
    log = op.create_table(
        "prediction_log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("reading_token", sa.String(200), nullable=False),
    )
    op.bulk_insert(log, [{"id": 1, "epoch": secrets.token_hex(8), "sequence": 0, "reading_token": ""}])


def downgrade() -> None:
    for table in (
        "prediction_log",
        "prediction_heads",
        "reading_window",
        "prediction_stations",
        "predictions",
    ):
        op.drop_table(table)
