"""The use case: from two points to the ways between them, each with its time, its length and its dose."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from air.geodesy import Floats
from air.places import Point
from air.status import DataStatus
from mesh.errors import CleanAirError
from router.alternatives import alternatives
from router.departures import Leaving, best_of, departures
from router.details import with_details
from router.exposure.comparison import compare as compare_exposures
from router.exposure.field import AirField
from router.graph.graph import BrokenGraph
from router.known_air import KnownAir
from router.modes import GAITS, TravelMode
from router.region import Region
from router.route import Algorithm, Comparison, Departure, Detail, Plan, Route, RouteRequest, RouteType
from router.search.engine import Place
from router.traveller import Traveller
from router.way import Way
from router.wayfinding import EqualEnds, Wayfinder, locate

AHEAD: Final = timedelta(minutes=5)
"""So long before an hour begins, what its requests need is made."""

_HOURS_OF_A_WAY: Final = 4


class Planner:
    """Plans routes in the regions served; any number of threads may ask at once, while another brings new air."""

    def __init__(self, regions: Sequence[Region], *, stale_after: timedelta) -> None:
        """Serves these regions; before the first request, there must be one.

        Args:
            regions: In the order in which they are searched for a point.
            stale_after: A forecast whose newest measurement is older than this is called stale.
        """
        self._regions = tuple(regions)
        self._stale_after = stale_after
        self._known = KnownAir()
        self._changing = threading.Lock()

    @property
    def regions(self) -> tuple[Region, ...]:
        """Those served now."""
        return self._regions

    @property
    def known(self) -> KnownAir:
        """What is known of the air now."""
        return self._known

    def serve(self, regions: Sequence[Region], now: datetime) -> None:
        """Serves these regions from now on. What the next requests need of them is made ready first."""
        with self._changing:
            for region in regions:
                if region not in self._regions:
                    self._make_ready(region, self._known, now)
            self._regions = tuple(regions)

    def try_out(self, region: Region, now: datetime) -> None:
        """Plans once for each mode in a region, so that all is compiled and made before the first request comes.

        Raises BrokenGraph when no mode finds a way, from one end of the longest street to the other.
        """
        origin, destination = region.warm_up()
        alone, failures = Planner([region], stale_after=self._stale_after), list[CleanAirError]()
        for mode in TravelMode:
            try:
                alone.plan(RouteRequest(origin, destination, mode), now)
            except CleanAirError as error:  # the mode may have no way there
                failures.append(error)
        # A street that ends where it begins leads nowhere, and is none the worse for it.
        if len(failures) == len(TravelMode) and not any(isinstance(error, EqualEnds) for error in failures):
            raise BrokenGraph("someone finds a way along its longest street") from failures[0]

    def is_stale(self, field: AirField, now: datetime) -> bool:
        """True when the newest measurement behind the field is too old to be called current."""
        return now - field.newest_issue_time > self._stale_after

    def know(self, known: KnownAir, now: datetime) -> None:
        """Plans with this from now on. What the next requests need of it is made ready first."""
        with self._changing:
            for region in self._regions:
                self._make_ready(region, known, now)
            self._known = known

    def look_ahead(self, now: datetime) -> None:
        """Makes the next hour ready shortly before it begins; to be called every minute or so."""
        with self._changing:
            for region in self._regions:
                self._make_ready(region, self._known, now)

    def wayfinder(
        self, points: Mapping[str, Point], mode: TravelMode, traveller: Traveller, algorithm: Algorithm, now: datetime
    ) -> tuple[Wayfinder, tuple[Place, ...]]:
        """Who finds ways between points, each under its field of the request, and their places on the streets.

        Raises PointOffGraph when no region has them all.
        """
        located = locate(self._regions, points, mode)
        return Wayfinder(located.region, self._known, now, mode, traveller, algorithm), located.places

    def status(self, wayfinder: Wayfinder, departure: datetime) -> DataStatus:
        """What an answer on ways from that departure on rests on."""
        return wayfinder.known.status_of(
            wayfinder.background(departure),
            wayfinder.now,
            stale_after=self._stale_after,
            simulated_streets=wayfinder.region.graph.simulated,
        )

    def plan(self, request: RouteRequest, now: datetime) -> Plan:
        """The ways asked for.

        Raises:
            PointOffGraph: An end is far from every way for the travel mode.
            EqualEnds: Both ends are one place.
            NoRoute: There is no way between them.
            DepartureInPast: The departure is over.
            DepartureBeyondForecast: The departure is later than the air is forecast, or the window reaches beyond.
            TripTooLong: Alternatives are asked for, and the fastest way takes too long for them.
            FrontTooLarge: There are too many alternatives to weigh.
        """
        ends = {"origin": request.origin, "destination": request.destination}
        finder, (origin, destination) = self.wayfinder(
            ends, request.travel_mode, request.traveller, request.algorithm, now
        )
        departure = finder.known.departure(request.departure_time, now)
        ways, fastest = _ways(finder, request.route_types, departure, origin, destination)
        lines = {way: finder.region.line(way) for way in {way for _, way in ways}}
        routes = tuple(
            with_details(
                told(route_type, way, departure, lines[way], against(route_type, way, fastest[route_type])),
                way,
                finder,
                departure,
                request.details,
            )
            for route_type, way in ways
        )
        window = request.departure_window_hours
        leavings = () if window is None else departures(finder, departure, window, origin, destination)
        leaving_told = tuple(_departures(finder, leavings, request.details))
        return Plan(routes, self.status(finder, departure), finder.region.name, leaving_told)

    @staticmethod
    def _make_ready(region: Region, known: KnownAir, now: datetime) -> None:
        field = known.field
        hours = [known.hour_of(at, now) for at in (now, now + AHEAD)]
        region.make_ready(
            *(None if field is None or hour is None else region.background(field, hour) for hour in hours)
        )
        # What is inhaled late on a long way is reckoned with the air of later hours: nobody shall wait for that either.
        for ahead in range(1, _HOURS_OF_A_WAY + 1):
            hour = known.hour_of(now + timedelta(hours=ahead), now)
            if field is not None and hour is not None:
                region.background(field, hour)


def _ways(
    finder: Wayfinder, route_types: Sequence[RouteType], departure: datetime, origin: Place, destination: Place
) -> tuple[list[tuple[RouteType, Way]], dict[RouteType, Way | None]]:
    """The ways of each type in the order asked for, and what each type is told against."""
    single = [route_type for route_type in route_types if route_type is not RouteType.ALTERNATIVE]
    found = finder.find_each(single, departure, origin, destination) if single else {}
    # Weights are rounded: between ways that are equal but for that, the figures themselves decide.
    best = {route_type: min((way, *found.values()), key=finder.least(route_type)) for route_type, way in found.items()}
    several = alternatives(finder, departure, origin, destination) if RouteType.ALTERNATIVE in route_types else ()
    fastest: dict[RouteType, Way | None] = dict.fromkeys(route_types, best.get(RouteType.FASTEST))
    if several:
        fastest[RouteType.ALTERNATIVE] = several[0]
    ways = [
        (route_type, way)
        for route_type in route_types
        for way in (several if route_type is RouteType.ALTERNATIVE else (best[route_type],))
    ]
    return ways, fastest


def _departures(finder: Wayfinder, leavings: Sequence[Leaving], details: Collection[Detail]) -> Iterator[Departure]:
    """Departures as they are told, the best of them with its route."""
    best = best_of(leavings) if leavings else None
    for which, leaving in enumerate(leavings):
        way, route = leaving.way, None
        if which == best:
            route = route_of(finder.region, RouteType.HEALTHIEST, way, leaving.time)
            route = with_details(route, way, finder, leaving.time, details)
        yield Departure(
            time=leaving.time,
            seconds=way.seconds,
            doses=way.doses,
            air_quality_score=way.exposure.score,
            compared_to_first=None if which == 0 else compare(way, leavings[0].way),
            route=route,
        )


def route_of(region: Region, route_type: RouteType, way: Way, departure: datetime) -> Route:
    """A way as it is told, compared to nothing."""
    return told(route_type, way, departure, region.line(way))


def told(
    route_type: RouteType, way: Way, departure: datetime, line: Floats, compared: Comparison | None = None
) -> Route:
    """A way that runs on this line as it is told, with what it is compared to the fastest."""
    return Route(
        route_type=route_type,
        travel_mode=way.mode,
        line=line,
        length_m=way.length_m,
        seconds=way.seconds,
        departure_time=departure,
        doses=way.doses,
        air_quality_score=way.exposure.score,
        ventilation_m3_h=GAITS[way.mode].ventilation_m3_h,
        compared_to_fastest=compared,
    )


def against(route_type: RouteType, way: Way, fastest: Way | None) -> Comparison | None:
    """A way of a type against the fastest; None where that is not known, or the route is told as the fastest itself."""
    if fastest is None or route_type is RouteType.FASTEST or (route_type is RouteType.ALTERNATIVE and way is fastest):
        return None
    return compare(way, fastest)


def compare(way: Way, other: Way) -> Comparison:
    """What one way costs and saves against another."""
    saved = compare_exposures(way.exposure, other.exposure)
    return Comparison(way.seconds - other.seconds, way.length_m - other.length_m, saved)
