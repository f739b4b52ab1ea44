"""Finds the hours that a station lacks between two that are stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, exists, extract, func, select

from ingestion.gap import Gap
from ingestion.tables import air_quality_readings
from mesh.database import Database

_HOUR: Final = timedelta(hours=1)
_table: Final = air_quality_readings.c
_earlier: Final = air_quality_readings.alias("earlier")


class GapStore:
    """Gaps in the readings. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gaps(self, station_ids: Collection[str], start: datetime) -> Sequence[Gap]:
        """Gaps of these stations in the hours from `start` on, the newest first.

        Neither the hours before a station's first, nor those since its last, are missing: those it has not measured.
        """
        was_there = exists().where(_earlier.c.station_id == _table.station_id, _earlier.c.measured_at < start)
        before = func.lag(_table.measured_at).over(partition_by=_table.station_id, order_by=_table.measured_at)
        hours = (
            select(
                _table.station_id,
                _table.measured_at,
                # A gap may have begun before the first hour that is looked at.
                func.coalesce(before, case((was_there, start - _HOUR)), type_=_table.measured_at.type).label("before"),
            )
            .where(_table.station_id.in_(station_ids), _table.measured_at >= start)
            .subquery()
        )
        seconds = extract("epoch", hours.c.measured_at) - extract("epoch", hours.c.before)
        query = (
            select(hours.c.station_id, hours.c.before, hours.c.measured_at)
            .where(seconds > _HOUR.total_seconds())
            .order_by(hours.c.measured_at.desc(), hours.c.station_id)
        )
        async with self._database.connect() as connection:
            return [Gap(*row) for row in await connection.execute(query)]
