"""Writes rows that may be there already, and tells what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import RowMapping, Table, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ingestion.store.readings import Saved
from mesh.database import Database

Value: TypeAlias = str | float | bool | datetime | None
Row: TypeAlias = Mapping[str, Value]

_ROWS_A_STATEMENT: Final = 500


async def upsert(
    database: Database, connection: AsyncConnection, table: Table, rows: Sequence[Row], now: datetime
) -> Saved:
    """Stores rows that are new, or differ from what the table has under their primary key.

    Args:
        database: Whose dialect to speak.
        connection: In a transaction.
        table: A table with `created_at` and `updated_at`.
        rows: All with the same columns, among them the whole primary key. Of doubles the last stands.
        now: When.
    """
    key = [column.name for column in table.primary_key]
    unique = list({tuple(row[name] for name in key): row for row in rows}.values())
    new = corrected = 0
    for start in range(0, len(unique), _ROWS_A_STATEMENT):
        batch = unique[start : start + _ROWS_A_STATEMENT]
        stored = await _stored(connection, table, key, batch)
        pairs = [(row, stored.get(tuple(row[name] for name in key))) for row in batch]
        changed = [row for row, known in pairs if known is None or any(known[name] != row[name] for name in row)]
        added = sum(known is None for _, known in pairs)
        new += added
        corrected += len(changed) - added
        await _write(database, connection, table, [{**row, "created_at": now, "updated_at": now} for row in changed])
    return Saved(new, corrected, len(unique) - new - corrected)


async def _stored(
    connection: AsyncConnection, table: Table, key: Sequence[str], batch: Sequence[Row]
) -> dict[tuple[Value, ...], RowMapping]:
    keys = [tuple(row[name] for name in key) for row in batch]
    query = select(*(table.c[name] for name in batch[0])).where(tuple_(*(table.c[name] for name in key)).in_(keys))
    rows = (await connection.execute(query)).mappings()
    return {tuple(row[name] for name in key): row for row in rows}


async def _write(database: Database, connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    insert = database.insert(table)
    content = {name: insert.excluded[name] for name in rows[0] if name not in {*key, "created_at"}}
    await connection.execute(insert.on_conflict_do_update(index_elements=key, set_=content), rows)
