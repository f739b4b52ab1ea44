"""Collection: asks the source, judges what it says, stores what is new, and tells those who follow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from air.places import Station
from ingestion.quality.cleaning import judge
from ingestion.reading import RawMeasurement, Reading
from ingestion.source import RejectedRow, Rows, Source, SourceError
from ingestion.store.readings import ReadingStore, Saved
from mesh.bell import Bell
from mesh.clock import Clock
from mesh.errors import CleanAirError

_log: Final = structlog.stdlib.get_logger("collection")

_ROWS: Final = Counter("cleanair_collected_rows", "Rows collected.", ["outcome"])
_FAILURES: Final = Counter("cleanair_collection_failures", "Collections that failed.", ["code"])
_NEWEST: Final = Gauge("cleanair_newest_reading_timestamp_seconds", "The newest hour collected.")

_STATIONS_KEPT: Final = timedelta(days=1)
_STATIONS_KEPT_AT_LEAST: Final = timedelta(hours=1)
# The network labels an hour by its end, so a label ahead of our clock is a fault, beyond what clocks may differ by.
_CLOCK_TOLERANCE: Final = timedelta(minutes=10)
_MOST_REMEMBERED: Final = 5000


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection brought."""

    saved: Saved
    rejected: int
    newest_measured_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outage:
    """Collection has been failing since then; `code` is the source's own where it gave one."""

    since: datetime
    code: str
    message: str


class Collector:
    """Collects from one source into one store. Collections take turns; each is idempotent."""

    def __init__(self, source: Source, store: ReadingStore, bell: Bell, clock: Clock) -> None:
        self._source = source
        self._store = store
        self._bell = bell
        self._clock = clock
        self._turn = asyncio.Lock()
        self._stations = _StationList(source, clock)
        self._told: set[RejectedRow] = set()
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

    async def collect(self) -> Collected:
        """Collects what the source publishes now. Raises SourceError, or DatabaseUnavailable."""
        async with self._turn:
            try:
                collected = await self._collect()
            except CleanAirError as error:
                self._failed(error.code if isinstance(error, SourceError) else error.reason, error.message)
                raise
            except Exception:
                self._failed("INTERNAL", "an internal error, which is in the log")
                raise
            self._succeeded(collected)
            return collected

    async def _collect(self) -> Collected:
        rows = await self._source.measurements()
        stations = await self._stations.covering(rows.readable)
        latest_hour = self._clock() + _CLOCK_TOLERANCE
        rejected = list(rows.rejected)
        # An answer mixes hours, and may repeat one: the last row of a station and hour stands.
        readings: dict[tuple[str, datetime], Reading] = {}
        for row in rows.readable:
            station = stations.get(row.station_id)
            if station is None:
                rejected.append(RejectedRow(row.station_id, "not in the station list"))
            elif row.measured_at > latest_hour:
                rejected.append(RejectedRow(row.station_id, "hour in the future"))
            else:
                readings[row.station_id, row.measured_at] = Reading(station, row.measured_at, judge(row))
        self._tell(rejected)
        saved = await self._store.save(list(readings.values()), self._clock())
        newest = max((hour for _, hour in readings), default=None)
        return Collected(saved, len(rejected), newest)

    def _succeeded(self, collected: Collected) -> None:
        now = self._clock()
        if self._outage is not None:
            _log.info("collection recovered", code=self._outage.code, failing_since=self._outage.since.isoformat())
        if collected.saved.new or collected.saved.corrected or self._outage is not None:
            self._bell.ring()
        self._outage = None
        self._last_success = now
        saved = collected.saved
        outcomes = {"new": saved.new, "corrected": saved.corrected, "unchanged": saved.unchanged}
        for outcome, count in {**outcomes, "rejected": collected.rejected}.items():
            _ROWS.labels(outcome).inc(count)
        if collected.newest_measured_at is not None:
            _NEWEST.set(collected.newest_measured_at.timestamp())
        _log.info(
            "collected",
            **outcomes,
            rejected=collected.rejected,
            newest=collected.newest_measured_at and collected.newest_measured_at.isoformat(),
        )

    def _failed(self, code: str, message: str) -> None:
        _FAILURES.labels(code).inc()
        before = self._outage
        if before is not None and before.code == code:
            return
        self._outage = Outage(before.since if before is not None else self._clock(), code, message)
        _log.warning("collection fails", code=code, message=message)
        self._bell.ring()

    def _tell(self, rejected: Iterable[RejectedRow]) -> None:
        """Logs each rejection once: a station that is not in the list is not in it next hour either."""
        news = [row for row in rejected if row not in self._told]
        if len(self._told) > _MOST_REMEMBERED:
            self._told.clear()
        self._told.update(news)
        for row in news[:_MOST_REMEMBERED]:
            _log.warning("row rejected", station=row.subject, reason=row.reason)


class _StationList:
    """The source's stations, asked for once a day, and again when a row is of a station that is not among them."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._stations: dict[str, Station] = {}
        self._asked_at: datetime | None = None

    async def covering(self, rows: Sequence[RawMeasurement]) -> dict[str, Station]:
        """Stations by id. Raises SourceError when there is no list at all; an old one is better than none."""
        if self._is_due(rows):
            try:
                self._keep(await self._source.stations())
            except SourceError as error:
                if not self._stations:
                    raise
                _log.warning("station list not renewed", code=error.code, message=error.message)
            self._asked_at = self._clock()
        return self._stations

    def _is_due(self, rows: Sequence[RawMeasurement]) -> bool:
        if self._asked_at is None or not self._stations:
            return True
        age = self._clock() - self._asked_at
        lacks_one = any(row.station_id not in self._stations for row in rows)
        return age >= (_STATIONS_KEPT_AT_LEAST if lacks_one else _STATIONS_KEPT)

    def _keep(self, rows: Rows[Station]) -> None:
        for row in rows.rejected:
            _log.warning("station rejected", station=row.subject, reason=row.reason)
        # A station that has left the list may still report: its last known place is kept.
        self._stations = {**self._stations, **{station.station_id: station for station in rows.readable}}
