"""The way of rows into the store: matched with their stations, judged, saved, told to those who follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from air.places import Station
from ingestion.quality.cleaning import judge
from ingestion.reading import RawMeasurement, Reading
from ingestion.run import Fence
from ingestion.source import RejectedRow, Rows
from ingestion.store.readings import ReadingStore, Saved
from mesh.bell import Bell
from mesh.clock import Clock

_log: Final = structlog.stdlib.get_logger("intake")

# The network labels an hour by its end, so a label ahead of our clock is a fault, beyond what clocks may differ by.
_CLOCK_TOLERANCE: Final = timedelta(minutes=10)
_MOST_REMEMBERED: Final = 5000


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A readable row, and the station that it is of."""

    station: Station
    row: RawMeasurement


class Judge(Protocol):
    """Says what each value of a row is worth."""

    async def judge(self, rows: Sequence[PlacedRow]) -> Sequence[Reading]:
        """The readings that the rows make, one each, in their order. Raises DatabaseUnavailable."""


class JudgeByRow:
    """Judges each row by itself, with no eye on the hours before or the stations around."""

    async def judge(self, rows: Sequence[PlacedRow]) -> Sequence[Reading]:
        """The readings that the rows make."""
        return [Reading(placed.station, placed.row.measured_at, judge(placed.row)) for placed in rows]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of rows.

    Attributes:
        newest_measured_at: The newest hour among those that could be used.
    """

    saved: Saved
    rejected: int
    newest_measured_at: datetime | None


class Intake:
    """Takes rows in, whichever source and question they come from."""

    def __init__(self, store: ReadingStore, judge: Judge, bell: Bell, clock: Clock) -> None:
        self._store = store
        self._judge = judge
        self._bell = bell
        self._clock = clock
        self._told: set[RejectedRow] = set()

    async def take(
        self,
        rows: Rows[RawMeasurement],
        stations: Mapping[str, Station],
        fence: Fence | None = None,
    ) -> TakenIn:
        """Stores what the rows say, all or nothing. Raises DatabaseUnavailable, or Fenced."""
        latest_hour = self._clock() + _CLOCK_TOLERANCE
        rejected = list(rows.rejected)
        # An answer mixes hours, and may repeat one: the last row of a station and hour stands.
        usable: dict[tuple[str, datetime], PlacedRow] = {}
        for row in rows.readable:
            station = stations.get(row.station_id)
            if station is None:
                rejected.append(RejectedRow(row.station_id, "not in the station list"))
            elif row.measured_at > latest_hour:
                rejected.append(RejectedRow(row.station_id, "hour in the future"))
            else:
                usable[row.station_id, row.measured_at] = PlacedRow(station, row)
        self._tell(rejected)
        readings = await self._judge.judge(list(usable.values()))
        saved = await self._store.save(readings, self._clock(), fence=fence)
        if saved.new or saved.corrected:
            self._bell.ring()
        return TakenIn(saved, len(rejected), max((hour for _, hour in usable), default=None))

    def _tell(self, rejected: Iterable[RejectedRow]) -> None:
        """Logs each rejection once: a station that is not in the list is not in it next hour either."""
        news = [row for row in rejected if row not in self._told]
        if len(self._told) > _MOST_REMEMBERED:
            self._told.clear()
        self._told.update(news)
        for row in news[:_MOST_REMEMBERED]:
            _log.warning("row rejected", station=row.subject, reason=row.reason)
