"""The tables of the ingestion service."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mesh.columns import UtcTime


def _particles() -> Numeric[float]:
    return Numeric(6, 2, asdecimal=False)


def _gas() -> Numeric[float]:
    # Gases are in ppm: two decimals would make nothing of 0.004.
    return Numeric(8, 4, asdecimal=False)


metadata: Final = MetaData()

air_quality_readings: Final = Table(
    "air_quality_readings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("station_id", String(20), nullable=False),
    Column("station_name", String(100), nullable=False),
    Column("latitude", Numeric(10, 8, asdecimal=False), nullable=False),
    Column("longitude", Numeric(11, 8, asdecimal=False), nullable=False),
    Column("measured_at", UtcTime, nullable=False),
    Column("pm25", _particles()),
    Column("pm10", _particles()),
    Column("o3", _gas()),
    Column("no2", _gas()),
    Column("co", _gas()),
    Column("so2", _gas()),
    Column("air_quality_index", Integer),
    Column("grade", String(20)),
    Column("created_at", UtcTime, server_default=func.now()),
    Column("updated_at", UtcTime, server_default=func.now()),
    Column("network", String(20), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("flags", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("pm25_verdict", Integer),
    Column("pm10_verdict", Integer),
    Column("o3_verdict", Integer),
    Column("no2_verdict", Integer),
    Column("co_verdict", Integer),
    Column("so2_verdict", Integer),
    Index("idx_air_quality_station_time", "station_id", "measured_at", unique=True),
    Index("idx_air_quality_measured_at", "measured_at"),
    # With the hour: on PostgreSQL the table is partitioned by it, and a unique index must hold what partitions are by.
    Index("idx_air_quality_sequence", "sequence", "measured_at", unique=True),
    postgresql_partition_by="RANGE (measured_at)",
)
"""The readings. `sequence` is the place of a row's last change in the order of all changes; a verdict is NULL where the
value has not been judged, else as in `ingestion.quality.verdict`."""

reading_log: Final = Table(
    "reading_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", String(16), nullable=False),
    Column("sequence", BigInteger, nullable=False),
)
"""One row: the name of this log of changes (16 hexadecimal digits), and its last sequence."""

collection_fences: Final = Table(
    "collection_fences",
    metadata,
    Column("feed", String(20), primary_key=True),
    Column("token", BigInteger, nullable=False),
)
"""The latest holder of each feed's lock that the store has seen."""

collection_runs: Final = Table(
    "collection_runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("feed", String(20), nullable=False),
    Column("slot", UtcTime),
    Column("token", BigInteger),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("outcome", String(12), nullable=False),
    Column("new_count", Integer, nullable=False),
    Column("corrected_count", Integer, nullable=False),
    Column("unchanged_count", Integer, nullable=False),
    Column("rejected_count", Integer, nullable=False),
    Column("error_code", String(60)),
    Index("idx_collection_runs_feed_started", "feed", "started_at"),
    Index("idx_collection_runs_feed_slot", "feed", "slot"),
)
"""One row a collection of a feed: the scheduled time that it stands for, unless a person asked for it, the token of the
lock that it ran under, unless there was none, and how it ended."""

request_quota: Final = Table(
    "request_quota",
    metadata,
    Column("service", String(60), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("used", Integer, nullable=False),
)
"""Requests sent to a service of a source on a day of Korea."""

stations: Final = Table(
    "stations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("station_id", String(20), nullable=False),
    Column("feed", String(20), nullable=False),
    Column("display_name", String(100), nullable=False),
    Column("address", String(100), nullable=False),
    Column("latitude", Numeric(10, 8, asdecimal=False), nullable=False),
    Column("longitude", Numeric(11, 8, asdecimal=False), nullable=False),
    Column("network", String(20), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("valid_from", UtcTime, nullable=False),
    Column("valid_to", UtcTime),
    Index("idx_stations_station_time", "station_id", "valid_from"),
    Index(
        "idx_stations_current",
        "station_id",
        unique=True,
        postgresql_where=text("valid_to IS NULL"),
        sqlite_where=text("valid_to IS NULL"),
    ),
)
"""One row a station and place; `valid_to` is NULL where it stands now."""

bulletins: Final = Table(
    "bulletins",
    metadata,
    Column("issued_at", UtcTime, primary_key=True),
    Column("target_date", Date, primary_key=True),
    Column("pollutant", String(10), primary_key=True),
    Column("grades", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    Column("overall", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("created_at", UtcTime, server_default=func.now()),
    Column("updated_at", UtcTime, server_default=func.now()),
    Index("idx_bulletins_target_date", "target_date"),
)
"""The official forecasts; `grades` is a list of `{region, grade}` in the order of the source."""


def _value() -> Numeric[float]:
    return Numeric(6, 2, asdecimal=False)


def _conditions() -> tuple[Column[object], ...]:
    return (
        Column("temperature", _value()),
        Column("humidity", _value()),
        Column("precipitation", String(20)),
        Column("precipitation_amount", _value()),
        Column("precipitation_text", String(40)),
        Column("wind_east", _value()),
        Column("wind_north", _value()),
        Column("wind_direction", _value()),
        Column("wind_speed", _value()),
    )


weather_observations: Final = Table(
    "weather_observations",
    metadata,
    Column("nx", Integer, primary_key=True, autoincrement=False),
    Column("ny", Integer, primary_key=True, autoincrement=False),
    Column("observed_at", UtcTime, primary_key=True),
    *_conditions(),
    Column("simulated", Boolean, nullable=False),
    Column("created_at", UtcTime, server_default=func.now()),
    Column("updated_at", UtcTime, server_default=func.now()),
)
"""The weather of a cell in an hour; units as in `ingestion.weather.Conditions`."""

weather_forecasts: Final = Table(
    "weather_forecasts",
    metadata,
    Column("nx", Integer, primary_key=True, autoincrement=False),
    Column("ny", Integer, primary_key=True, autoincrement=False),
    Column("product", String(20), primary_key=True),
    Column("issued_at", UtcTime, primary_key=True),
    Column("valid_at", UtcTime, primary_key=True),
    *_conditions(),
    Column("sky", String(20)),
    Column("precipitation_probability", _value()),
    Column("snow_amount", _value()),
    Column("snow_text", String(40)),
    Column("wave_height", _value()),
    Column("day_minimum", _value()),
    Column("day_maximum", _value()),
    Column("simulated", Boolean, nullable=False),
    Column("created_at", UtcTime, server_default=func.now()),
    Column("updated_at", UtcTime, server_default=func.now()),
    Index("idx_weather_forecasts_valid", "nx", "ny", "valid_at", "issued_at"),
    Index("idx_weather_forecasts_issued_at", "issued_at"),
)
"""The forecasts of a cell, issue by issue."""

uploads: Final = Table(
    "uploads",
    metadata,
    Column("upload_id", String(64), primary_key=True),
    Column("feed", String(20), nullable=False),
    Column("acknowledged_sequence", BigInteger, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)
"""Each upload, and the last of its batches that is stored."""
