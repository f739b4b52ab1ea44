"""Reads and writes readings: each station and hour once, corrected in place, in an order of change without gaps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypedDict, cast

from sqlalchemy import RowMapping, case, distinct, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from ingestion.reading import InstrumentFlag, Measurement, Reading, StoredReading
from ingestion.tables import air_quality_readings, reading_log
from mesh.database import Database

_ROWS_A_STATEMENT: Final = 500
_COLUMNS: Final[Mapping[Pollutant, str]] = {pollutant: pollutant.value.lower() for pollutant in Pollutant}
_CONTENT: Final = (*_COLUMNS.values(), "air_quality_index", "grade", "flags")
_KEPT_AT_CORRECTION: Final = frozenset({"station_id", "measured_at", "created_at"})

_NOT_READ: Final = frozenset({"id", "created_at", "updated_at"})

_table: Final = air_quality_readings.c
_columns: Final = [column for column in _table if column.name not in _NOT_READ]
_key: Final = tuple_(_table.station_id, _table.measured_at)


class _Flag(TypedDict):
    pollutant: str
    text: str
    rawValue: float | None


_Cell: TypeAlias = str | float | bool | datetime | list[_Flag] | None
_Row: TypeAlias = dict[str, _Cell]


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

    async def head(self) -> Head:
        """Where the log of changes stands."""
        async with self._database.connect() as connection:
            row = (await connection.execute(select(reading_log.c.epoch, reading_log.c.sequence))).one()
        return Head(row.epoch, row.sequence)

    async def save(self, readings: Sequence[Reading], now: datetime) -> Saved:
        """Stores what is new or differs from what is stored; all or nothing. One reading a station and hour, please."""
        new = corrected = unchanged = 0
        async with self._database.begin() as connection:
            # Writing to the one row first makes writers take turns until they commit: so a lower sequence is always
            # visible before a higher one, and no follower of the log can pass over a row that is committed late.
            lock = update(reading_log).values(sequence=reading_log.c.sequence).returning(reading_log.c.sequence)
            first = last = (await connection.execute(lock)).scalar_one()
            for start in range(0, len(readings), _ROWS_A_STATEMENT):
                batch = readings[start : start + _ROWS_A_STATEMENT]
                stored = await self._stored_rows(connection, batch)
                changed: list[_Row] = []
                for reading in batch:
                    row = _to_row(reading)
                    before = stored.get((reading.station.station_id, reading.measured_at))
                    if before is not None and all(before[column] == row[column] for column in _CONTENT):
                        unchanged += 1
                        continue
                    last += 1
                    revision = 1 if before is None else before["revision"] + 1
                    changed.append(
                        {**row, "sequence": last, "revision": revision, "created_at": now, "updated_at": now}
                    )
                    new += before is None
                    corrected += before is not None
                await self._write(connection, changed)
            if last != first:
                await connection.execute(update(reading_log).values(sequence=last))
        return Saved(new, corrected, unchanged)

    async def changes(
        self, after: int, limit: int, *, measured_after: datetime | None = None
    ) -> Sequence[StoredReading]:
        """The next `limit` changes after a sequence, in their order; only of hours after `measured_after` if given."""
        query = select(*_columns).where(_table.sequence > after).order_by(_table.sequence).limit(limit)
        if measured_after is not None:
            query = query.where(_table.measured_at > measured_after)
        async with self._database.connect() as connection:
            return [_from_row(row) for row in (await connection.execute(query)).mappings()]

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
            return [_from_row(row) for row in rows.mappings()]

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

    async def _stored_rows(
        self, connection: AsyncConnection, batch: Sequence[Reading]
    ) -> dict[tuple[str, datetime], RowMapping]:
        columns = [_table[name] for name in ("station_id", "measured_at", "revision", *_CONTENT)]
        keys = [(reading.station.station_id, reading.measured_at) for reading in batch]
        rows = await connection.execute(select(*columns).where(_key.in_(keys)))
        return {(row["station_id"], row["measured_at"]): row for row in rows.mappings()}

    async def _write(self, connection: AsyncConnection, rows: Sequence[_Row]) -> None:
        if not rows:
            return
        insert = self._database.insert(air_quality_readings)
        upsert = insert.on_conflict_do_update(
            index_elements=[_table.station_id, _table.measured_at],
            set_={name: insert.excluded[name] for name in rows[0] if name not in _KEPT_AT_CORRECTION},
        )
        await connection.execute(upsert, rows)


def _to_row(reading: Reading) -> _Row:
    station, measurement = reading.station, reading.measurement
    flags: list[_Flag] = [
        {"pollutant": flag.pollutant.value, "text": flag.text, "rawValue": flag.raw_value} for flag in measurement.flags
    ]
    return {
        "station_id": station.station_id,
        "station_name": station.display_name,
        "latitude": station.location.latitude,
        "longitude": station.location.longitude,
        "network": station.network.value,
        "simulated": station.simulated,
        "measured_at": reading.measured_at,
        **{column: measurement.values.get(pollutant) for pollutant, column in _COLUMNS.items()},
        "air_quality_index": measurement.air_quality_index,
        "grade": None if measurement.grade is None else measurement.grade.value,
        "flags": flags,
    }


def _from_row(row: RowMapping) -> StoredReading:
    station = Station(
        station_id=row["station_id"],
        display_name=row["station_name"],
        location=Point(float(row["latitude"]), float(row["longitude"])),
        network=Network(row["network"]),
        simulated=row["simulated"],
    )
    measurement = Measurement(
        values={pollutant: float(row[column]) for pollutant, column in _COLUMNS.items() if row[column] is not None},
        flags=tuple(
            InstrumentFlag(Pollutant(flag["pollutant"]), flag["text"], flag["rawValue"])
            for flag in cast(list[_Flag], row["flags"])
        ),
        air_quality_index=row["air_quality_index"],
        grade=None if row["grade"] is None else Grade(row["grade"]),
    )
    return StoredReading(Reading(station, row["measured_at"], measurement), row["revision"], row["sequence"])
