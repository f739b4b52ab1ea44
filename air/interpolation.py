"""Concentrations between stations: inverse squared distance, and what a forecast loses by it.

Left out one by one, stations of Korea are met by it with an RMSE 3 to 5 % above ordinary kriging's (exponential
variogram), as well as by regressions on place whose rest is interpolated likewise, and 16 to 22 % below the nearest
station's: `make bench ARGS=interpolation` prints the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from air.geodesy import Floats, distance_m
from air.pollutants import FORECAST_POLLUTANTS, Pollutant

NEAREST_M: Final = 50.0
"""Nearer than this a station counts as this far, so that no weight is infinite; and its air is the air there."""

NORMAL_90: Final = 1.2815515655446004
"""The 90 % quantile of the normal distribution."""


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
    weight = weights_at(distance, power=power)
    normalised: Floats = weight / weight.sum(axis=1, keepdims=True)
    return normalised


def weights_at(distance: Floats, *, power: float = 2.0) -> Floats:
    """Weights by distance in metres, any shape: only how they compare has a meaning."""
    weight: Floats = np.maximum(distance, NEAREST_M) ** -power
    return weight


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


@dataclass(frozen=True, slots=True)
class _Added:
    """What a pollutant's forecast is less sure of away from stations, as a standard deviation of ln(x + shift).

    Attributes:
        shift: In the pollutant's unit.
        nugget: Just beside a station.
        slope: More for each kilometre to the nearest station.
    """

    shift: float
    nugget: float
    slope: float


# Fitted so that calibrated 80 % intervals of damped persistence, 1 to 72 h ahead, stay calibrated at stations that are
# left out, alone or with all within 6, 10, 15 and 25 km: 599 stations of Korea away from kerbs, April 2025 to January
# 2026 (AirKorea), by `make bench ARGS=interpolation`. For particles it is a quarter of the variance of measurements
# about interpolated ones, for gases two thirds: the rest, peculiar to a station and an hour, its own interval holds.
_ADDED: Final[Mapping[Pollutant, _Added]] = {
    Pollutant.PM25: _Added(5.0, 0.110, 0.0010),
    Pollutant.PM10: _Added(10.0, 0.090, 0.0010),
    Pollutant.O3: _Added(0.020, 0.095, 0.0010),
    Pollutant.NO2: _Added(0.010, 0.145, 0.0008),
}
_FARTHEST_KM: Final = 30.0
"""Beyond it too few stations are that far from all others for a fit."""

_PARTS: Final = tuple(_ADDED[pollutant] for pollutant in FORECAST_POLLUTANTS)
_SHIFT: Final = np.array([part.shift for part in _PARTS])
SHIFT: Final[Mapping[Pollutant, float]] = {pollutant: part.shift for pollutant, part in _ADDED.items()}
"""By pollutant, in its unit: errors are alike on the scale of ln(x + shift)."""
_NUGGET: Final = np.array([part.nugget for part in _PARTS])
_SLOPE: Final = np.array([part.slope for part in _PARTS])


def added_deviation(nearest_m: Floats) -> Floats:
    """What interpolation adds at places by their distance to the nearest station: (..., forecast pollutants).

    A standard deviation on the scale of ln(x + shift); 0 up to `NEAREST_M`, the same from 30 km on.
    """
    kilometres = np.minimum(nearest_m / 1000.0, _FARTHEST_KM)[..., None]
    deviation: Floats = np.where(nearest_m[..., None] > NEAREST_M, _NUGGET + _SLOPE * kilometres, 0.0)
    return deviation


def widened(quantiles: Floats, deviation: Floats) -> Floats:
    """Interpolated quantiles with the variance of the interpolation added to each side of the median.

    Args:
        quantiles: 10, 50 and 90 %, (targets, hours, forecast pollutants, 3), in network units, ascending, 0 or more.
        deviation: Of each target, (targets, forecast pollutants), from `added_deviation`.
    """
    shift = _SHIFT[:, None]
    low, middle, high = np.moveaxis(np.log(quantiles + shift), -1, 0)
    added = (NORMAL_90 * deviation[:, None]) ** 2
    lower = np.exp(middle - np.sqrt((middle - low) ** 2 + added)) - _SHIFT
    upper = np.exp(middle + np.sqrt((high - middle) ** 2 + added)) - _SHIFT
    unmoved = quantiles[..., 1]
    # Not narrower by a rounding of the logarithm either.
    return np.stack([np.clip(lower, 0.0, quantiles[..., 0]), unmoved, np.maximum(upper, quantiles[..., 2])], axis=-1)
