"""Which cells the weather is collected of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from ingestion.grid import cells_of
from ingestion.store.stations import StationStore
from ingestion.weather import Cell

_log: Final = structlog.stdlib.get_logger("weather")


class WeatherCells:
    """The cells that were chosen, or those that stations stand in.

    Args:
        stations: Whose cells to take when none are chosen.
        chosen: The cells to collect, whatever stations there are.
        most: How many cells at most; those with most stations come first.
    """

    def __init__(self, stations: StationStore, *, chosen: Sequence[Cell] = (), most: int) -> None:
        self._stations = stations
        self._chosen = tuple(dict.fromkeys(chosen))
        self._most = most
        self._told = 0

    async def all(self) -> Sequence[Cell]:
        """The cells; none as long as no station is known. Raises DatabaseUnavailable."""
        cells = self._chosen or cells_of(place.station.location for place in await self._stations.current())
        left_out = max(len(cells) - self._most, 0)
        if left_out and left_out != self._told:
            _log.warning("more cells than may be asked for", cells=len(cells), asked=self._most)
        self._told = left_out
        return cells[: self._most]
