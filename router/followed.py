"""A way that somebody follows: what lies before and behind a place on it."""

from __future__ import annotations

import numpy as np

from air.geodesy import Floats
from air.places import Point
from router.route import Route
from router.search.engine import Path, Place
from router.search.following import Track
from router.search.kernel import Ints
from router.search.outline import outline
from router.search.shapes import point_at
from router.way import Way
from router.wayfinding import Wayfinder


class Followed:
    """A way with its route, by metres from its start."""

    def __init__(self, finder: Wayfinder, way: Way, route: Route, destination: Place) -> None:
        """The way of a route that ends at a place, and who found it."""
        self.finder = finder
        self.route = route
        self.destination = destination
        self._way = way
        drawn = outline(finder.region.shapes, way.path)
        self.track = Track(drawn.points, drawn.along_m)
        self.steps_m: Floats = drawn.along_m[[step.first_point for step in route.steps]]
        self._arcs_m: Floats = drawn.along_m[drawn.mark]
        self._begun_seconds: Floats = np.concatenate([[0.0], np.cumsum(way.arc_seconds)])

    @property
    def speed_m_s(self) -> float:
        """The mean speed on it."""
        return self.track.length_m / max(float(self._begun_seconds[-1]), 1.0)

    @property
    def end(self) -> Point:
        """Where it ends."""
        latitude, longitude = self.route.line[-1].tolist()
        return Point(latitude, longitude)

    def seconds_left(self, along_m: float) -> float:
        """The time from a place on it to its end."""
        arc, share = self._arc_at(along_m)
        taken = self._begun_seconds[arc] + share * (self._begun_seconds[arc + 1] - self._begun_seconds[arc])
        return float(self._begun_seconds[-1] - taken)

    def place(self, along_m: float) -> Place:
        """The place on the streets that lies so far along."""
        arc, fraction = self._fraction_at(along_m)
        shape = self.finder.region.shapes.of(int(self._way.path.arcs[arc]))
        return Place(int(self._way.path.arcs[arc]), fraction, point_at(shape, fraction), 0.0)

    def rest(self, along_m: float) -> Path:
        """The path from there to its end; what a search would say that it costs is not told."""
        arc, fraction = self._fraction_at(along_m)
        return Path(0, self._way.path.arcs[arc:], fraction, self._way.path.end_fraction)

    def between(self, start_m: float, end_m: float) -> tuple[Ints, Floats]:
        """The arcs between two places, and the share of the time between them that each takes."""
        (first, from_share), (last, to_share) = self._arc_at(start_m), self._arc_at(end_m)
        seconds = self._way.arc_seconds[first : last + 1].copy()
        seconds[-1] *= to_share
        seconds[0] -= from_share * self._way.arc_seconds[first]
        if seconds.sum() <= 0:
            seconds[:] = 1.0
        return self._way.path.arcs[first : last + 1], seconds / seconds.sum()

    def _arc_at(self, along_m: float) -> tuple[int, float]:
        """Which of the way's arcs a place is on, and how much of what is travelled of it lies behind."""
        arc = int(np.searchsorted(self._arcs_m[1:-1], along_m, side="right"))
        begin_m, end_m = self._arcs_m[arc], self._arcs_m[arc + 1]
        share = (along_m - begin_m) / (end_m - begin_m) if end_m > begin_m else 1.0
        return arc, float(min(max(share, 0.0), 1.0))

    def _fraction_at(self, along_m: float) -> tuple[int, float]:
        """The same, and how far along all of the arc that is."""
        path = self._way.path
        arc, share = self._arc_at(along_m)
        start = path.start_fraction if arc == 0 else 0.0
        end = path.end_fraction if arc == len(path.arcs) - 1 else 1.0
        return arc, start + share * (end - start)
