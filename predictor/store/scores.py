"""Keeps the scores of forecasts that have come true, summed by day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from air.pollutants import FORECAST_POLLUTANTS
from mesh.database import Database
from predictor.maturing import SCORED, SUMS, DaySums, Sums
from predictor.monitoring.scores import ALL_STATIONS, DailySums
from predictor.tables import forecast_scores

_ROWS_A_STATEMENT: Final = 500
_SHAPE: Final = (len(SCORED), len(FORECAST_POLLUTANTS), len(SUMS))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


async def add_scores(connection: AsyncConnection, database: Database, scores: Mapping[str, DaySums]) -> None:
    """Adds sums, by version, to those that are kept. Only one transaction at a time may: they take turns."""
    added = {
        (version, station_id, _EPOCH + day * _DAY): own
        for version, sums in scores.items()
        for (day, station_id), own in {**_together(sums), **sums}.items()
    }
    keys = list(added)
    for start in range(0, len(keys), _ROWS_A_STATEMENT):
        part = keys[start : start + _ROWS_A_STATEMENT]
        stored, insert = forecast_scores.c, database.insert(forecast_scores)
        query = select(forecast_scores).where(tuple_(stored.version, stored.station_id, stored.day).in_(part))
        known = {(row.version, row.station_id, row.day): _sums(row.content) for row in await connection.execute(query)}
        upsert = insert.on_conflict_do_update(
            index_elements=[stored.version, stored.station_id, stored.day], set_={"content": insert.excluded.content}
        )
        rows = [
            {
                "version": key[0],
                "station_id": key[1],
                "day": key[2],
                "content": _content(added[key] + known.get(key, 0.0)),
            }
            for key in part
        ]
        await connection.execute(upsert, rows)


async def drop_scores(connection: AsyncConnection, before: datetime) -> None:
    """Drops the scores of days before."""
    await connection.execute(delete(forecast_scores).where(forecast_scores.c.day < before))


class ScoreStore:
    """Reads scores. Its method raises mesh.database.DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_days(self, versions: Collection[str], *, since: datetime, station_id: str = ALL_STATIONS) -> DailySums:
        """The sums of the days from `since` on, by version and day."""
        stored = forecast_scores.c
        query = select(stored.version, stored.day, stored.content).where(
            stored.version.in_(versions), stored.station_id == station_id, stored.day >= since
        )
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).all()
        return {(row.version, (row.day - _EPOCH) // _DAY): _sums(row.content) for row in rows}


def _together(sums: DaySums) -> DaySums:
    """The sums of all stations."""
    of_day: dict[tuple[int, str], Sums] = {}
    for (day, _), own in sums.items():
        key = day, ALL_STATIONS
        of_day[key] = of_day[key] + own if key in of_day else own
    return of_day


def _content(sums: Sums) -> bytes:
    return sums.astype("<f8").tobytes()


def _sums(content: bytes) -> Sums:
    return np.frombuffer(content, dtype="<f8").reshape(_SHAPE)
