"""The tables of the router."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table

from mesh.columns import UtcTime

metadata: Final = MetaData()

station_forecasts: Final = Table(
    "station_forecasts",
    metadata,
    Column("station_id", String(20), primary_key=True),
    Column("display_name", String(100), nullable=False),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("network", String(20), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("issue_time", UtcTime, nullable=False),
    Column("horizon_hours", JSON, nullable=False),
    Column("series", JSON, nullable=False),
)
"""The newest forecast of each station, as it was received."""

forecast_position: Final = Table(
    "forecast_position",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("resume_token", String(200), nullable=False),
    Column("status", JSON, nullable=False),
)
"""One row: how far the stream of forecasts has been taken, and what the predictor said of it then."""
