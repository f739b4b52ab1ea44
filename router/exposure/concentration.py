"""The concentrations on the streets of one graph in one hour of a field."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import EARTH_RADIUS_M, Floats, distance_m
from air.interpolation import added_deviation, weights_at
from air.korea import KST
from air.places import Station
from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from router.exposure.background import COLUMNS, Background
from router.exposure.between import write_between
from router.exposure.contrast import contrast
from router.exposure.field import HOUR, MEDIAN, STATISTICS, AirField, is_roadside
from router.exposure.recent import Recent
from router.exposure.street import Features, coefficients, features
from router.graph.graph import Graph
from router.read_only import read_only

CELL_M: Final = 250.0
"""The background is interpolated on cells of this width: stations are kilometres apart."""

ROAD_M: Final = 500.0
"""How alike what is a road's own is on two arcs of a way falls by e over this distance between them. Assumed."""

REACH_M: Final = 50_000.0
"""A station farther than this from every street says nothing about the air there."""

_MASKS_KEPT: Final = 8

Arcs = NDArray[np.int32] | slice
ALL_ARCS: Final = slice(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """How stations lie to the cells of a graph.

    Attributes:
        stations: One a column.
        weight: float64[station, cell], for interpolation.
        away_m: float64[station, cell].
        in_reach: bool[station], whether it says anything about the graph.
        deviations: What `deviation` has told, by the bytes of what it was asked.
    """

    stations: tuple[Station, ...]
    weight: Floats
    away_m: Floats
    in_reach: NDArray[np.bool_]
    deviations: Recent[bytes, Floats]

    def deviation(self, known: NDArray[np.bool_]) -> Floats:
        """What interpolation adds, float64[cell, pollutant], by the nearest station that knows (bool[pollutant, s])."""

        def made() -> Floats:
            nearest = [self.away_m.min(axis=0, where=mask[:, None], initial=np.inf) for mask in known]
            return np.stack([added_deviation(near)[:, row] for row, near in enumerate(nearest)], axis=1)

        return self.deviations.get(known.tobytes(), made)


class StreetAir:
    """Brings the air of stations onto the arcs of a graph; any number of threads may ask at once.

    Attributes:
        cell: int32[m], the cell that each arc lies in.
        middle_m: float64[cell, 2], where the cells' middles lie on a plane, metres.
        features: float32[m, feature], what is known of each arc (router.exposure.street).
        kept: float32[m], how alike what is a road's own is from the middle of an arc to its end.
        nothing: The background where nothing is known: its load is that of the streets alone.
    """

    def __init__(self, graph: Graph, influence: Features) -> None:
        """Prepares a graph.

        Args:
            graph: The streets.
            influence: Of main roads on each arc, from `router.exposure.street.influence_of_roads`.
        """
        cell, self._latitude, self._longitude = _cells(graph)
        self.cell = read_only(cell)
        self.middle_m = read_only(_on_plane_m(self._latitude, self._longitude))
        self.features = features(graph, influence)
        self.kept = read_only(np.exp(-0.5 * graph.length_m / ROAD_M).astype(np.float32))
        self.nothing = self._nothing()
        self._last: _Reach | None = None
        self._lock = threading.Lock()

    def background(self, field: AirField, hour: int) -> Background | None:
        """The background in one hour of a field; None when no station in reach has a forecast for it.

        Inverse distance between stations that are not at a roadside. Where only roadside stations know of a pollutant,
        theirs are used, divided by what a main road adds.
        """
        reach = self._reach_of(field.stations)
        values = field.values[:, :, hour, :].copy()
        values[:, :, ~reach.in_reach] = np.nan
        roadside = is_roadside(field.stations)
        behind_houses = [bool(np.isfinite(values[:, row, ~roadside]).any()) for row in range(len(FORECAST_POLLUTANTS))]
        hour_of_day = (field.first_hour + HOUR * hour).astimezone(KST).hour
        for row, pollutant in enumerate(FORECAST_POLLUTANTS):
            values[:, row, roadside] /= np.nan if behind_houses[row] else 1.0 + contrast(pollutant, hour_of_day)
        if not np.isfinite(values).any():
            return None
        by_cell = self._between(reach.weight, values, reach.deviation(np.isfinite(values[MEDIAN])))
        return Background.of(by_cell, coefficients(hour_of_day), behind_houses)

    def on_arcs(self, background: Background, pollutant: Pollutant, arcs: Arcs) -> Floats:
        """The concentration on each of the arcs, float64[statistic, arc], µg/m³."""
        row = FORECAST_POLLUTANTS.index(pollutant)
        influence, calm = self.features[arcs].T
        rise, relief, *_ = background.street[row]
        above_roofs = background.by_cell[self.cell[arcs], row, : len(STATISTICS)].T
        concentration: Floats = above_roofs * (1.0 + rise * influence - relief * calm)
        return concentration

    def load(self, background: Background | None, arcs: Arcs = ALL_ARCS) -> Floats:
        """How many times its WHO guideline each weighed pollutant stands at, summed over them, float64[arc].

        Without a background, or without one of a pollutant, as if it stood at the guideline everywhere: then the
        streets alone make the difference.
        """
        terms = (self.nothing if background is None else background).load[self.cell[arcs]]
        influence, calm = self.features[arcs].T
        total: Floats = terms[:, 0] + terms[:, 1] * influence + terms[:, 2] * calm
        return total

    def _nothing(self) -> Background:
        cells, pollutants = len(self._latitude), len(FORECAST_POLLUTANTS)
        values, deviation = np.empty((len(STATISTICS), pollutants, 0)), np.full((cells, pollutants), np.nan)
        by_cell = self._between(np.empty((0, cells)), values, deviation)
        return Background.of(by_cell, coefficients(None), [False] * pollutants)

    def _between(self, weight: Floats, values: Floats, deviation: Floats) -> NDArray[np.float32]:
        by_cell = np.empty((len(self._latitude), len(FORECAST_POLLUTANTS), COLUMNS), dtype=np.float32)
        write_between(weight, values, deviation, by_cell)
        return by_cell

    def _reach_of(self, stations: tuple[Station, ...]) -> _Reach:
        with self._lock:
            if self._last is None or self._last.stations != stations:
                latitude = np.array([station.location.latitude for station in stations])
                longitude = np.array([station.location.longitude for station in stations])
                away = distance_m(self._latitude, self._longitude, latitude[:, None], longitude[:, None])
                self._last = _Reach(stations, weights_at(away), away, away.min(axis=1) <= REACH_M, Recent(_MASKS_KEPT))
            return self._last


def _on_plane_m(latitude: Floats, longitude: Floats) -> Floats:
    """Places of one city, degrees, on a plane, float64[k, 2], metres."""
    east = np.radians(longitude) * np.cos(np.radians(latitude.mean()))
    plane: Floats = EARTH_RADIUS_M * np.stack([east, np.radians(latitude)], axis=1)
    return plane


def _cells(graph: Graph) -> tuple[NDArray[np.int32], Floats, Floats]:
    """The cell of each arc, int32[m], and the latitude and longitude of the cells that have arcs, degrees."""
    latitude = (graph.latitude[graph.tail] + graph.latitude[graph.head]) / 2
    longitude = (graph.longitude[graph.tail] + graph.longitude[graph.head]) / 2
    height = np.degrees(CELL_M / EARTH_RADIUS_M)
    row = np.floor(latitude / height)
    width = height / np.maximum(np.cos(np.radians((row + 0.5) * height)), 1e-3)
    column = np.floor(longitude / width)
    # One number a cell: rows of a table take ten times as long to tell apart.
    first, columns = float(column.min()), float(np.ptp(column)) + 1.0
    occupied, cell = np.unique(row * columns + (column - first), return_inverse=True)
    row, column = np.divmod(occupied, columns)
    middle_latitude = (row + 0.5) * height
    width = height / np.maximum(np.cos(np.radians(middle_latitude)), 1e-3)
    return cell.astype(np.int32), middle_latitude, (column + first + 0.5) * width
