"""A flat map to measure nearness on: Mercator, conformal, so that what is nearest on it is nearest on Earth."""

from __future__ import annotations

from typing import Final

import numpy as np

from air.geodesy import EARTH_RADIUS_M, Floats

EDGE_DEGREES: Final = 89.9
"""The poles have no place on the map: what lies beyond this latitude is put on it."""


def on_plane(points: Floats) -> Floats:
    """Points (float64[p, 2], latitude and longitude in degrees) on the map, float64[p, 2], x and y in metres."""
    y = np.log(np.tan(np.pi / 4 + np.radians(_off_pole(points[:, 0])) / 2))
    on_it: Floats = EARTH_RADIUS_M * np.stack([np.radians(points[:, 1]), y], axis=1)
    return on_it


def stretch(latitude: Floats) -> Floats:
    """How many metres of the map one metre on Earth is, at a latitude in degrees."""
    factor: Floats = 1.0 / np.cos(np.radians(_off_pole(latitude)))
    return factor


def _off_pole(latitude: Floats) -> Floats:
    return np.clip(latitude, -EDGE_DEGREES, EDGE_DEGREES)
