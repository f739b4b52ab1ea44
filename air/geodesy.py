"""Distances on a sphere: one earth model for lengths, heuristics and interpolation alike."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius R1 of the WGS 84 ellipsoid, metres."""

Floats = NDArray[np.float64]


def distance_m(latitude_a: Floats, longitude_a: Floats, latitude_b: Floats, longitude_b: Floats) -> Floats:
    """Great-circle distance in metres by the haversine formula; degrees in, shapes broadcast."""
    phi_a, phi_b = np.radians(latitude_a), np.radians(latitude_b)
    half_phi = (phi_b - phi_a) / 2
    half_lambda = np.radians(np.asarray(longitude_b) - np.asarray(longitude_a)) / 2
    haversine = np.sin(half_phi) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(half_lambda) ** 2
    distance: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0.0, 1.0)))
    return distance
