"""Makes room for means, CO and SO2, the registry of models, and what matured forecasts teach."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PARTICLES = sa.Numeric(6, 2)
_GAS = sa.Numeric(8, 4)
_TIME = sa.DateTime(timezone=True)
_MEANS = {"pm25_mean": _PARTICLES, "pm10_mean": _PARTICLES, "o3_mean": _GAS, "no2_mean": _GAS}
_TABLES = ("forecast_scores", "pending_forecasts", "calibrations", "model_aliases", "models")


def upgrade() -> None:
    for name, kind in _MEANS.items():
        op.add_column("predictions", sa.Column(name, kind))
    for name in ("co", "so2"):
        op.add_column("reading_window", sa.Column(name, sa.Float))
    op.add_column("prediction_heads", sa.Column("limitations", sa.String(200), nullable=False, server_default=""))
    for table in ("reading_window", "prediction_log"):
        op.add_column(table, sa.Column("generation", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("idx_reading_window_generation", "reading_window", ["generation"])
    op.create_table(
        "models",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(50), nullable=False, unique=True),
        sa.Column("family", sa.String(50), nullable=False),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("registered_at", _TIME, nullable=False),
    )
    op.create_table(
        "model_aliases",
        sa.Column("alias", sa.String(20), primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("models.sha256"), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
    )
    op.create_table(
        "calibrations",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("learned_until", _TIME, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pending_forecasts",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("issue_time", _TIME, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "forecast_scores",
        sa.Column("version", sa.String(50), primary_key=True),
        sa.Column("station_id", sa.String(20), primary_key=True),
        sa.Column("day", _TIME, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("idx_forecast_scores_day", "forecast_scores", ["day"])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("idx_reading_window_generation", "reading_window")
    for table, names in {
        "prediction_heads": ("limitations",),
        "prediction_log": ("generation",),
        "reading_window": ("co", "so2", "generation"),
        "predictions": tuple(_MEANS),
    }.items():
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.drop_column(name)
