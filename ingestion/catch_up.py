"""Catching up: what was missed while nobody collected is asked for afterwards, station by station."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from ingestion.collection import Collector
from ingestion.gap import Gap, unsettled
from ingestion.intake import Intake
from ingestion.run import Fence
from ingestion.running import Runner
from ingestion.source import HistorySource, SourceError
from ingestion.store.gaps import GapStore
from ingestion.store.readings import Saved
from mesh.clock import Clock
from mesh.errors import CleanAirError
from mesh.lock import LockTaken

_log: Final = structlog.stdlib.get_logger("catch_up")

# A gap of the network itself stays: to ask about it more often than daily helps nobody.
_ASKED_AGAIN_AFTER: Final = timedelta(days=1)


class Allowance(Protocol):
    """Knows what is left of a day's requests."""

    async def left(self, service: str) -> int:
        """How many more a service allows today. Raises DatabaseUnavailable."""


@dataclass(frozen=True, slots=True)
class Past:
    """A feed's past.

    Attributes:
        source: Knows what its stations measured.
        intake: Takes that in.
        allowance: How many requests the source allows today.
        settles_after: How long after an hour the source shows all that comes late of it.
    """

    source: HistorySource
    intake: Intake
    allowance: Allowance
    settles_after: timedelta


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What catching up brought.

    Attributes:
        stations: How many were asked about.
        waiting: How many were not, since the share of the quota was used up, or the source failed.
    """

    saved: Saved = field(default_factory=Saved)
    rejected: int = 0
    stations: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What catching up may cost.

    Attributes:
        reach: How far back gaps are filled.
        share: How much of the requests left today may be used at a time, 0 to 1.
        reserve: How many requests are left to the collections of the day in any case.
    """

    reach: timedelta = timedelta(days=30)
    share: float = 0.5
    reserve: int = 100


class CatchUp:
    """Fills the gaps of one feed, the newest first, whenever it is woken.

    It looks at the store for what is missing, so that it goes on where another, or it itself before a restart, ended.

    Args:
        collector: Collects the feed.
        past: Knows what was missed.
        gaps: Knows what is missing.
        runner: Keeps catching up to one replica at a time, on record as the feed `<feed>-history`.
        clock: What time it is.
        bounds: What it may cost.
    """

    def __init__(
        self,
        collector: Collector,
        past: Past,
        gaps: GapStore,
        runner: Runner,
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._collector = collector
        self._past = past
        self._gaps = gaps
        self._runner = runner
        self._clock = clock
        self._bounds = bounds or Bounds()
        # By station and the end of the gap: its beginning may be where looking back ends, which moves on.
        self._asked: dict[tuple[str, datetime], datetime] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Has it look for gaps, soon."""
        self._woken.set()

    async def run(self) -> None:
        """Catches up each time that it is woken, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.fill()
            except LockTaken:
                _log.info("another catches up", feed=self._collector.feed)
            except CleanAirError as error:
                _log.warning("catching up fails", feed=self._collector.feed, reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - a defect met in an old row must not end the server
                _log.exception("catching up broke", feed=self._collector.feed)

    async def fill(self) -> CaughtUp:
        """Fills what gaps it may. Raises LockTaken when another replica does, or DatabaseUnavailable."""
        stations = await self._stations()
        if not stations:
            return CaughtUp()

        async def ask(fence: Fence | None) -> CaughtUp:
            return await self._ask(stations, fence)

        caught_up = await self._runner.run(f"{self._collector.feed}-history", None, ask, waits=False)
        return caught_up or CaughtUp()

    async def _stations(self) -> dict[str, list[Gap]]:
        """What to ask about by station, that with the newest gap first."""
        now = self._clock()
        self._asked = {gap: asked for gap, asked in self._asked.items() if now - asked < _ASKED_AGAIN_AFTER}
        start = (now - self._bounds.reach).replace(minute=0, second=0, microsecond=0)
        reporting, settles_after = self._collector.reporting, self._past.settles_after
        gaps = list(await self._gaps.gaps(reporting, start))
        hours = unsettled(await self._gaps.looks(self._collector.feed, start), settles_after, now)
        if hours:
            gaps += await self._gaps.incomplete(reporting, hours, settles_after)
        stations: dict[str, list[Gap]] = {}
        for gap in sorted(gaps, key=lambda gap: gap.until, reverse=True):
            if (gap.station_id, gap.until) not in self._asked:
                stations.setdefault(gap.station_id, []).append(gap)
        return stations

    async def _ask(self, stations: dict[str, list[Gap]], fence: Fence | None) -> CaughtUp:
        spare = max(await self._left() * (1.0 - self._bounds.share), self._bounds.reserve)
        saved, rejected, asked = Saved(), 0, 0
        for gaps in stations.values():
            if await self._left() <= spare:
                break
            try:
                more, refused = await self._ask_about(gaps, fence)
            except SourceError as error:
                _log.warning("catching up fails", feed=self._collector.feed, code=error.code, message=error.message)
                break
            saved = Saved(saved.new + more.new, saved.corrected + more.corrected, saved.unchanged + more.unchanged)
            rejected += refused
            asked += 1
        waiting = len(stations) - asked
        _log.info("caught up", feed=self._collector.feed, stations=asked, waiting=waiting, new=saved.new)
        return CaughtUp(saved, rejected, asked, waiting)

    async def _left(self) -> int:
        return await self._past.allowance.left(self._past.source.history_service)

    async def _ask_about(self, gaps: Sequence[Gap], fence: Fence | None) -> tuple[Saved, int]:
        """What the source says of one station from the hour before its oldest gap on.

        That hour was looked at too early, if what followed was missed; later corrections come along, too.
        """
        rows = await self._past.source.history(gaps[0].station_id, min(gap.after for gap in gaps))
        stations = await self._collector.stations.covering(rows.readable)
        taken = await self._past.intake.take(rows, stations, fence)
        self._asked.update(dict.fromkeys([(gap.station_id, gap.until) for gap in gaps], self._clock()))
        return taken.saved, taken.rejected
