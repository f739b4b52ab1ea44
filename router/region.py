"""One graph in service, with all that is made of it to find ways."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import numpy as np

from air.geodesy import Floats
from air.places import Point
from router.exposure.along import exposure_along
from router.exposure.background import Background
from router.exposure.concentration import StreetAir
from router.exposure.field import AirField
from router.exposure.hourly import HourlyAir
from router.exposure.metrics import HOURS_KEPT, Metrics
from router.exposure.recent import Recent
from router.graph.graph import Graph
from router.modes import GAITS, PROFILES, TravelMode, is_open, profile
from router.prepared import Prepared, prepare
from router.read_only import read_only
from router.route import Algorithm, RouteType
from router.search.backwards import Terrain
from router.search.contraction_engine import ContractionEngine
from router.search.edge_grid import EdgeGrid
from router.search.engine import Engine, Path, Place
from router.search.front import Front, FrontSearch
from router.search.measure import measured
from router.search.metric import Metric
from router.search.shapes import Shapes
from router.search.snapping import PointOffGraph, Snapper
from router.search.time_dependent import Hours, TimeDependentSearch
from router.traveller import Sensitivity
from router.way import Way

_FIELDS_KEPT: Final = 2
_DECIMALS: Final = 1
"""Of seconds and metres: more would claim to know how fast one walks to the millisecond."""


class Region:
    """Finds ways on one graph; any number of threads may ask at once, while another brings new air."""

    def __init__(self, streets: Prepared | Graph, *, hours_kept: int = HOURS_KEPT) -> None:
        """Prepares streets for searching.

        Args:
            streets: A graph with what is made of it once; of a bare one that is made here, in seconds.
            hours_kept: For how many hours beside the current one metrics are kept.
        """
        prepared = prepare(streets) if isinstance(streets, Graph) else streets
        self.graph = graph = prepared.graph
        self.shapes = Shapes(graph)
        self.air = StreetAir(graph, prepared.influence)
        self._metrics = Metrics(graph, prepared.contraction, self.air, hours_kept=hours_kept)
        self._contracted = ContractionEngine(graph, prepared.contraction)
        self._engine = Engine(graph, prepared.landmarks)
        terrain = Terrain(graph, self._engine.position)
        self._fronts, self._in_time = FrontSearch(terrain), TimeDependentSearch(terrain)
        edges = EdgeGrid(graph)
        self._snappers = {mode: Snapper(graph, edges, is_open(graph, mode)) for mode in PROFILES}
        self._airs: Recent[AirField | None, HourlyAir] = Recent(_FIELDS_KEPT)

    @property
    def name(self) -> str:
        """Name and version of the graph."""
        return f"{self.graph.name} {self.graph.version}"

    def warm_up(self) -> tuple[Point, Point]:
        """Compiles what searches need, and returns the ends of a way to try them on."""
        graph, longest = self.graph, int(np.argmax(self.graph.length_m))
        self._engine.warm_up(self._plain(RouteType.FASTEST, TravelMode.WALK, Sensitivity.NORMAL, None))
        origin, destination = (
            Point(float(graph.latitude[node]), float(graph.longitude[node]))
            for node in (graph.tail[longest], graph.head[longest])
        )
        with suppress(PointOffGraph):
            self.snap(Point(-origin.latitude, origin.longitude), TravelMode.WALK, "origin")
        here, there = Place(longest, 0.0, origin, 0.0), Place(longest, 1.0, destination, 0.0)
        for mode in PROFILES:
            front = self.front(mode, None, here, there, stretch=1.0)
            if front is not None:
                self._in_time.warm_up()
                load, everywhere = self.air.nothing.load[None], np.arange(len(self.air.nothing.load), dtype=np.int32)
                streets = read_only(load), read_only(everywhere), self.air.cell, self.air.features
                hours = Hours(*streets, left=0.0, hour=1.0, time=1.0, air=1.0)
                self.find_leaving(mode, here, there, front.paths[0], [hours])
                break
        return origin, destination

    def seconds(self, mode: TravelMode) -> Floats:
        """The time that each arc takes a mode, float64[m], whether or not it is open."""
        return self._metrics.seconds[mode]

    def air_of(self, field: AirField | None) -> HourlyAir:
        """The air of a field on these streets, hour by hour."""
        return self._airs.get(field, lambda: HourlyAir(self.air, field))

    def background(self, field: AirField, hour: int) -> Background | None:
        """The background in one hour of a field; None where nothing is known."""
        return self.air_of(field).background(hour)

    def make_ready(self, *backgrounds: Background | None) -> None:
        """Makes what requests in these hours need before they come, and keeps it until others are made ready."""
        self._metrics.make_ready(tuple(dict.fromkeys(background or self.air.nothing for background in backgrounds)))

    def snap(self, point: Point, mode: TravelMode, field: str) -> Place:
        """The place nearest to a point. Raises PointOffGraph, on the request's field."""
        return self._snappers[profile(mode)].snap(point, field)

    def is_connected(self, place: Place, mode: TravelMode) -> bool:
        """True when the place lies on a main component of the mode's ways."""
        return self._snappers[profile(mode)].is_connected(place)

    def find(
        self,
        route_type: RouteType,
        mode: TravelMode,
        sensitivity: Sensitivity,
        background: Background | None,
        origin: Place,
        destination: Place,
        algorithm: Algorithm,
    ) -> Path | None:
        """The way of least cost, exactly; None when there is none.

        Args:
            route_type: FASTEST, SHORTEST or HEALTHIEST.
            mode: How it is travelled.
            sensitivity: What the air is worth to the healthiest way; of no matter to the others.
            background: The air, likewise; None when nothing is known.
            origin: Where it starts.
            destination: Where it ends.
            algorithm: How to search; all find a way of the same cost.
        """
        if algorithm is Algorithm.CONTRACTION_HIERARCHY:
            with self._metrics.customized(route_type, background or self.air.nothing) as metrics:
                metric = metrics.of(mode, route_type, sensitivity)
                if metric is not None:
                    return self._contracted.find(metric, origin, destination)
        plain = self._plain(route_type, mode, sensitivity, background)
        return self._engine.find(plain, origin, destination, guided=algorithm is not Algorithm.DIJKSTRA)

    def least(self, metric: Metric, origin: Place, destination: Place) -> Path | None:
        """The way of least cost by a metric of one's own; None when there is none."""
        return self._engine.find(metric, origin, destination)

    def front(
        self, mode: TravelMode, background: Background | None, origin: Place, destination: Place, *, stretch: float
    ) -> Front | None:
        """The exact front of time against load, in the air of one hour; None when there is no way.

        Args:
            mode: How ways are travelled; where it shares a profile's metrics, times are the profile's.
            background: The air; None when nothing is known.
            origin: Where they start.
            destination: Where they end.
            stretch: No way takes longer than the fastest times this.

        Raises FrontTooLarge.
        """
        time = self._plain(RouteType.FASTEST, mode, Sensitivity.NORMAL, None)
        load = self._plain(RouteType.HEALTHIEST, mode, Sensitivity.LEAST_DOSE, background)
        return self._fronts.find(time, load, origin, destination, stretch=stretch)

    def reach_m(self, mode: TravelMode, milliseconds: float) -> float:
        """No way leads farther in that time of the mode's profile, metres."""
        least = self._plain(RouteType.FASTEST, mode, Sensitivity.NORMAL, None).least_per_meter
        return milliseconds / least if least > 0 else math.inf

    def find_leaving(
        self,
        mode: TravelMode,
        origin: Place,
        destination: Place,
        known: Path,
        departures: Sequence[Hours],
        *,
        stretch: float = math.inf,
    ) -> tuple[Path, ...]:
        """The cheapest ways found at several departures, each no dearer than a way that is known.

        Args:
            mode: How they are travelled.
            origin: Where they start.
            destination: Where they end.
            known: A way between them.
            departures: What ways cost from each on; their unit of time is a millisecond of the mode's profile.
            stretch: No way takes longer than the fastest times this.
        """
        time = self._plain(RouteType.FASTEST, mode, Sensitivity.NORMAL, None)
        return self._in_time.find(time, origin, destination, known, departures, stretch=stretch)

    def way(self, path: Path, mode: TravelMode, air: HourlyAir, departure: datetime) -> Way:
        """The path with its figures, travelled from a departure on in that air."""
        arc_seconds, taken, length_m = measured(
            path.arcs, path.start_fraction, path.end_fraction, self._metrics.seconds[mode], self.graph.length_m
        )
        ventilation = GAITS[mode].ventilation_m3_h
        return Way(
            path=path,
            mode=mode,
            arc_seconds=arc_seconds,
            # Rounded here, so that what is said of two ways and of their difference agrees.
            seconds=round(taken, _DECIMALS),
            length_m=round(length_m, _DECIMALS),
            exposure=exposure_along(air, path.arcs, arc_seconds, departure, ventilation),
        )

    def line(self, way: Way) -> Floats:
        """Where a way runs, float64[p, 2], latitude and longitude in degrees."""
        return self.shapes.line(way.path)

    def _plain(
        self, route_type: RouteType, mode: TravelMode, sensitivity: Sensitivity, background: Background | None
    ) -> Metric:
        return self._metrics.plain(route_type, mode, sensitivity, background or self.air.nothing)
