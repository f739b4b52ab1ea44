"""Counts stored readings by station and day, for the quality report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, RowMapping, and_, func, literal_column, or_, select

from air.korea import KST
from air.pollutants import Pollutant
from ingestion.quality.report import DayCounts
from ingestion.quality.verdict import Check, Level
from ingestion.store.reading_rows import VALUES, VERDICTS
from ingestion.tables import air_quality_readings
from mesh.database import Database

_table: Final = air_quality_readings.c
_OF_LEVEL: Final = 10 ** len(Check)
_AN_HOUR: Final = timedelta(hours=1)


class QualityReportStore:
    """Counts of readings. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stations(self, start: datetime, end: datetime, *, after: str, limit: int) -> Sequence[str]:
        """The first stations after one, by id, that measured in hours from `start`, without it, up to `end`."""
        query = (
            select(_table.station_id)
            .distinct()
            .where(_table.measured_at > start, _table.measured_at <= end, _table.station_id > after)
            .order_by(_table.station_id)
            .limit(limit)
        )
        async with self._database.connect() as connection:
            return (await connection.execute(query)).scalars().all()

    async def days(self, start: datetime, end: datetime, station_ids: Collection[str]) -> Sequence[DayCounts]:
        """The counts of these stations in those hours; days without a reading are left out."""
        day = self._day()
        query = (
            select(_table.station_id, day, *(count for pollutant in Pollutant for count in _counts(pollutant)))
            .where(
                _table.station_id.in_(station_ids),
                _table.measured_at > start,
                _table.measured_at <= end,
            )
            .group_by(_table.station_id, day)
            .order_by(_table.station_id, day)
        )
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_read(row, pollutant) for row in rows for pollutant in Pollutant]

    def _day(self) -> ColumnElement[str]:
        """The day that an hour began in, by Korea's calendar, as text."""
        if self._database.is_postgres:
            began = func.timezone(literal_column("'Asia/Seoul'"), _table.measured_at) - literal_column(
                "interval '1 hour'"
            )
            return func.to_char(began, literal_column("'YYYY-MM-DD'")).label("day")
        seconds = (KST.utcoffset(None) - _AN_HOUR).total_seconds()
        return func.date(_table.measured_at, literal_column(f"'{seconds:+.0f} seconds'")).label("day")


def _counts(pollutant: Pollutant) -> Iterator[ColumnElement[int] | ColumnElement[datetime]]:
    value, verdict = _table[VALUES[pollutant]], _table[VERDICTS[pollutant]]
    failed = _is_level(verdict, Level.FAIL)
    measured = or_(value.is_not(None), failed)
    conditions = {
        "measured": measured,
        "usable": value.is_not(None),
        "passed": _is_level(verdict, Level.PASS),
        "suspect": _is_level(verdict, Level.SUSPECT),
        "failed": failed,
        **{check.name: _speaks(verdict, check) for check in Check},
    }
    for name, condition in conditions.items():
        yield func.count().filter(condition).label(_label(pollutant, name))
    yield func.max(_table.measured_at).filter(measured).label(_label(pollutant, "newest"))


def _is_level(verdict: Column[int], level: Level) -> ColumnElement[bool]:
    return and_(verdict >= level * _OF_LEVEL, verdict < (level + 1) * _OF_LEVEL)


def _speaks(verdict: Column[int], check: Check) -> ColumnElement[bool]:
    digit: ColumnElement[int] = verdict // 10 ** (len(Check) - check) % 10
    return digit.in_([Level.SUSPECT, Level.FAIL])


def _label(pollutant: Pollutant, name: str) -> str:
    return f"{pollutant.value}_{name}"


def _read(row: RowMapping, pollutant: Pollutant) -> DayCounts:
    def count(name: str) -> int:
        return int(row[_label(pollutant, name)])

    return DayCounts(
        station_id=row["station_id"],
        pollutant=pollutant,
        day=date.fromisoformat(row["day"]),
        measured=count("measured"),
        usable=count("usable"),
        passed=count("passed"),
        suspect=count("suspect"),
        failed=count("failed"),
        checks={check: count(check.name) for check in Check if count(check.name)},
        newest_measured_at=row[_label(pollutant, "newest")],
    )
