"""The check of a station against those around it, in the same hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats, distance_m
from ingestion.quality.thresholds import (
    LEAST_NEIGHBOURS,
    MOST_NEIGHBOURS,
    NEIGHBOUR_LIMIT,
    NEIGHBOUR_RADIUS_M,
    NEIGHBOUR_SPREAD,
    Threshold,
)
from ingestion.quality.verdict import Level

_MAD_TO_DEVIATION: Final = 1.4826
"""The standard deviation of a normal distribution in its median absolute deviations."""

_METERS_A_DEGREE: Final = 111_000.0
# Of ten thousand stations all pairs at once would take a gigabyte.
_STATIONS_AT_ONCE: Final = 512

Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees from south to north and from west to east, within which all neighbours of some stations stand."""

    south: float
    north: float
    west: float
    east: float

    @classmethod
    def around(cls, latitudes: Sequence[float], longitudes: Sequence[float]) -> Box:
        """The box of stations at these places, one or more."""
        margin = 1.01 * NEIGHBOUR_RADIUS_M / _METERS_A_DEGREE
        # A degree of longitude is the shorter the farther from the equator; near a pole the box is a belt.
        narrowest = math.cos(math.radians(min(89.0, max(map(abs, latitudes)) + margin)))
        return cls(
            min(latitudes) - margin,
            max(latitudes) + margin,
            min(longitudes) - margin / narrowest,
            max(longitudes) + margin / narrowest,
        )


class Neighbourhood:
    """The nearest stations around each station.

    Args:
        latitude: Degrees, shape (S,); NaN where unknown: such a station has no neighbours.
        longitude: Likewise.
        roadside: Whether it stands at a road, shape (S,).
    """

    def __init__(self, latitude: Floats, longitude: Floats, roadside: Flags) -> None:
        any_kind, own_kind = [], []
        for start in range(0, len(latitude), _STATIONS_AT_ONCE):
            these = slice(start, start + _STATIONS_AT_ONCE)
            near = _distances(latitude, longitude, start)
            any_kind.append(_nearest(near))
            own_kind.append(_nearest(np.where(roadside[these, None] == roadside, near, np.inf)))
        self._of_any_kind = np.concatenate(any_kind)
        self._of_own_kind = np.concatenate(own_kind)

    def check(self, values: Floats, threshold: Threshold) -> Levels:
        """SUSPECT where a value is far from the median around it; values and levels of shape (T, S), NaN where none.

        Far is by the logarithm, in robust standard deviations: `NEIGHBOUR_LIMIT` of the neighbours' spread, or of
        `NEIGHBOUR_SPREAD` if that is more. NOT_EVALUATED with fewer than `LEAST_NEIGHBOURS` that measured.
        """
        nearest = self._of_own_kind if threshold.by_kind else self._of_any_kind
        # A last column without values stands in for the neighbours that there are not.
        logs = np.full((values.shape[0], values.shape[1] + 1), np.nan, dtype=np.float32)
        np.log(values + threshold.offset, out=logs[:, :-1], casting="same_kind")
        around = np.sort(logs[:, nearest], axis=-1)
        count = np.count_nonzero(np.isfinite(around), axis=-1)
        median = _median(around, count)
        deviation = _median(np.sort(np.abs(around - median[..., None]), axis=-1), count)
        spread = np.maximum(_MAD_TO_DEVIATION * deviation, NEIGHBOUR_SPREAD)
        levels = np.full(values.shape, Level.PASS, dtype=np.uint8)
        levels[np.abs(logs[:, :-1] - median) > NEIGHBOUR_LIMIT * spread] = Level.SUSPECT
        levels[count < LEAST_NEIGHBOURS] = Level.NOT_EVALUATED
        return levels


def _distances(latitude: Floats, longitude: Floats, start: int) -> Floats:
    """Metres from some stations to all, from `start` on; infinite where too far, unknown, or the station itself."""
    some = slice(start, start + _STATIONS_AT_ONCE)
    # Few are near: the others need no arc sine.
    near = np.abs(latitude[some, None] - latitude) * _METERS_A_DEGREE <= NEIGHBOUR_RADIUS_M
    one, other = np.nonzero(near)
    metres = np.full(near.shape, np.inf)
    apart = distance_m(latitude[start + one], longitude[start + one], latitude[other], longitude[other])
    metres[one, other] = np.where((apart <= NEIGHBOUR_RADIUS_M) & (start + one != other), apart, np.inf)
    return metres


def _nearest(metres: Floats) -> Indices:
    """The places of the nearest stations, shape (…, at most MOST_NEIGHBOURS); S where there are no more."""
    nearest = np.argsort(metres, axis=1, kind="stable")[:, :MOST_NEIGHBOURS]
    places: Indices = np.where(np.isfinite(np.take_along_axis(metres, nearest, axis=1)), nearest, metres.shape[1])
    return places


def _median(ordered: NDArray[np.float32], count: Indices) -> NDArray[np.float32]:
    """The median along the last axis, which is in order, of the first `count`; NaN where there is none."""
    last = max(ordered.shape[-1] - 1, 0)
    low = np.take_along_axis(ordered, np.clip((count - 1) // 2, 0, last)[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.clip(count // 2, 0, last)[..., None], axis=-1)[..., 0]
    return np.asarray((low + high) / 2, dtype=np.float32)
