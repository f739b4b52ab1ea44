"""The tables of the predictor."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    func,
)

from mesh.columns import UtcTime


def _particles(name: str) -> Column[float]:
    return Column(name, Numeric(6, 2, asdecimal=False))


def _gas(name: str) -> Column[float]:
    # Gases are in ppm: two decimals would make nothing of 0.004.
    return Column(name, Numeric(8, 4, asdecimal=False))


metadata: Final = MetaData()

predictions: Final = Table(
    "predictions",
    metadata,
    # Hourly forecasts of a country, an upsert at each, would use up 32 bits within years.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("station_id", String(20), nullable=False),
    Column("predicted_at", UtcTime, nullable=False),
    Column("prediction_horizon", Integer, nullable=False),
    _particles("pm25_prediction"),
    _particles("pm10_prediction"),
    _gas("o3_prediction"),
    _gas("no2_prediction"),
    Column("confidence_score", Numeric(4, 3, asdecimal=False)),
    Column("model_version", String(50), nullable=False),
    Column("created_at", UtcTime, server_default=func.now()),
    _particles("pm25_lower"),
    _particles("pm25_upper"),
    _particles("pm10_lower"),
    _particles("pm10_upper"),
    _gas("o3_lower"),
    _gas("o3_upper"),
    _gas("no2_lower"),
    _gas("no2_upper"),
    _particles("pm25_mean"),
    _particles("pm10_mean"),
    _gas("o3_mean"),
    _gas("no2_mean"),
    UniqueConstraint("station_id", "predicted_at", "prediction_horizon", name="uq_predictions_station_time_horizon"),
    Index("idx_predictions_station_time", "station_id", "predicted_at"),
    Index("idx_predictions_horizon", "prediction_horizon"),
)
"""Forecasts. `predicted_at` is the issue time, the prediction the median, lower and upper the 10 and 90 % quantiles.

Rows of before means were kept have none.
"""

prediction_stations: Final = Table(
    "prediction_stations",
    metadata,
    Column("station_id", String(20), primary_key=True),
    Column("display_name", String(100), nullable=False),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("network", String(20), nullable=False),
    Column("simulated", Boolean, nullable=False),
)
"""The stations that have reported, as their newest reading described them."""

reading_window: Final = Table(
    "reading_window",
    metadata,
    Column("station_id", String(20), primary_key=True),
    Column("measured_at", UtcTime, primary_key=True),
    Column("pm25", Float),
    Column("pm10", Float),
    Column("o3", Float),
    Column("no2", Float),
    Column("co", Float),
    Column("so2", Float),
    Column("revision", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False, server_default="0"),
    Index("idx_reading_window_measured_at", "measured_at"),
    Index("idx_reading_window_generation", "generation"),
)
"""The readings that forecasts are made from: the last hours of every station."""

prediction_heads: Final = Table(
    "prediction_heads",
    metadata,
    Column("station_id", String(20), primary_key=True),
    Column("issue_time", UtcTime, nullable=False),
    Column("newest_measured_at", UtcTime),
    Column("model_sha256", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("limitations", String(200), nullable=False, server_default=""),
    Index("idx_prediction_heads_sequence", "sequence", unique=True),
)
"""The newest forecast of each station. `sequence` is its place in the order in which forecasts were issued,
`limitations` are the names of what it had to do without, with commas between."""

prediction_log: Final = Table(
    "prediction_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", String(16), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("reading_token", String(200), nullable=False),
    Column("generation", BigInteger, nullable=False, server_default="0"),
)
"""One row: the name of the log of forecasts, its last sequence, and how far the stream of readings has been taken.

`generation` counts the transactions that changed what forecasts are made from; rows elsewhere carry that of theirs.
"""

models: Final = Table(
    "models",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("version", String(50), nullable=False, unique=True),
    Column("family", String(50), nullable=False),
    Column("file", String(200), nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("registered_at", UtcTime, nullable=False),
)
"""The registry: every model file that has passed its checks, by its SHA-256."""

model_aliases: Final = Table(
    "model_aliases",
    metadata,
    Column("alias", String(20), primary_key=True),
    Column("sha256", String(64), ForeignKey("models.sha256"), nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("pinned", Boolean, nullable=False),
)
"""Which model is champion, and which challenger. One that is pinned was named by an operator; else the settings did."""

calibrations: Final = Table(
    "calibrations",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("learned_until", UtcTime, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
)
"""What a model's matured forecasts have taught, up to an hour."""

pending_forecasts: Final = Table(
    "pending_forecasts",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("issue_time", UtcTime, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
)
"""What a model's members said at an issue time of hours that have not all been measured yet."""

forecast_scores: Final = Table(
    "forecast_scores",
    metadata,
    Column("version", String(50), primary_key=True),
    Column("station_id", String(20), primary_key=True),
    Column("day", UtcTime, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Index("idx_forecast_scores_day", "day"),
)
"""Sums over a version's forecasts of a day's hours (UTC) that have been measured, by horizon, pollutant and what is
summed (`predictor.maturing`), as doubles, little-endian. Of all stations together the station_id is empty.

Not a row a sum: a thousand of them change with every hour, and each belongs to the forecasts' own transaction.
"""
