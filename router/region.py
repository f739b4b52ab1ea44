"""One graph in service, with all that is made of it to find ways."""

from __future__ import annotations

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
from router.exposure.metrics import Metrics
from router.exposure.recent import Recent
from router.exposure.street import influence_of_roads
from router.graph.graph import Graph
from router.modes import GAITS, PROFILES, TravelMode, profile
from router.route import Algorithm, RouteType
from router.search.engine import Engine, Path, Place
from router.search.metric import Metric
from router.search.shapes import Shapes
from router.search.snapping import Snapper
from router.traveller import Sensitivity
from router.way import Way

_FIELDS_KEPT: Final = 2
_DECIMALS: Final = 1
"""Of seconds and metres: more would claim to know how fast one walks to the millisecond."""


class Region:
    """Finds ways on one graph; any number of threads may ask at once, while another brings new air."""

    def __init__(self, graph: Graph) -> None:
        """Prepares the graph for searching."""
        self.graph = graph
        self.shapes = Shapes(graph)
        self.air = StreetAir(graph, influence_of_roads(graph, self.shapes))
        self._metrics = Metrics(graph, self.air)
        self._engine = Engine(graph)
        self._snappers = {mode: Snapper(graph, self.shapes, self._metrics.open[mode]) for mode in PROFILES}
        self._airs: Recent[AirField | None, HourlyAir] = Recent(_FIELDS_KEPT)

    @property
    def name(self) -> str:
        """Name and version of the graph."""
        return f"{self.graph.name} {self.graph.version}"

    def warm_up(self) -> tuple[Point, Point]:
        """Compiles what searches need, and returns the ends of a way to try them on."""
        self._engine.warm_up(self._metrics.fastest(TravelMode.WALK))
        graph, longest = self.graph, int(np.argmax(self.graph.length_m))
        origin, destination = (
            Point(float(graph.latitude[node]), float(graph.longitude[node]))
            for node in (graph.tail[longest], graph.head[longest])
        )
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

    def make_ready(self, background: Background | None) -> None:
        """Makes what the next requests need of a background, before they come."""
        for mode in TravelMode:
            for sensitivity in Sensitivity:
                self._metrics.healthiest(mode, background, sensitivity)

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
            algorithm: How to search.
        """
        metric = self._metric(route_type, mode, sensitivity, background)
        return self._engine.find(metric, origin, destination, guided=algorithm is not Algorithm.DIJKSTRA)

    def least(self, metric: Metric, origin: Place, destination: Place) -> Path | None:
        """The way of least cost by a metric of one's own; None when there is none."""
        return self._engine.find(metric, origin, destination)

    def way(self, path: Path, mode: TravelMode, air: HourlyAir, departure: datetime) -> Way:
        """The path with its figures, travelled from a departure on in that air."""
        portions = path.portions()
        arc_seconds: Floats = self._metrics.seconds[mode][path.arcs] * portions
        ventilation = GAITS[mode].ventilation_m3_h
        return Way(
            path=path,
            mode=mode,
            arc_seconds=arc_seconds,
            # Rounded here, so that what is said of two ways and of their difference agrees.
            seconds=round(float(arc_seconds.sum()), _DECIMALS),
            length_m=round(float(self.graph.length_m[path.arcs] @ portions), _DECIMALS),
            exposure=exposure_along(air, path.arcs, arc_seconds, departure, ventilation),
        )

    def line(self, way: Way) -> Floats:
        """Where a way runs, float64[p, 2], latitude and longitude in degrees."""
        return self.shapes.line(way.path)

    def _metric(
        self, route_type: RouteType, mode: TravelMode, sensitivity: Sensitivity, background: Background | None
    ) -> Metric:
        match route_type:
            case RouteType.FASTEST:
                return self._metrics.fastest(mode)
            case RouteType.SHORTEST:
                return self._metrics.shortest(mode)
            case RouteType.HEALTHIEST:
                return self._metrics.healthiest(mode, background, sensitivity)
            case RouteType.ALTERNATIVE:
                raise ValueError("Alternatives are a front, and least in no one thing.")
