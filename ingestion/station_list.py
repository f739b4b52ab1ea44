"""The stations of a source, as a collection needs them: known before their rows are, and seldom asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from air.places import Station
from ingestion.reading import RawMeasurement
from ingestion.source import Rows, Source, SourceError
from mesh.clock import Clock

_log: Final = structlog.stdlib.get_logger("stations")

_KEPT: Final = timedelta(days=1)
_KEPT_AT_LEAST: Final = timedelta(hours=1)


class StationList:
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
        return age >= (_KEPT_AT_LEAST if lacks_one else _KEPT)

    def _keep(self, rows: Rows[Station]) -> None:
        for row in rows.rejected:
            _log.warning("station rejected", station=row.subject, reason=row.reason)
        # A station that has left the list may still report: its last known place is kept.
        self._stations = {**self._stations, **{station.station_id: station for station in rows.readable}}
