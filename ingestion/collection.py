"""Collection: asks a source for what it publishes now, takes it in, and keeps account of how that goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from ingestion.intake import Intake, Judge, JudgeByRow, TakenIn
from ingestion.run import Fence
from ingestion.source import Source, SourceError
from ingestion.station_list import StationList
from ingestion.store.readings import ReadingStore
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.errors import CleanAirError

_log: Final = structlog.stdlib.get_logger("collection")

_ROWS: Final = Counter("cleanair_collected_rows", "Rows collected.", ["feed", "outcome"])
_FAILURES: Final = Counter("cleanair_collection_failures", "Collections that failed.", ["feed", "code"])
_NEWEST: Final = Gauge("cleanair_newest_reading_timestamp_seconds", "The newest hour collected.", ["feed"])


@dataclass(frozen=True, slots=True)
class Outage:
    """Collection has been failing since then; `code` is the source's own where it gave one."""

    since: datetime
    code: str
    message: str


class Collector:
    """Collects from one source into one store. Collections take turns; each is idempotent.

    Args:
        source: Whom to ask.
        store: Where readings are kept.
        bell: Rung when there is something new, or an outage begins or ends.
        clock: What time it is.
        feed: The name that the source goes by.
        judge: Says what each value is worth; each row by itself when left out.
    """

    def __init__(
        self,
        source: Source,
        store: ReadingStore,
        bell: Bell,
        clock: Clock,
        *,
        feed: str = "airkorea",
        judge: Judge | None = None,
    ) -> None:
        self.feed: Final = feed
        self.stations: Final = StationList(source, clock)
        self.intake: Final = Intake(store, judge or JudgeByRow(), bell, clock)
        self._source = source
        self._bell = bell
        self._clock = clock
        self._turn = asyncio.Lock()
        self._outage: Outage | None = None
        self._last_success: datetime | None = None

    @property
    def outage(self) -> Outage | None:
        """Why collection is failing; None while it is not."""
        return self._outage

    @property
    def last_success(self) -> datetime | None:
        """When the last collection succeeded; None before the first."""
        return self._last_success

    async def collect(self, fence: Fence | None = None) -> TakenIn:
        """Collects what the source publishes now. Raises SourceError, DatabaseUnavailable, or Fenced."""
        async with self._turn:
            try:
                rows = await self._source.measurements()
                stations = await self.stations.covering(rows.readable)
                taken = await self.intake.take(rows, stations, fence)
            except CleanAirError as error:
                self._failed(error.code if isinstance(error, SourceError) else error.reason, error.message)
                raise
            except Exception:
                self._failed("INTERNAL", "an internal error, which is in the log")
                raise
            self._succeeded(taken)
            return taken

    def _succeeded(self, taken: TakenIn) -> None:
        before, self._outage, self._last_success = self._outage, None, self._clock()
        if before is not None:
            _log.info("collection recovered", feed=self.feed, code=before.code, failing_since=before.since.isoformat())
            self._bell.ring()
        saved, newest = taken.saved, taken.newest_measured_at
        outcomes = {"new": saved.new, "corrected": saved.corrected, "unchanged": saved.unchanged}
        for outcome, count in {**outcomes, "rejected": taken.rejected}.items():
            _ROWS.labels(self.feed, outcome).inc(count)
        if newest is not None:
            _NEWEST.labels(self.feed).set(newest.timestamp())
        _log.info(
            "collected", feed=self.feed, **outcomes, rejected=taken.rejected, newest=newest and newest.isoformat()
        )

    def _failed(self, code: str, message: str) -> None:
        _FAILURES.labels(self.feed, code).inc()
        before = self._outage
        if before is not None and before.code == code:
            return
        self._outage = Outage(before.since if before is not None else self._clock(), code, message)
        _log.warning("collection fails", feed=self.feed, code=code, message=message)
        self._bell.ring()
