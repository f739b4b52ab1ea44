"""The concentrations on the streets of one graph in one hour of a field."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import EARTH_RADIUS_M, Floats, distance_m
from air.interpolation import interpolate, weights
from air.places import Station
from air.pollutants import FORECAST_POLLUTANTS, WHO_GUIDELINE_UG_M3, Pollutant
from router.exposure.field import MEDIAN, AirField, is_roadside
from router.exposure.street import CONTRAST, StreetContrast
from router.graph.graph import Graph
from router.search.shapes import Shapes

CELL_M: Final = 250.0
"""The background is interpolated on cells of this width: stations are kilometres apart."""

REACH_M: Final = 50_000.0
"""A station farther than this from every street says nothing about the air there."""

WEIGHED: Final = (Pollutant.NO2, Pollutant.PM25)
"""The pollutants whose dose the healthiest way makes least, each in shares of its WHO guideline."""

Arcs = NDArray[np.int32] | slice
ALL_ARCS: Final = slice(None)


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The air above the roofs in one hour, as the mean of that hour.

    Attributes:
        by_cell: float64[statistic, pollutant, cell], µg/m³; NaN where nothing is known.
        known: The pollutants of which something is known.
        roadside_only: Those of them that are known from roadside stations alone.
    """

    by_cell: Floats
    known: tuple[Pollutant, ...]
    roadside_only: tuple[Pollutant, ...]


class StreetAir:
    """Brings the air of stations onto the arcs of a graph; any number of threads may ask at once."""

    def __init__(self, graph: Graph, shapes: Shapes) -> None:
        self._cell, self._latitude, self._longitude = _cells(graph)
        self._contrast = StreetContrast(graph, shapes)
        self._last: tuple[tuple[Station, ...], Floats, NDArray[np.bool_]] | None = None
        self._lock = threading.Lock()

    def background(self, field: AirField, hour: int) -> Background | None:
        """The background in one hour of a field; None when no station in reach has a forecast for it.

        Inverse distance between stations that are not at a roadside. Where only roadside stations know of a pollutant,
        theirs are used, divided by what a main road adds.
        """
        weight, in_reach = self._weights_of(field.stations)
        values = field.values[:, :, hour, :].copy()
        values[:, :, ~in_reach] = np.nan
        roadside = is_roadside(field.stations)
        behind_houses = [bool(np.isfinite(values[:, row, ~roadside]).any()) for row in range(len(FORECAST_POLLUTANTS))]
        for row, pollutant in enumerate(FORECAST_POLLUTANTS):
            values[:, row, roadside] /= np.nan if behind_houses[row] else 1.0 + CONTRAST[pollutant]
        if not np.isfinite(values).any():
            return None
        by_cell = np.moveaxis(interpolate(weight, np.moveaxis(values, 2, 0)), 0, 2)
        rows = [row for row in range(len(FORECAST_POLLUTANTS)) if np.isfinite(by_cell[MEDIAN, row]).all()]
        return Background(
            by_cell,
            known=tuple(FORECAST_POLLUTANTS[row] for row in rows),
            roadside_only=tuple(FORECAST_POLLUTANTS[row] for row in rows if not behind_houses[row]),
        )

    def on_arcs(self, background: Background, pollutant: Pollutant, arcs: Arcs) -> Floats:
        """The concentration on each of the arcs, float64[quantile, arc], µg/m³."""
        row = FORECAST_POLLUTANTS.index(pollutant)
        return background.by_cell[:, row, self._cell[arcs]] * self._contrast.ratio(pollutant, arcs)

    def load(self, background: Background | None, arcs: Arcs = ALL_ARCS) -> Floats:
        """How many times its WHO guideline each weighed pollutant stands at, summed over them, float64[arc].

        Without a background, or without one of a pollutant, as if it stood at the guideline everywhere: then the
        streets alone make the difference.
        """
        total = np.zeros(len(self._cell[arcs]))
        known = () if background is None else background.known
        for pollutant in WEIGHED:
            if background is not None and pollutant in known:
                row = FORECAST_POLLUTANTS.index(pollutant)
                above_roofs = background.by_cell[MEDIAN, row, self._cell[arcs]]
                total += above_roofs * self._contrast.ratio(pollutant, arcs) / WHO_GUIDELINE_UG_M3[pollutant]
            else:
                total += self._contrast.ratio(pollutant, arcs)
        return total

    def _weights_of(self, stations: tuple[Station, ...]) -> tuple[Floats, NDArray[np.bool_]]:
        """Interpolation weights, float64[cell, station], and which stations are in reach, bool[station]."""
        with self._lock:
            if self._last is None or self._last[0] != stations:
                latitude = np.array([station.location.latitude for station in stations])
                longitude = np.array([station.location.longitude for station in stations])
                away = distance_m(self._latitude[:, None], self._longitude[:, None], latitude, longitude)
                weight = weights(self._latitude, self._longitude, latitude, longitude)
                self._last = stations, weight, away.min(axis=0) <= REACH_M
            return self._last[1], self._last[2]


def _cells(graph: Graph) -> tuple[NDArray[np.int32], Floats, Floats]:
    """The cell of each arc, int32[m], and the latitude and longitude of the cells that have arcs, degrees."""
    latitude = (graph.latitude[graph.tail] + graph.latitude[graph.head]) / 2
    longitude = (graph.longitude[graph.tail] + graph.longitude[graph.head]) / 2
    height = np.degrees(CELL_M / EARTH_RADIUS_M)
    row = np.floor(latitude / height)
    width = height / np.maximum(np.cos(np.radians((row + 0.5) * height)), 1e-3)
    column = np.floor(longitude / width)
    occupied, cell = np.unique(np.stack([row, column], axis=1), axis=0, return_inverse=True)
    middle_latitude = (occupied[:, 0] + 0.5) * height
    width = height / np.maximum(np.cos(np.radians(middle_latitude)), 1e-3)
    return cell.ravel().astype(np.int32), middle_latitude, (occupied[:, 1] + 0.5) * width
