"""What is known of the weather, cell by cell of the weather service's grid: observed, and forecast where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from air.geodesy import distance_m
from air.places import Station
from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import WINDOW_HOURS
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather

Floats = NDArray[np.float32]

FARTHEST_M: Final = 20_000.0
"""The weather this far off still says something of a place."""

LATE_HOURS: Final = 24
"""Measurements may be as old as this, and the week before them is still known."""

_HOURS_KEPT: Final = WINDOW_HOURS + LATE_HOURS + HORIZON_HOURS + LATE_HOURS
_TEMPERATURE: Final = 0


class WeatherSource(Protocol):
    """Knows the weather at stations."""

    def at(self, stations: Sequence[Station], issue_hour: int) -> Weather:
        """The weather around an issue hour, in hours since 1970-01-01T00Z; NaN where nothing is known."""


class CellKey(NamedTuple):
    """The name of a cell: its column and row in the grid."""

    nx: int
    ny: int


@dataclass(frozen=True, slots=True, eq=False)
class GridHours:
    """The weather of some cells in the same hours.

    Attributes:
        cells: Their names.
        latitude: Of their centres, degrees, (cells,).
        longitude: The same.
        start_hour: The first hour, in hours since 1970-01-01T00Z.
        values: (cells, hours, FORESEEN), float32: what `Weather.foreseen` holds; NaN where it is not known.
    """

    cells: tuple[CellKey, ...]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    start_hour: int
    values: Floats

    @property
    def end_hour(self) -> int:
        """The hour after the last."""
        hours: int = self.values.shape[1]
        return self.start_hour + hours


class WeatherBook:
    """The newest that is known of each cell and hour; a `WeatherSource`.

    Who puts says what is known best of each hour, so that what is put later stands. For hindcasts, put at each hour
    what was known then.
    """

    def __init__(self) -> None:
        self._grid: GridHours | None = None

    @property
    def cells(self) -> frozenset[CellKey]:
        """The cells of which something is known."""
        return frozenset() if self._grid is None else frozenset(self._grid.cells)

    def put(self, news: GridHours) -> None:
        """Takes what is known now of all cells; an hour without a temperature says nothing, and cells left out go.

        Of the hours before only those stay that are within 12 days of the newest.
        """
        before = self._grid
        end = news.end_hour if before is None else max(news.end_hour, before.end_hour)
        start = end - _HOURS_KEPT
        values = np.full((len(news.cells), _HOURS_KEPT, FORESEEN), np.nan, dtype=np.float32)
        if before is not None:
            held = {cell: place for place, cell in enumerate(before.cells)}
            for place, cell in enumerate(news.cells):
                if cell in held:
                    values[place] = between(before.values[held[cell]], before.start_hour, start, end)
        shifted = between(news.values, news.start_hour, start, end)
        known = np.isfinite(shifted[..., _TEMPERATURE])
        values[known] = shifted[known]
        values.setflags(write=False)
        self._grid = GridHours(news.cells, news.latitude, news.longitude, start, values)

    def at(self, stations: Sequence[Station], issue_hour: int) -> Weather:
        """Of each station what is known of the nearest cell within 20 km; see `WeatherSource`."""
        first, end = issue_hour - WINDOW_HOURS + 1, issue_hour + HORIZON_HOURS + 1
        hours = np.full((len(stations), end - first, FORESEEN), np.nan, dtype=np.float32)
        grid = self._grid
        if grid is not None and stations and grid.cells:
            latitude = np.array([station.location.latitude for station in stations])
            longitude = np.array([station.location.longitude for station in stations])
            distance = distance_m(latitude[:, None], longitude[:, None], grid.latitude, grid.longitude)
            nearest = distance.argmin(axis=1)
            near = distance[np.arange(len(stations)), nearest] <= FARTHEST_M
            hours[near] = between(grid.values, grid.start_hour, first, end)[nearest[near]]
        known = torch.from_numpy(hours)
        return Weather(known[:, :WINDOW_HOURS, :OBSERVED], known[:, WINDOW_HOURS:])


def between(values: Floats, start_hour: int, first: int, end: int) -> Floats:
    """Values (…, hours, any) from `start_hour` on, as those from `first` to before `end`: NaN where there are none."""
    hours = values.shape[-2]
    moved = np.full((*values.shape[:-2], end - first, values.shape[-1]), np.nan, dtype=np.float32)
    low, high = max(first, start_hour), min(end, start_hour + hours)
    if low < high:
        moved[..., low - first : high - first, :] = values[..., low - start_hour : high - start_hour, :]
    return moved
