"""Collection: asks a source for what it publishes now, takes it in, and keeps account of how that goes."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from ingestion.account import Account, Outage
from ingestion.intake import Intake, Judge, JudgeByRow, TakenIn
from ingestion.run import Fence
from ingestion.source import Source
from ingestion.station_list import StationList
from ingestion.store.readings import ReadingStore
from ingestion.store.stations import StationStore
from mesh.bell import Bell
from mesh.clock import Clock


class Collector:
    """Collects from one source into one store. Collections take turns; each is idempotent.

    Args:
        source: Whom to ask.
        store: Where readings are kept.
        places: Where stations are kept.
        bell: Rung when there is something new, or an outage begins or ends.
        clock: What time it is.
        feed: The name that the source goes by.
        judge: Says what each value is worth; each row by itself when left out.
    """

    def __init__(
        self,
        source: Source,
        store: ReadingStore,
        places: StationStore,
        bell: Bell,
        clock: Clock,
        *,
        feed: str = "airkorea",
        judge: Judge | None = None,
    ) -> None:
        self.feed: Final = feed
        self.stations: Final = StationList(feed, source, places, clock)
        self.intake: Final = Intake(store, judge or JudgeByRow(), bell, clock)
        self._source = source
        self._account = Account(feed, clock, bell.ring)
        self._turn = asyncio.Lock()
        self._reporting: frozenset[str] = frozenset()

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""
        return self._account.outage

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded; None before the first."""
        return self._account.last_success

    @property
    def reporting(self) -> frozenset[str]:
        """The stations that the last answer was about; none before the first."""
        return self._reporting

    async def collect(self, fence: Fence | None = None) -> TakenIn:
        """Collects what the source publishes now. Raises SourceError, DatabaseUnavailable, or Fenced."""
        async with self._turn:
            with self._account.attempt():
                rows = await self._source.measurements()
                stations = await self.stations.covering(rows.readable)
                taken = await self.intake.take(rows, stations, fence)
                self._reporting = frozenset(row.station_id for row in rows.readable)
            self._account.succeeded(taken.saved, rejected=taken.rejected, newest=taken.newest_measured_at)
            return taken
