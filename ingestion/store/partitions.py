"""The monthly partitions of the readings: made ahead, and dropped when they are older than what is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ingestion.tables import air_quality_readings
from mesh.database import Database

_MONTHS_A_YEAR: Final = 12
# Makers of partitions take turns under this advisory lock; the number is ours alone.
_LOCK: Final = 0x7061727469746E73
_EXISTING: Final = text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
    " WHERE inhparent = 'air_quality_readings'::regclass"
)


class Partitions:
    """The months for which there is room. SQLite has one table without months; only what is too old leaves it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: frozenset[str] = frozenset()

    async def ensure(self, oldest: datetime, newest: datetime) -> None:
        """Makes the partitions for hours between these where they are missing. Raises DatabaseUnavailable."""
        if not self._database.is_postgres:
            return
        wanted = range(_month(oldest), _month(newest) + 1)
        if all(_name(month) in self._known for month in wanted):
            return
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(make_partitions, wanted)
            self._known = await _existing(connection)

    async def keep_up(self, now: datetime, *, months_ahead: int, months_kept: int) -> int:
        """Makes partitions for the months to come, and drops what is older than `months_kept` months before this one.

        Returns how many partitions, or on SQLite rows, were dropped. Raises DatabaseUnavailable.
        """
        this = _month(now)
        oldest_kept = _start(this - months_kept)
        if not self._database.is_postgres:
            old = delete(air_quality_readings).where(air_quality_readings.c.measured_at < oldest_kept)
            async with self._database.begin() as connection:
                return (await connection.execute(old)).rowcount
        await self.ensure(now, _start(this + months_ahead))
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            existing = await _existing(connection)
            too_old = {name for name in existing if name < _name(this - months_kept)}
            for name in sorted(too_old):
                await connection.execute(text(f"DROP TABLE {name}"))
        self._known = existing - too_old
        return len(too_old)


def make_partitions(connection: Connection, months: range) -> None:
    """Makes the partitions of these months, numbered as by `_month`, where they are missing."""
    existing = set(connection.execute(_EXISTING).scalars())
    for month in months:
        if (name := _name(month)) in existing:
            continue
        # Made beside the table and then attached: that waits for nobody who reads or writes it.
        connection.execute(
            text(f"CREATE TABLE {name} (LIKE air_quality_readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        )
        bounds = f"FROM ('{_start(month).isoformat()}') TO ('{_start(month + 1).isoformat()}')"
        connection.execute(text(f"ALTER TABLE air_quality_readings ATTACH PARTITION {name} FOR VALUES {bounds}"))


async def _existing(connection: AsyncConnection) -> frozenset[str]:
    return frozenset((await connection.execute(_EXISTING)).scalars())


def _month(time: datetime) -> int:
    """Months since the year 0, of UTC's calendar."""
    utc = time.astimezone(UTC)
    return utc.year * _MONTHS_A_YEAR + utc.month - 1


def _start(month: int) -> datetime:
    return datetime(month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1, 1, tzinfo=UTC)


def _name(month: int) -> str:
    # Year first: names sort by time.
    return f"air_quality_readings_{month // _MONTHS_A_YEAR:04}_{month % _MONTHS_A_YEAR + 1:02}"
