"""The use case: from two points to the ways between them, each with its time, its length and its dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from air.geodesy import Floats, distance_m
from air.places import Point
from mesh.errors import CleanAirError, InvalidInput, NotFound
from router.exposure.concentration import Background, StreetAir
from router.exposure.dose import Dose, air_quality_score, doses, weighed
from router.exposure.field import AirField
from router.exposure.metrics import Metrics
from router.exposure.recent import Recent
from router.graph.graph import Graph
from router.known_air import KnownAir
from router.modes import GAITS, TravelMode
from router.route import Algorithm, Comparison, Plan, Route, RouteRequest, RouteType
from router.search.engine import Engine, Path, Place
from router.search.metric import Metric
from router.search.shapes import Shapes
from router.search.snapping import Snapper

SAME_PLACE_M: Final = 1.0
"""Ends nearer to each other than this are one place."""

_BACKGROUNDS_KEPT: Final = 8
_DECIMALS: Final = 1
"""Of seconds and metres: more would claim to know how fast one walks to the millisecond."""


class EqualEnds(InvalidInput):
    """Origin and destination are one place on the street network."""

    reason = "ORIGIN_EQUALS_DESTINATION"


class NoRoute(NotFound):
    """There is no way between the ends for this travel mode."""

    reason = "NO_ROUTE"


@dataclass(frozen=True, slots=True)
class _Way:
    """A path with its figures; `load` is its time weighed by the air's load, whatever that rests on."""

    path: Path
    seconds: float
    length_m: float
    load: float
    doses: tuple[Dose, ...]


_LEAST: Final[Mapping[RouteType, Callable[[_Way], float]]] = {
    RouteType.FASTEST: lambda way: way.seconds,
    RouteType.SHORTEST: lambda way: way.length_m,
    RouteType.HEALTHIEST: lambda way: way.load,
}


