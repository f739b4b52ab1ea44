"""The line of a path with a mark where each arc begins on it, for what is told along the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from air.geodesy import Floats
from router.search.engine import Path
from router.search.shapes import Shapes, part, steps_m

NEAR_M = 10.0
"""A direction is taken over this length: the first metre of a street often points elsewhere than the street."""

_FULL_CIRCLE = 360.0


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The line of a path of k arcs.

    Attributes:
        points: float64[p, 2], latitude and longitude in degrees, none like the one before; p is at least 2.
        mark: int64[k + 1], the index of the point at which each arc begins; the last is p - 1.
        along_m: float64[p], metres from the start.
    """

    points: Floats
    mark: NDArray[np.int64]
    along_m: Floats

    def bearings_before(self) -> Floats:
        """The direction in which one comes to where each arc begins, and to the end, float64[k + 1].

        In degrees from north, clockwise; of the start it says nothing.
        """
        here = self.along_m[self.mark]
        return self._bearings(np.maximum(here - NEAR_M, 0.0), here)

    def bearings_after(self) -> Floats:
        """The direction in which one leaves where each arc begins, float64[k + 1]; of the end it says nothing."""
        here = self.along_m[self.mark]
        return self._bearings(here, np.minimum(here + NEAR_M, self.along_m[-1]))

    def _bearings(self, start_m: Floats, end_m: Floats) -> Floats:
        (south, north), (west, east) = (
            (np.interp(start_m, self.along_m, of), np.interp(end_m, self.along_m, of)) for of in self.points.T
        )
        eastwards = (east - west) * np.cos(np.radians((south + north) / 2))
        degrees: Floats = np.degrees(np.arctan2(eastwards, north - south)) % _FULL_CIRCLE
        # What lies a hair west of north rounds to the full circle.
        return np.where(degrees == _FULL_CIRCLE, 0.0, degrees)


def outline(shapes: Shapes, path: Path) -> Outline:
    """The line of a path, and where its arcs begin on it."""
    points, which = shapes.of_many(path.arcs)
    last = len(path.arcs) - 1
    if last == 0:
        points = part(points, path.start_fraction, path.end_fraction)
        which = np.zeros(len(points), dtype=np.int64)
    else:
        start = part(points[which == 0], path.start_fraction, 1.0)
        end = part(points[which == last], 0.0, path.end_fraction)
        between = (which > 0) & (which < last)
        points = np.concatenate([start, points[between], end])
        which = np.concatenate([np.zeros(len(start)), which[between], np.full(len(end), last)]).astype(np.int64)
    moves = np.ones(len(points), dtype=bool)
    moves[1:] = np.any(points[1:] != points[:-1], axis=1)
    line, index = points[moves], np.cumsum(moves) - 1
    if len(line) == 1:
        line, index[-1] = np.repeat(line, 2, axis=0), 1
    begins = np.searchsorted(which, np.arange(last + 1))
    mark = np.concatenate([index[begins], [len(line) - 1]])
    return Outline(line, mark, np.concatenate([[0.0], np.cumsum(steps_m(line))]))
