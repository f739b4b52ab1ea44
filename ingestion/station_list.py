"""The stations of a feed, as a collection needs them: known before their rows are, and seldom asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from air.places import Station
from ingestion.reading import RawMeasurement
from ingestion.source import Source, SourceError
from ingestion.station import ListedStation
from ingestion.store.stations import StationStore
from mesh.clock import Clock

_log: Final = structlog.stdlib.get_logger("stations")

_KEPT: Final = timedelta(days=1)
_KEPT_AT_LEAST: Final = timedelta(hours=1)


class StationList:
    """A feed's stations, known from before a restart or as listed now.

    The source is asked once a day, and again when a row is of a station that is not among them.

    Args:
        feed: The name that the source goes by.
        source: Whom to ask.
        store: Where stations are kept.
        clock: What time it is.
    """

    def __init__(self, feed: str, source: Source, store: StationStore, clock: Clock) -> None:
        self._feed = feed
        self._source = source
        self._store = store
        self._clock = clock
        self._stations: dict[str, Station] = {}
        self._asked_at: datetime | None = None

    async def covering(self, rows: Sequence[RawMeasurement]) -> dict[str, Station]:
        """Stations by id; an old list is better than none.

        Raises SourceError when there is none at all, or DatabaseUnavailable.
        """
        if self._asked_at is None:
            await self._recall()
        if self._is_due(rows):
            try:
                await self._renew()
            except SourceError as error:
                if not self._stations:
                    raise
                _log.warning("station list not renewed", feed=self._feed, code=error.code, message=error.message)
            self._asked_at = self._clock()
        return self._stations

    def _is_due(self, rows: Sequence[RawMeasurement]) -> bool:
        if self._asked_at is None or not self._stations:
            return True
        age = self._clock() - self._asked_at
        lacks_one = any(row.station_id not in self._stations for row in rows)
        return age >= (_KEPT_AT_LEAST if lacks_one else _KEPT)

    async def _recall(self) -> None:
        self._stations = {place.station.station_id: place.station for place in await self._store.current(self._feed)}

    async def _renew(self) -> None:
        rows = await self._source.stations()
        for row in rows.rejected:
            _log.warning("station rejected", feed=self._feed, station=row.subject, reason=row.reason)
        await self._observe(rows.readable)
        await self._recall()

    async def _observe(self, listed: Sequence[ListedStation]) -> None:
        changes = await self._store.observe(self._feed, listed, self._clock())
        for move in changes.moved:
            _log.info("station moved", feed=self._feed, station=move.station_id, meters=round(move.meters))
        for station_id in changes.foreign:
            _log.warning("station of another feed", feed=self._feed, station=station_id)
        if changes.new:
            _log.info("stations new", feed=self._feed, count=len(changes.new))
