"""Reads the log of changes as fast as the database gives it: flat rows, without a word for each cell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import Column, ColumnElement, Double, Text, cast, select, type_coerce
from sqlalchemy.types import NULLTYPE

from ingestion.change import Change
from ingestion.reading import InstrumentFlag
from ingestion.store.reading_rows import VALUES, VERDICTS, flags_of
from ingestion.store.readings import Head
from ingestion.tables import air_quality_readings, reading_log
from mesh.database import Database

_table: Final = air_quality_readings.c
_NO_FLAGS: Final = "[]"


def _number(column: Column[float]) -> ColumnElement[float | None]:
    # A decimal would be read as text and turned into a float here, eight times a row.
    return type_coerce(cast(column, Double), NULLTYPE)


_QUERY: Final = select(
    _table.station_id,
    _table.station_name,
    _number(_table.latitude),
    _number(_table.longitude),
    _table.network,
    _table.simulated,
    *(_number(_table[name]) for name in VALUES.values()),
    *(_table[name] for name in VERDICTS.values()),
    _table.air_quality_index,
    _table.grade,
    _table.revision,
    _table.sequence,
    type_coerce(_table.measured_at, NULLTYPE),
    type_coerce(cast(_table.flags, Text), NULLTYPE),
).order_by(_table.sequence)
"""In the order of the fields of `Change`."""


class ChangeStore:
    """The log of changes in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> Head:
        """Where the log stands."""
        async with self._database.connect() as connection:
            row = (await connection.execute(select(reading_log.c.epoch, reading_log.c.sequence))).one()
        return Head(row.epoch, row.sequence)

    async def changes(self, after: int, limit: int) -> Sequence[Change]:
        """The next `limit` changes after a sequence, in their order."""
        query = _QUERY.where(_table.sequence > after).limit(limit)
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Change._make((*row[:-2], _time(row[-2]), _flags(row[-1]))) for row in rows]


@lru_cache(maxsize=1024)
def _time(cell: datetime | str) -> datetime:
    """SQLite keeps times as text, in UTC; the same few come again and again."""
    return datetime.fromisoformat(cell).replace(tzinfo=UTC) if isinstance(cell, str) else cell


def _flags(cell: str) -> tuple[InstrumentFlag, ...]:
    return () if cell == _NO_FLAGS else flags_of(json.loads(cell))
