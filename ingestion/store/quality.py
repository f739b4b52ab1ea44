"""Reads stored readings for judging: many of them, as arrays, with what was found of each."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, TypedDict, cast

import numpy as np
from sqlalchemy import Double, RowMapping, select
from sqlalchemy import cast as sql_cast

from air.places import Network
from air.pollutants import Pollutant
from ingestion.quality.cleaning import OURS
from ingestion.quality.neighbours import Box
from ingestion.quality.observations import NOT_JUDGED, Observations, Place, as_kept, hour_number
from ingestion.store.reading_rows import VALUES, VERDICTS
from ingestion.tables import air_quality_readings
from mesh.database import Database

_table: Final = air_quality_readings.c
_STATIONS_A_QUESTION: Final = 1000
_ROWS_A_TURN: Final = 1000
_NAMES: Final = tuple(VALUES.values())
_VERDICT_NAMES: Final = tuple(VERDICTS.values())
# As floats they come as they are; as decimals each would be spelt out on the way.
_COLUMNS: Final = (
    *(_table.station_id, _table.measured_at, _table.network, _table.flags),
    *(sql_cast(_table[name], Double).label(name) for name in ("latitude", "longitude", *_NAMES)),
    *(_table[name] for name in _VERDICT_NAMES),
)
_PLACE: Final = {pollutant: number for number, pollutant in enumerate(Pollutant)}


class _Flag(TypedDict):
    pollutant: str
    text: str
    rawValue: float | None


class ContextStore:
    """The readings that others are judged by. Raises mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(
        self,
        start: datetime,
        end: datetime,
        *,
        station_ids: Collection[str] = (),
        box: Box | None = None,
        limit: int | None = None,
    ) -> Observations | None:
        """What is stored from `start` up to but without `end`; None when that is more than `limit`.

        Args:
            start: The first hour.
            end: The hour after the last.
            station_ids: Only these stations; all when empty.
            box: Only stations that stand in it.
            limit: How many rows at most.
        """
        query = select(*_COLUMNS).where(_table.measured_at >= start, _table.measured_at < end)
        if box is not None:
            query = query.where(
                _table.latitude.between(box.south, box.north), _table.longitude.between(box.west, box.east)
            )
        if limit is not None:
            query = query.limit(limit + 1)
        ids = sorted(station_ids)
        chosen = [
            query.where(_table.station_id.in_(ids[first : first + _STATIONS_A_QUESTION]))
            for first in range(0, len(ids), _STATIONS_A_QUESTION)
        ]
        rows: list[RowMapping] = []
        async with self._database.connect() as connection:
            for question in chosen or [query]:
                # In parts, so that others get their turn between: a day of a country is tens of thousands of rows.
                async for part in (await connection.stream(question)).mappings().partitions(_ROWS_A_TURN):
                    rows += part
        if limit is not None and len(rows) > limit:
            return None
        return await asyncio.to_thread(_observations, rows)


def _observations(rows: Sequence[RowMapping]) -> Observations:
    # Two that were measured within an hour share it; the last one read stands.
    by_hour = {(cast(str, row["station_id"]), hour_number(row["measured_at"])): row for row in rows}
    kept = list(by_hour.values())
    shape = (len(kept), len(Pollutant))
    values = np.array([[row[name] for name in _NAMES] for row in kept], dtype=np.float64).reshape(shape)
    verdicts = [[NOT_JUDGED if row[name] is None else row[name] for name in _VERDICT_NAMES] for row in kept]
    flagged = np.zeros(shape, dtype=np.bool_)
    for number, row in enumerate(kept):
        for flag in cast(list[_Flag], row["flags"]):
            place = _PLACE[Pollutant(flag["pollutant"])]
            flagged[number, place] = not flag["text"].startswith(OURS)
            if flag["rawValue"] is not None:
                values[number, place] = flag["rawValue"]
    return Observations(
        [station for station, _ in by_hour],
        np.array([hour for _, hour in by_hour], dtype=np.int64),
        as_kept(values),
        flagged,
        np.array(verdicts, dtype=np.int32).reshape(shape),
        {row["station_id"]: _place(row) for row in kept},
    )


def _place(row: RowMapping) -> Place:
    return Place(row["latitude"], row["longitude"], row["network"] == Network.ROADSIDE.value)
