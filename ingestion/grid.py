"""The grid of the Korea Meteorological Administration (KMA): cells 5 km wide on a Lambert conformal conic projection.

Formulas: Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395, 1987), pp. 104-109, for the sphere.
Constants: KMA, user guide of its short-term forecast service (단기예보 조회서비스): an earth of radius 6371.00877 km,
standard parallels 30° N and 60° N, and 38° N 126° E in the middle of the cell (43, 136).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.places import Point
from ingestion.weather import Cell

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COLUMNS: Final = 149
"""How many cells the grid has from west to east; `nx` is 1 to this."""

ROWS: Final = 253
"""How many cells the grid has from south to north; `ny` is 1 to this."""

_CELLS_A_RADIAN: Final = 6371.00877 / 5.0
_PARALLELS: Final = np.radians((30.0, 60.0))
_LATITUDE: Final = np.radians(38.0)
_LONGITUDE: Final = np.radians(126.0)
_NX: Final = 43
_NY: Final = 136


def _opening(latitude: float | Floats) -> Floats:
    """tan(π/4 + φ/2), which the projection turns into a distance from the pole."""
    return np.asarray(np.tan(np.pi / 4.0 + np.asarray(latitude) / 2.0), dtype=np.float64)


_CONE: Final = float(
    np.log(np.cos(_PARALLELS[0]) / np.cos(_PARALLELS[1])) / np.log(_opening(_PARALLELS[1]) / _opening(_PARALLELS[0]))
)
_SCALE: Final = float(_CELLS_A_RADIAN * np.cos(_PARALLELS[0]) * _opening(_PARALLELS[0]) ** _CONE / _CONE)
_POLE: Final = float(_SCALE / _opening(_LATITUDE) ** _CONE)
"""How many cells the pole is from the middle of the cell (43, 136)."""


def cells_at(latitude: Floats, longitude: Floats) -> tuple[Integers, Integers]:
    """The `nx` and `ny` of the cells that places lie in, in the shape of the places; degrees, WGS 84.

    A place off the grid gets a number that no cell has.
    """
    radius = _SCALE / _opening(np.radians(latitude)) ** _CONE
    turned = _CONE * ((np.radians(longitude) - _LONGITUDE + np.pi) % (2.0 * np.pi) - np.pi)
    nx = np.floor(radius * np.sin(turned) + _NX + 0.5)
    ny = np.floor(_POLE - radius * np.cos(turned) + _NY + 0.5)
    return nx.astype(np.int64), ny.astype(np.int64)


def centres_of(nx: Integers, ny: Integers) -> tuple[Floats, Floats]:
    """The latitude and longitude of the middle of each cell, in degrees; the inverse of `cells_at`."""
    east = np.asarray(nx, dtype=np.float64) - _NX
    south = _POLE - (np.asarray(ny, dtype=np.float64) - _NY)
    latitude = 2.0 * np.arctan((_SCALE / np.hypot(east, south)) ** (1.0 / _CONE)) - np.pi / 2.0
    longitude = np.arctan2(east, south) / _CONE + _LONGITUDE
    return np.degrees(latitude), np.degrees(longitude)


def centre_of(cell: Cell) -> Point:
    """The middle of one cell."""
    latitude, longitude = centres_of(np.array([cell.nx]), np.array([cell.ny]))
    return Point(float(latitude[0]), float(longitude[0]))


def cells_of(places: Iterable[Point]) -> list[Cell]:
    """The cells that places lie in, those with most places first; places off the grid are in none."""
    latitude, longitude = np.array([(place.latitude, place.longitude) for place in places]).reshape(-1, 2).T
    counted = Counter(zip(*(numbers.tolist() for numbers in cells_at(latitude, longitude)), strict=True))
    ordered = sorted(counted, key=lambda cell: (-counted[cell], cell))
    return [Cell(nx, ny) for nx, ny in ordered if 1 <= nx <= COLUMNS and 1 <= ny <= ROWS]
