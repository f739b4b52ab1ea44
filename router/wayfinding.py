"""One traveller's question on one region in what is known of the air now: what every use case stands on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from air.places import Point
from mesh.errors import InvalidInput, NotFound
from router.exposure.background import Background
from router.exposure.hourly import HourlyAir
from router.known_air import KnownAir
from router.modes import TravelMode
from router.region import Region
from router.route import Algorithm, RouteType
from router.search.engine import Path, Place
from router.search.shapes import step_m
from router.search.snapping import PointOffGraph
from router.traveller import ANYONE, LOAD_WORTH, Traveller
from router.way import Way

SAME_PLACE_M: Final = 1.0
"""Ends nearer to each other than this are one place."""

LEAST: Final[Mapping[RouteType, Callable[[Way], float]]] = {
    RouteType.FASTEST: lambda way: way.seconds,
    RouteType.SHORTEST: lambda way: way.length_m,
}
"""What decides between ways whose rounded weights are equal; of the healthiest see Wayfinder."""


class EqualEnds(InvalidInput):
    """Origin and destination are one place on the street network."""

    reason = "ORIGIN_EQUALS_DESTINATION"


class NoRoute(NotFound):
    """There is no way between the ends for this travel mode."""

    reason = "NO_ROUTE"


@dataclass(frozen=True, slots=True)
class Located:
    """Points on one region's streets, in the order given."""

    region: Region
    places: tuple[Place, ...]


def locate(regions: Sequence[Region], points: Mapping[str, Point], mode: TravelMode) -> Located:
    """The first region whose streets are near all the points, and the nearest places there.

    Args:
        regions: Those served, one at least.
        points: By the field of the request that each came in.
        mode: How they shall be reached.

    Raises PointOffGraph when no region has them all, as the one says that has most of them, or else the nearest way.
    """
    failures: list[tuple[int, PointOffGraph]] = []
    for region in regions:
        places: list[Place] = []
        try:
            for field, point in points.items():
                places.append(region.snap(point, mode, field))
        except PointOffGraph as error:
            failures.append((len(places), error))
            continue
        return Located(region, tuple(places))
    if not failures:
        raise ValueError("There is no region to look in.")
    raise min(failures, key=lambda failure: (-failure[0], float(failure[1].metadata.get("distance_meters", "inf"))))[1]


@dataclass(frozen=True, slots=True)
class Wayfinder:
    """Finds and costs ways for one traveller.

    Attributes:
        region: On these streets.
        known: In this air.
        now: At this moment.
        mode: How they are travelled.
        traveller: Who travels.
        algorithm: How to search.
    """

    region: Region
    known: KnownAir
    now: datetime
    mode: TravelMode
    traveller: Traveller = ANYONE
    algorithm: Algorithm = Algorithm.CONTRACTION_HIERARCHY

    @property
    def air(self) -> HourlyAir:
        """The air on the region's streets."""
        return self.region.air_of(self.known.field)

    def background(self, departure: datetime) -> Background | None:
        """The air in the hour of a departure; None when nothing is known of it."""
        hour = self.known.hour_of(departure, self.now)
        return self.air.background(hour)

    def find(self, route_type: RouteType, departure: datetime, origin: Place, destination: Place) -> Way:
        """The best way. Raises NoRoute, or EqualEnds where both ends are one place."""
        return self.find_each((route_type,), departure, origin, destination)[route_type]

    def find_each(
        self, route_types: Iterable[RouteType], departure: datetime, origin: Place, destination: Place
    ) -> dict[RouteType, Way]:
        """The best way of each type: one object where types share it. Raises what `find` raises."""
        if apart_m(origin.point, destination.point) < SAME_PLACE_M:
            raise EqualEnds(
                "The destination is the same place on the street network as the origin; choose another one.",
                field="destination",
            )
        found: dict[RouteType, Way] = {}
        for route_type in route_types:
            path = self.path(route_type, departure, origin, destination)
            if path is None:
                raise self._no_route(origin, destination)
            same = next((way for way in found.values() if way.path.runs_as(path)), None)
            found[route_type] = self.way(path, departure) if same is None else same
        return found

    def path(self, route_type: RouteType, departure: datetime, origin: Place, destination: Place) -> Path | None:
        """The best way's arcs; None when there is no way."""
        background = self.background(departure) if route_type is RouteType.HEALTHIEST else None
        return self.region.find(
            route_type, self.mode, self.traveller.sensitivity, background, origin, destination, self.algorithm
        )

    def way(self, path: Path, departure: datetime) -> Way:
        """A path's figures when it is travelled from that moment on."""
        return self.region.way(path, self.mode, self.air, max(departure, self.now))

    def least(self, route_type: RouteType) -> Callable[[Way], float]:
        """What a route type makes least, of a way's own figures."""
        if route_type in LEAST:
            return LEAST[route_type]
        worth = LOAD_WORTH[self.traveller.sensitivity]
        return lambda way: way.load if math.isinf(worth) else way.seconds + worth * way.load

    def _no_route(self, origin: Place, destination: Place) -> NoRoute:
        for field, place in (("origin", origin), ("destination", destination)):
            if not self.region.is_connected(place, self.mode):
                return NoRoute(
                    f"The ways at the {field} are cut off from the rest of the street network for this travel mode;"
                    f" move the {field}, or choose another travel mode.",
                    field=field,
                )
        return NoRoute(
            "Origin and destination lie on street networks that are not joined; move the destination to the origin's.",
            field="destination",
        )


def apart_m(a: Point, b: Point) -> float:
    """How far two points are from each other, great circle, metres."""
    return step_m(a.latitude, a.longitude, b.latitude, b.longitude)
