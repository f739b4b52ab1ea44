"""Keeps the scores of forecasts that have come true, summed by day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import and_, case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from mesh.database import Database
from predictor.maturing import SCORED, SUMS, DaySums, Sums
from predictor.monitoring.scores import ScoreSums
from predictor.store.rows import Row
from predictor.tables import forecast_scores

ALL_STATIONS: Final = ""
"""Stands for all stations together."""

_ROWS_A_STATEMENT: Final = 1000
_COUNTS: Final = {"count", "inside", "compared_count"}
_READ: Final = tuple(name for name in SUMS if name != "compared_count")
_KEY: Final = ("version", "day", "station_id", "pollutant", "horizon")


async def add_scores(connection: AsyncConnection, database: Database, scores: Mapping[str, DaySums]) -> None:
    """Adds sums, by version, to those that are kept."""
    rows = [row for version, sums in scores.items() for row in _rows(version, {**_together(sums), **sums})]
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


class ScoreStore:
    """Reads scores. Its method raises mesh.database.DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sums(
        self,
        versions: Collection[str],
        *,
        baseline: str,
        since: datetime,
        recent: datetime,
        station_id: str = ALL_STATIONS,
    ) -> list[ScoreSums]:
        """The sums of the days from `since` on, and of those from `recent` on, by version, pollutant and horizon.

        Damped persistence, the version `baseline`, is set beside a version on those days on which as many of its
        forecasts came true: they are of the same hours then.
        """
        beside = forecast_scores.alias("beside")
        own, other = forecast_scores.c, beside.c
        same = and_(
            other.version == baseline,
            *(other[name] == own[name] for name in _KEY if name != "version"),
            other["count"] == own["count"],
        )
        query = (
            select(
                own.version,
                own.pollutant,
                own.horizon,
                *(func.sum(own[name]).label(name) for name in _READ),
                func.coalesce(func.sum(other["count"]), 0).label("beside_count"),
                func.coalesce(func.sum(case((other["count"] > 0, own.squared_error))), 0.0).label(
                    "beside_squared_error"
                ),
                func.coalesce(func.sum(other.squared_error), 0.0).label("baseline_squared_error"),
                func.sum(case((own.day >= recent, own["count"]), else_=0)).label("recent_count"),
                func.sum(case((own.day >= recent, own.squared_error), else_=0.0)).label("recent_squared_error"),
            )
            .select_from(forecast_scores.outerjoin(beside, same))
            .where(own.version.in_(versions), own.station_id == station_id, own.day >= since)
            .group_by(own.version, own.pollutant, own.horizon)
            .order_by(own.version, own.pollutant, own.horizon)
        )
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ScoreSums(**{**row, "pollutant": Pollutant(row["pollutant"])}) for row in rows]


def _together(sums: DaySums) -> DaySums:
    """The sums of all stations."""
    of_day: dict[tuple[int, str], Sums] = {}
    for (day, _), own in sums.items():
        of_day[day, ALL_STATIONS] = of_day[day, ALL_STATIONS] + own if (day, ALL_STATIONS) in of_day else own
    return of_day


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
