"""Reads and writes readings: each station and hour once, corrected in place, in an order of change without gaps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import case, distinct, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingestion.reading import Reading, StoredReading
from ingestion.run import Fence
from ingestion.store.fences import hold
from ingestion.store.partitions import Partitions
from ingestion.store.reading_rows import from_row
from ingestion.store.staging import Merged, merge, refresh_verdicts, stage
from ingestion.tables import air_quality_readings, reading_log
from mesh.database import Database

_ROWS_A_MERGE: Final = 20_000

_NOT_READ: Final = frozenset({"id", "created_at", "updated_at"})

_table: Final = air_quality_readings.c
_columns: Final = [column for column in _table if column.name not in _NOT_READ]

Also: TypeAlias = Callable[[AsyncConnection], Awaitable[None]]
"""What is written together with readings, in their transaction."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of readings that were to be stored."""

    new: int = 0
    corrected: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The log of changes: its name (16 hexadecimal digits), and the sequence of its last change."""

    epoch: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the network the newest readings cover.

    Attributes:
        newest_measured_at: The newest hour stored; None when there is none.
        stations: How many stations have reported within a day of it.
        current_stations: How many of them within `CURRENT` of it.
        simulated: True when any of them is simulated.
    """

    newest_measured_at: datetime | None = None
    stations: int = 0
    current_stations: int = 0
    simulated: bool = False


CURRENT: Final = timedelta(hours=2)
_RECENT: Final = timedelta(days=1)


class ReadingStore:
    """The readings in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partitions = Partitions(database)

    async def head(self) -> Head:
        """Where the log of changes stands."""
        async with self._database.connect() as connection:
            row = (await connection.execute(select(reading_log.c.epoch, reading_log.c.sequence))).one()
        return Head(row.epoch, row.sequence)

    async def save(
        self,
        readings: Sequence[Reading],
        now: datetime,
        *,
        fence: Fence | None = None,
        keep_known: bool = False,
        seen: int | None = None,
        also: Also | None = None,
    ) -> Saved:
        """Stores what is new or differs from what is stored; all or nothing. One reading a station and hour, please.

        Args:
            readings: What to store.
            now: When.
            fence: Whose turn it is; raises Fenced when it is over.
            keep_known: Stores only what is new.
            seen: Where the log of changes stood when what these come from was read: what has changed since stays.
            also: What else to write, or not at all.
        """
        if readings:
            hours = [reading.measured_at for reading in readings]
            await self._partitions.ensure(min(hours), max(hours))
        new = corrected = 0
        async with self._database.begin() as connection:
            # Writing to the one row first makes writers take turns until they commit: so a lower sequence is always
            # visible before a higher one, and no follower of the log can pass over a row that is committed late.
            lock = update(reading_log).values(sequence=reading_log.c.sequence).returning(reading_log.c.sequence)
            first = last = (await connection.execute(lock)).scalar_one()
            if fence is not None:
                await hold(connection, fence)
            for start in range(0, len(readings), _ROWS_A_MERGE):
                batch = readings[start : start + _ROWS_A_MERGE]
                merged = await self._merge(connection, batch, last, now, keep_known=keep_known, seen=seen)
                new += merged.new
                corrected += merged.corrected
                last += merged.new + merged.corrected
            if last != first:
                await connection.execute(update(reading_log).values(sequence=last))
            if also is not None:
                await also(connection)
        return Saved(new, corrected, len(readings) - new - corrected)

    async def _merge(
        self,
        connection: AsyncConnection,
        batch: Sequence[Reading],
        last: int,
        now: datetime,
        *,
        keep_known: bool,
        seen: int | None,
    ) -> Merged:
        hours = [reading.measured_at for reading in batch]
        span = min(hours), max(hours)
        await stage(self._database, connection, batch)
        merged = await merge(self._database, connection, span, last, now, keep_known=keep_known, seen=seen)
        if not keep_known and merged.new < len(batch):
            await refresh_verdicts(connection, span, seen)
        return merged

    async def changes(
        self, after: int, limit: int, *, measured_after: datetime | None = None
    ) -> Sequence[StoredReading]:
        """The next `limit` changes after a sequence, in their order; only of hours after `measured_after` if given."""
        query = select(*_columns).where(_table.sequence > after).order_by(_table.sequence).limit(limit)
        if measured_after is not None:
            query = query.where(_table.measured_at > measured_after)
        async with self._database.connect() as connection:
            return [from_row(row) for row in (await connection.execute(query)).mappings()]

    async def between(
        self,
        start: datetime,
        end: datetime,
        limit: int,
        *,
        station_ids: Collection[str] = (),
        after: tuple[datetime, str] | None = None,
    ) -> Sequence[StoredReading]:
        """The first `limit` readings from `start` up to but without `end`, by hour, then station.

        Args:
            start: The first hour.
            end: The hour after the last.
            limit: How many at most.
            station_ids: Only these stations; all when empty.
            after: Only what comes after this hour and station in that order.
        """
        order = (_table.measured_at, _table.station_id)
        query = select(*_columns).where(_table.measured_at >= start, _table.measured_at < end)
        if station_ids:
            query = query.where(_table.station_id.in_(station_ids))
        if after is not None:
            query = query.where(tuple_(*order) > tuple_(*after, types=[column.type for column in order]))
        async with self._database.connect() as connection:
            rows = await connection.execute(query.order_by(*order).limit(limit))
            return [from_row(row) for row in rows.mappings()]

    async def coverage(self) -> Coverage:
        """How much of the network the newest readings cover."""
        async with self._database.connect() as connection:
            newest = (await connection.execute(select(func.max(_table.measured_at)))).scalar_one()
            if newest is None:
                return Coverage()
            is_current = _table.measured_at > newest - CURRENT
            query = select(
                func.count(distinct(_table.station_id)),
                func.count(distinct(case((is_current, _table.station_id)))),
                func.max(case((_table.simulated, 1), else_=0)),
            ).where(_table.measured_at > newest - _RECENT)
            stations, current, simulated = (await connection.execute(query)).one()
        return Coverage(newest, stations, current, simulated == 1)
