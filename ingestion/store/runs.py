"""Keeps the runs: one row for each collection of each feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingestion.run import Counts, FeedAccount, Fence, Outcome, Run
from ingestion.store.fences import hold
from ingestion.tables import collection_runs
from mesh.database import Database

_table: Final = collection_runs.c


class RunStore:
    """The runs in a database. All methods raise mesh.database.DatabaseUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, feed: str, slot: datetime | None, fence: Fence | None, now: datetime) -> int | None:
        """Notes that a run begins, and returns its number; None when its slot has been collected already.

        Whoever held the feed's lock before can write no more, and a run of theirs that has not ended is abandoned.
        Raises Fenced when a later holder has been here.
        """
        async with self._database.begin() as connection:
            if fence is not None:
                await hold(connection, fence)
                await self._abandon(connection, fence, now)
            if slot is not None and await self._is_collected(connection, feed, slot):
                return None
            row = {"feed": feed, "slot": slot, "token": None if fence is None else fence.token, "started_at": now}
            counts = {"new_count": 0, "corrected_count": 0, "unchanged_count": 0, "rejected_count": 0}
            insert = collection_runs.insert().values(**row, **counts, outcome=Outcome.RUNNING.value)
            number: int = (await connection.execute(insert.returning(_table.id))).scalar_one()
        return number

    async def finish(
        self,
        number: int,
        outcome: Outcome,
        now: datetime,
        *,
        counts: Counts | None = None,
        error_code: str | None = None,
    ) -> None:
        """Notes how a run ended, unless it has been abandoned."""
        brought = counts or Counts()
        ended = (
            update(collection_runs)
            .where(_table.id == number, _table.outcome == Outcome.RUNNING.value)
            .values(
                outcome=outcome.value,
                finished_at=now,
                new_count=brought.new,
                corrected_count=brought.corrected,
                unchanged_count=brought.unchanged,
                rejected_count=brought.rejected,
                error_code=error_code,
            )
        )
        async with self._database.begin() as connection:
            await connection.execute(ended)

    async def of_feed(self, feed: str, limit: int = 100) -> Sequence[Run]:
        """The last runs of a feed, newest first."""
        query = select(collection_runs).where(_table.feed == feed).order_by(_table.id.desc()).limit(limit)
        async with self._database.connect() as connection:
            return [_from_row(row) for row in (await connection.execute(query)).mappings()]

    async def accounts(self) -> Sequence[FeedAccount]:
        """How each feed that was ever collected does, by name."""
        succeeded = (
            select(_table.feed, func.max(_table.finished_at).label("at"), func.max(_table.id).label("id"))
            .where(_table.outcome == Outcome.COLLECTED.value)
            .group_by(_table.feed)
            .subquery()
        )
        failed = (
            select(_table.feed, func.min(_table.finished_at).label("since"), func.max(_table.id).label("last"))
            .outerjoin(succeeded, succeeded.c.feed == _table.feed)
            .where(_table.outcome == Outcome.FAILED.value, _table.id > func.coalesce(succeeded.c.id, 0))
            .group_by(_table.feed)
            .subquery()
        )
        feeds = select(_table.feed).distinct().subquery()
        query = (
            select(feeds.c.feed, succeeded.c.at, failed.c.since, _table.error_code)
            .select_from(feeds)
            .outerjoin(succeeded, succeeded.c.feed == feeds.c.feed)
            .outerjoin(failed, failed.c.feed == feeds.c.feed)
            .outerjoin(collection_runs, _table.id == failed.c.last)
            .order_by(feeds.c.feed)
        )
        async with self._database.connect() as connection:
            return [FeedAccount(*row) for row in await connection.execute(query)]

    async def prune(self, before: datetime) -> int:
        """Forgets runs that began before a time; returns how many."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(collection_runs).where(_table.started_at < before))).rowcount

    async def _is_collected(self, connection: AsyncConnection, feed: str, slot: datetime) -> bool:
        there = exists().where(_table.feed == feed, _table.slot == slot, _table.outcome == Outcome.COLLECTED.value)
        return bool((await connection.execute(select(there))).scalar_one())

    async def _abandon(self, connection: AsyncConnection, fence: Fence, now: datetime) -> None:
        unfinished = (_table.feed == fence.feed, _table.outcome == Outcome.RUNNING.value, _table.token < fence.token)
        await connection.execute(
            update(collection_runs).where(*unfinished).values(outcome=Outcome.ABANDONED.value, finished_at=now)
        )


def _from_row(row: RowMapping) -> Run:
    return Run(
        feed=row["feed"],
        slot=row["slot"],
        token=row["token"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        outcome=Outcome(row["outcome"]),
        counts=Counts(row["new_count"], row["corrected_count"], row["unchanged_count"], row["rejected_count"]),
        error_code=row["error_code"],
    )
