"""How far many points are from the nearest of many lines, where only what is near matters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.search.compiled import compiled

Longs = NDArray[np.int64]

_NEIGHBOURS = 3


def away_m(points: Floats, start: Floats, end: Floats, within: float) -> Floats:
    """The distance of each point from the nearest segment, float64[p]; infinite beyond `within`.

    Segments are filed in square cells as wide as the reach, so that each point meets those of nine cells alone.

    Args:
        points: float64[p, 2], on a plane.
        start: float64[k, 2], where segments start.
        end: float64[k, 2], where they end.
        within: The reach, in the unit of the plane.
    """
    if not len(start) or not len(points):
        return np.full(len(points), np.inf)
    low, high = _cells(np.minimum(start, end), within), _cells(np.maximum(start, end), within)
    corner = low.min(axis=0) - 1
    wide, tall = (high.max(axis=0) - corner + 2).tolist()
    low, high = low - corner, high - corner
    extent = high - low + 1
    count = extent.prod(axis=1)
    segment = np.repeat(np.arange(len(start)), count)
    step = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(step, extent[segment, 0])
    key = (low[segment, 1] + row) * wide + low[segment, 0] + column
    order = np.argsort(key, kind="stable")
    key, segment = key[order], segment[order]
    # Points off the map have no neighbours: their cells are put on its empty rim.
    at = np.clip(_cells(points, within) - corner, 0, [wide - 1, tall - 1])
    first, last = np.empty((len(points), _NEIGHBOURS), dtype=np.int64), np.empty((len(points), _NEIGHBOURS), np.int64)
    for beside in range(_NEIGHBOURS):
        here = (at[:, 1] + beside - 1) * wide + at[:, 0]
        first[:, beside], last[:, beside] = np.searchsorted(key, here - 1), np.searchsorted(key, here + 1, "right")
    return _nearest(points, start, end, segment, first, last, within)


def _cells(points: Floats, width: float) -> Longs:
    return np.floor(points / width).astype(np.int64)


@compiled
def _nearest(
    points: Floats, start: Floats, end: Floats, segment: Longs, first: Longs, last: Longs, within: float
) -> Floats:
    away = np.empty(len(points))
    for point in range(len(points)):
        x, y = points[point, 0], points[point, 1]
        nearest = within * within
        found = False
        for beside in range(first.shape[1]):
            for place in range(first[point, beside], last[point, beside]):
                one = segment[place]
                along_x, along_y = end[one, 0] - start[one, 0], end[one, 1] - start[one, 1]
                to_x, to_y = x - start[one, 0], y - start[one, 1]
                square = along_x * along_x + along_y * along_y
                share = 0.0
                if square > 0.0:
                    share = min(max((to_x * along_x + to_y * along_y) / square, 0.0), 1.0)
                off_x, off_y = to_x - share * along_x, to_y - share * along_y
                off = off_x * off_x + off_y * off_y
                if off <= nearest:
                    nearest = off
                    found = True
        away[point] = np.sqrt(nearest) if found else np.inf
    return away
