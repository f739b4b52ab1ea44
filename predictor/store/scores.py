"""Keeps the scores of forecasts that have come true, summed by day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from air.pollutants import FORECAST_POLLUTANTS
from mesh.database import Database
from predictor.maturing import SCORED, SUMS, DaySums
from predictor.store.rows import Row
from predictor.tables import forecast_scores

_ROWS_A_STATEMENT: Final = 1000
_COUNTS: Final = {"count", "inside", "compared_count"}
_KEY: Final = ("version", "day", "station_id", "pollutant", "horizon")


async def add_scores(connection: AsyncConnection, database: Database, scores: Mapping[str, DaySums]) -> None:
    """Adds sums, by version, to those that are kept."""
    rows = [row for version, sums in scores.items() for row in _rows(version, sums)]
    if not rows:
        return
    stored, insert = forecast_scores.c, database.insert(forecast_scores)
    upsert = insert.on_conflict_do_update(
        index_elements=[stored[name] for name in _KEY],
        set_={name: stored[name] + insert.excluded[name] for name in SUMS},
    )
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        await connection.execute(upsert, rows[start : start + _ROWS_A_STATEMENT])


async def drop_scores(connection: AsyncConnection, before: datetime) -> None:
    """Drops the scores of days before."""
    await connection.execute(delete(forecast_scores).where(forecast_scores.c.day < before))


def day_of(day: int) -> datetime:
    """The beginning of a day since 1970-01-01, UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def _rows(version: str, sums: DaySums) -> list[Row]:
    return [
        {
            "version": version,
            "day": day_of(day),
            "station_id": station_id,
            "pollutant": pollutant.value,
            "horizon": horizon,
            **{name: int(value) if name in _COUNTS else value for name, value in zip(SUMS, cell, strict=True)},
        }
        for (day, station_id), own in sums.items()
        for horizon, of_horizon in zip(SCORED, own.tolist(), strict=True)
        for pollutant, cell in zip(FORECAST_POLLUTANTS, of_horizon, strict=True)
        if cell[0]
    ]