class Planner:
    """Plans routes on one graph; any number of threads may ask at once, while another brings new air."""

    def __init__(self, graph: Graph, *, stale_after: timedelta) -> None:
        """Prepares the graph for searching.

        Args:
            graph: The streets.
            stale_after: A forecast whose newest measurement is older than this is called stale.
        """
        self._graph = graph
        self._stale_after = stale_after
        self._shapes = Shapes(graph)
        self._air = StreetAir(graph, self._shapes)
        self._metrics = Metrics(graph, self._air)
        self._engine = Engine(graph)
        on_foot = Snapper(graph, self._shapes, self._metrics.open[TravelMode.WALK])
        by_bike = Snapper(graph, self._shapes, self._metrics.open[TravelMode.BIKE])
        self._snappers = {TravelMode.WALK: on_foot, TravelMode.RUN: on_foot, TravelMode.BIKE: by_bike}
        self._backgrounds: Recent[tuple[AirField, int], Background | None] = Recent(_BACKGROUNDS_KEPT)
        self._known = KnownAir()

    @property
    def graph_name(self) -> str:
        """Name and version of the graph."""
        return f"{self._graph.name} {self._graph.version}"

    @property
    def known(self) -> KnownAir:
        """What is known of the air now."""
        return self._known

    def warm_up(self, now: datetime) -> None:
        """Plans once for each mode, so that all is compiled and made before the first request comes."""
        self._engine.warm_up(self._metrics.fastest(TravelMode.WALK))
        graph, longest = self._graph, int(np.argmax(self._graph.length_m))
        origin, destination = (
            Point(float(graph.latitude[node]), float(graph.longitude[node]))
            for node in (graph.tail[longest], graph.head[longest])
        )
        for mode in TravelMode:
            with suppress(CleanAirError):  # the mode may have no way there
                self.plan(RouteRequest(origin, destination, mode), now)

    def is_stale(self, field: AirField, now: datetime) -> bool:
        """True when the newest measurement behind the field is too old to be called current."""
        return now - field.newest_issue_time > self._stale_after

    def know(self, known: KnownAir, now: datetime) -> None:
        """Plans with this from now on. What the next requests need of it is made ready first."""
        hour = known.hour_of(now, now)
        background = self._background(known, hour)
        for mode in TravelMode:
            self._metrics.healthiest(mode, background)
        self._known = known

    def plan(self, request: RouteRequest, now: datetime) -> Plan:
        """The ways asked for.

        All of a route is costed at the hour in which it starts.

        Raises:
            PointOffGraph: An end is far from every way for the travel mode.
            EqualEnds: Both ends are one place.
            NoRoute: There is no way between them.
            DepartureInPast: The departure is over.
            DepartureBeyondForecast: The departure is later than the air is forecast.
        """
        known = self._known
        departure = known.departure(request.departure_time, now)
        origin, destination = self._ends(request)
        background = self._background(known, known.hour_of(departure, now))
        found: dict[RouteType, _Way] = {}
        for route_type in request.route_types:
            metric = self._metric(route_type, request.travel_mode, background)
            path = self._engine.find(metric, origin, destination, guided=request.algorithm is Algorithm.A_STAR)
            if path is None:
                raise self._no_route(request.travel_mode, origin, destination)
            found[route_type] = self._way(path, request.travel_mode, background)
        # Weights are rounded: between ways that are equal but for that, the figures themselves decide.
        best = {route_type: min((way, *found.values()), key=_LEAST[route_type]) for route_type, way in found.items()}
        fastest = best.get(RouteType.FASTEST)
        routes = tuple(
            self._route(route_type, way, request.travel_mode, departure, fastest) for route_type, way in best.items()
        )
        status = known.status_of(
            background, now, stale_after=self._stale_after, simulated_streets=self._graph.simulated
        )
        return Plan(routes, status)

    def _ends(self, request: RouteRequest) -> tuple[Place, Place]:
        snapper = self._snappers[request.travel_mode]
        origin = snapper.snap(request.origin, "origin")
        destination = snapper.snap(request.destination, "destination")
        if _apart_m(origin.point, destination.point) < SAME_PLACE_M:
            raise EqualEnds(
                "The destination is the same place on the street network as the origin; choose another one.",
                field="destination",
            )
        return origin, destination

    def _no_route(self, mode: TravelMode, origin: Place, destination: Place) -> NoRoute:
        snapper = self._snappers[mode]
        for field, place in (("origin", origin), ("destination", destination)):
            if not snapper.is_connected(place):
                return NoRoute(
                    f"The ways at the {field} are cut off from the rest of the street network for this travel mode;"
                    f" move the {field}, or choose another travel mode.",
                    field=field,
                )
        return NoRoute(
            "Origin and destination lie on street networks that are not joined; move the destination to the origin's.",
            field="destination",
        )

    def _background(self, known: KnownAir, hour: int | None) -> Background | None:
        field = known.field
        if field is None or hour is None:
            return None
        return self._backgrounds.get((field, hour), lambda: self._air.background(field, hour))

    def _metric(self, route_type: RouteType, mode: TravelMode, background: Background | None) -> Metric:
        match route_type:
            case RouteType.FASTEST:
                return self._metrics.fastest(mode)
            case RouteType.SHORTEST:
                return self._metrics.shortest(mode)
            case RouteType.HEALTHIEST:
                return self._metrics.healthiest(mode, background)

    def _way(self, path: Path, mode: TravelMode, background: Background | None) -> _Way:
        portions = path.portions()
        seconds: Floats = self._metrics.seconds[mode][path.arcs] * portions
        ventilation = GAITS[mode].ventilation_m3_h
        return _Way(
            path=path,
            # Rounded here, so that what is said of two ways and of their difference agrees.
            seconds=round(float(seconds.sum()), _DECIMALS),
            length_m=round(float(self._graph.length_m[path.arcs] @ portions), _DECIMALS),
            load=float(self._air.load(background, path.arcs) @ seconds),
            doses=() if background is None else doses(self._air, background, path.arcs, seconds, ventilation),
        )

    def _route(
        self, route_type: RouteType, way: _Way, mode: TravelMode, departure: datetime, fastest: _Way | None
    ) -> Route:
        against_fastest = None if route_type is RouteType.FASTEST or fastest is None else _compare(way, fastest)
        return Route(
            route_type=route_type,
            travel_mode=mode,
            line=self._shapes.line(way.path),
            length_m=way.length_m,
            seconds=way.seconds,
            departure_time=departure,
            doses=way.doses,
            air_quality_score=air_quality_score(way.doses),
            compared_to_fastest=against_fastest,
        )


def _compare(way: _Way, fastest: _Way) -> Comparison:
    inhaled, inhaled_on_fastest = weighed(way.doses), weighed(fastest.doses)
    saved = 1.0 - inhaled / inhaled_on_fastest if inhaled is not None and inhaled_on_fastest else None
    return Comparison(way.seconds - fastest.seconds, way.length_m - fastest.length_m, saved)


def _apart_m(a: Point, b: Point) -> float:
    return float(distance_m(np.array(a.latitude), np.array(a.longitude), np.array(b.latitude), np.array(b.longitude)))
