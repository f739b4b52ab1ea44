"""Finds what a station lacks: hours between two that are stored, and values of hours that were not seen again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import extract, func, or_, select

from air.pollutants import Pollutant
from ingestion.gap import Gap
from ingestion.run import Outcome
from ingestion.tables import air_quality_readings, collection_runs
from mesh.database import Database

_HOUR: Final = timedelta(hours=1)
_table: Final = air_quality_readings.c


class GapStore:
    """Gaps in the readings. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gaps(self, station_ids: Collection[str], start: datetime) -> Sequence[Gap]:
        """Gaps of these stations in the hours from `start` on, a full hour, the newest first.

        The hours since a station's last are not missing: those it has not measured. Those before its first may be.
        """
        before = func.lag(_table.measured_at).over(partition_by=_table.station_id, order_by=_table.measured_at)
        hours = (
            select(
                _table.station_id,
                _table.measured_at,
                func.coalesce(before, start - _HOUR, type_=_table.measured_at.type).label("before"),
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

    async def looks(self, feed: str, start: datetime) -> Sequence[datetime]:
        """When a feed was collected with success from `start` on, ascending."""
        run = collection_runs.c
        query = (
            select(run.started_at)
            .where(run.feed == feed, run.started_at >= start, run.outcome == Outcome.COLLECTED.value)
            .order_by(run.started_at)
        )
        async with self._database.connect() as connection:
            return (await connection.execute(query)).scalars().all()

    async def incomplete(
        self, station_ids: Collection[str], hours: Collection[datetime], settles_after: timedelta
    ) -> Sequence[Gap]:
        """Those of the hours in which one of the stations lacks a value, as seen before the hour had settled."""
        lacks = or_(*(_table[pollutant.value.lower()].is_(None) for pollutant in Pollutant))
        seen_after = extract("epoch", _table.updated_at) - extract("epoch", _table.measured_at)
        query = select(_table.station_id, _table.measured_at).where(
            _table.measured_at.in_(hours),
            _table.station_id.in_(station_ids),
            lacks,
            seen_after < settles_after.total_seconds(),
        )
        async with self._database.connect() as connection:
            rows = await connection.execute(query)
            return [Gap(station_id, hour - _HOUR, hour + _HOUR) for station_id, hour in rows]
