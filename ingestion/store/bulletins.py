"""Bulletins in a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, TypeAlias, TypedDict, cast

from sqlalchemy import RowMapping, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from air.index import Grade
from air.pollutants import Pollutant
from ingestion.bulletin import Bulletin, RegionGrade
from ingestion.store.readings import Saved
from ingestion.tables import bulletins
from mesh.database import Database

_table: Final = bulletins.c
_KEY: Final = ("issued_at", "target_date", "pollutant")
_CONTENT: Final = ("grades", "overall", "cause", "simulated")
_key: Final = tuple_(*(_table[name] for name in _KEY))
_ROWS_A_STATEMENT: Final = 500


class _Grade(TypedDict):
    region: str
    grade: str | None


_Cell: TypeAlias = str | bool | date | list[_Grade] | None


class BulletinStore:
    """The bulletins in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, issued: Sequence[Bulletin], now: datetime) -> Saved:
        """Stores what is new or differs from what is stored; all or nothing. The first of doubles stands."""
        new = corrected = unchanged = 0
        rows = {(one.issued_at, one.target_date, one.pollutant.value): _to_row(one) for one in reversed(issued)}
        changed: list[dict[str, _Cell]] = []
        async with self._database.begin() as connection:
            stored = await _stored(connection, list(rows))
            for key, row in rows.items():
                before = stored.get(key)
                if before is not None and all(before[name] == row[name] for name in _CONTENT):
                    unchanged += 1
                    continue
                new += before is None
                corrected += before is not None
                changed.append({**row, "created_at": now, "updated_at": now})
            if changed:
                insert = self._database.insert(bulletins)
                content = {name: insert.excluded[name] for name in (*_CONTENT, "updated_at")}
                await connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=content), changed)
        return Saved(new, corrected, unchanged)

    async def newest_issue(self) -> datetime | None:
        """When the newest bulletin was issued; None when there is none."""
        async with self._database.connect() as connection:
            newest: datetime | None = (await connection.execute(select(func.max(_table.issued_at)))).scalar_one()
        return newest

    async def between(self, first: date, last: date, *, include_superseded: bool = False) -> Sequence[Bulletin]:
        """Bulletins about the days from `first` to `last`, by day, then pollutant, then newest issue first.

        Of each day and pollutant the newest issue alone, unless superseded ones are asked for.
        """
        query = select(bulletins).where(_table.target_date >= first, _table.target_date <= last)
        query = query.order_by(_table.target_date, _table.pollutant, _table.issued_at.desc())
        async with self._database.connect() as connection:
            found = [_from_row(row) for row in (await connection.execute(query)).mappings()]
        if include_superseded:
            return found
        newest: dict[tuple[date, Pollutant], Bulletin] = {}
        for bulletin in found:
            newest.setdefault((bulletin.target_date, bulletin.pollutant), bulletin)
        return list(newest.values())


async def _stored(
    connection: AsyncConnection, keys: Sequence[tuple[datetime, date, str]]
) -> dict[tuple[datetime, date, str], RowMapping]:
    stored: dict[tuple[datetime, date, str], RowMapping] = {}
    for start in range(0, len(keys), _ROWS_A_STATEMENT):
        query = select(bulletins).where(_key.in_(keys[start : start + _ROWS_A_STATEMENT]))
        for row in (await connection.execute(query)).mappings():
            stored[row["issued_at"], row["target_date"], row["pollutant"]] = row
    return stored


def _to_row(bulletin: Bulletin) -> dict[str, _Cell]:
    grades: list[_Grade] = [
        {"region": one.region, "grade": None if one.grade is None else one.grade.value} for one in bulletin.grades
    ]
    return {
        "issued_at": bulletin.issued_at,
        "target_date": bulletin.target_date,
        "pollutant": bulletin.pollutant.value,
        "grades": grades,
        "overall": bulletin.overall,
        "cause": bulletin.cause,
        "simulated": bulletin.simulated,
    }


def _from_row(row: RowMapping) -> Bulletin:
    grades = cast(list[_Grade], row["grades"])
    return Bulletin(
        issued_at=row["issued_at"],
        target_date=row["target_date"],
        pollutant=Pollutant(row["pollutant"]),
        grades=tuple(
            RegionGrade(one["region"], None if one["grade"] is None else Grade(one["grade"])) for one in grades
        ),
        overall=row["overall"],
        cause=row["cause"],
        simulated=row["simulated"],
    )
