"""Counts requests by service and day, for all replicas together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select

from ingestion.tables import request_quota
from mesh.database import Database

_table: Final = request_quota.c


@dataclass(frozen=True, slots=True)
class UsedQuota:
    """How many requests of a day went to a service."""

    service: str
    used: int


class QuotaStore:
    """The counts in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, service: str, day: date, limit: int) -> int | None:
        """Counts one more request, and says how many that makes; None, and no count, when the limit is reached."""
        insert = self._database.insert(request_quota).values(service=service, day=day, used=1)
        upsert = insert.on_conflict_do_update(
            index_elements=[_table.service, _table.day], set_={"used": _table.used + 1}, where=_table.used < limit
        )
        async with self._database.begin() as connection:
            used: int | None = (await connection.execute(upsert.returning(_table.used))).scalar_one_or_none()
        return used

    async def used(self, service: str, day: date) -> int:
        """How many requests are counted."""
        query = select(_table.used).where(_table.service == service, _table.day == day)
        async with self._database.connect() as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def of_day(self, day: date) -> Sequence[UsedQuota]:
        """All services that were asked on a day, by name."""
        query = select(_table.service, _table.used).where(_table.day == day).order_by(_table.service)
        async with self._database.connect() as connection:
            return [UsedQuota(service, used) for service, used in await connection.execute(query)]
