"""Concentrations between stations: inverse squared distance, the best of the simple ways on Seoul's winter PM2.5."""

from __future__ import annotations

from typing import Final

import numpy as np

from air.geodesy import Floats, distance_m

NEAREST_M: Final = 50.0
"""Nearer than this a station counts as this far, so that no weight is infinite."""


def weights(
    latitude: Floats, longitude: Floats, station_latitude: Floats, station_longitude: Floats, *, power: float = 2.0
) -> Floats:
    """Weights of `s` stations at `t` targets: shape (t, s), rows sum to 1. Degrees in; needs a station or more."""
    distance = distance_m(
        np.asarray(latitude)[:, None],
        np.asarray(longitude)[:, None],
        np.asarray(station_latitude)[None, :],
        np.asarray(station_longitude)[None, :],
    )
    weight = np.maximum(distance, NEAREST_M) ** -power
    normalised: Floats = weight / weight.sum(axis=1, keepdims=True)
    return normalised


def interpolate(weight: Floats, values: Floats) -> Floats:
    """Values at targets, shape (t, ...), from weights (t, s) and station values (s, ...); NaN stations are left out.

    A target is NaN only where every station is.
    """
    known = np.isfinite(values)
    total = np.tensordot(weight, np.where(known, values, 0.0), axes=1)
    share = np.tensordot(weight, known.astype(np.float64), axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate: Floats = np.where(share > 0, total / share, np.nan)
    return estimate
