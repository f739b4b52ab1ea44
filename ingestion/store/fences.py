"""Holds writers to their turn: in a feed's tables, nobody writes after a later holder of its lock has."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ingestion.run import Fence
from ingestion.tables import collection_fences
from mesh.errors import Unavailable

_table: Final = collection_fences


class Fenced(Unavailable):
    """The lock of the one who writes ran out, and another holds it since: what it brought is not stored."""

    reason = "FENCED"


async def hold(connection: AsyncConnection, fence: Fence) -> None:
    """Notes the writer's token in the transaction that it writes in, and makes later holders wait until that ends.

    Raises Fenced when a later holder has been here.
    """
    is_postgres = connection.dialect.name == "postgresql"
    insert = postgresql.insert(_table) if is_postgres else sqlite.insert(_table)
    upsert = insert.values(feed=fence.feed, token=fence.token).on_conflict_do_update(
        index_elements=[_table.c.feed],
        set_={"token": insert.excluded.token},
        where=_table.c.token <= insert.excluded.token,
    )
    if (await connection.execute(upsert.returning(_table.c.token))).scalar_one_or_none() is None:
        raise Fenced(f"another collection of {fence.feed} has taken over since this one began: nothing to do")
