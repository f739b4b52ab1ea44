"""The use case: several stops in their best order, and the ways between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np

from air.geodesy import Floats
from air.places import Point
from air.status import DataStatus, State
from mesh.errors import CleanAirError, InvalidInput
from router.exposure.comparison import SavedDose, compare_tours
from router.exposure.dose import Dose
from router.exposure.total import total
from router.modes import TravelMode
from router.planner import Planner, route_of
from router.route import Algorithm, Comparison, Route, RouteType
from router.search.engine import Path, Place
from router.search.memetic import good_order
from router.search.ordering import MOST_EXACT, Order, Visits, best_order, conflict, in_order
from router.traveller import ANYONE, LOAD_WORTH, Traveller
from router.way import Way
from router.wayfinding import NoRoute, Wayfinder

_NOTHING: Final = timedelta(0)


class LatestBeforeEarliest(InvalidInput):
    """A stay must begin before it may."""

    reason = "LATEST_BEFORE_EARLIEST"


class TooManyStopsToBeExact(InvalidInput):
    """The best order of so many stops cannot be found for certain."""

    reason = "TOO_MANY_STOPS_TO_BE_EXACT"


class WindowsCannotBeMet(InvalidInput):
    """No order begins all stays in time; `metadata["stops"]` names those in conflict, as indices, comma between."""

    reason = "TIME_WINDOWS_CANNOT_BE_MET"


class OrderAlgorithm(StrEnum):
    """How the best order is searched for."""

    EXACT = "EXACT"
    GENETIC = "GENETIC"


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to visit.

    Attributes:
        point: Where it is.
        stay: How long one stays.
        earliest: When the stay may begin; None for any time.
        latest: When it must have begun; None for any time.
    """

    point: Point
    stay: timedelta = _NOTHING
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class StopsRequest:
    """Which stops to order.

    Attributes:
        origin: Where it starts.
        stops: What to visit, one at least.
        destination: Where it ends; None for the origin.
        travel_mode: How one moves.
        route_type: What the whole shall be best in: FASTEST, SHORTEST or HEALTHIEST.
        departure_time: When it starts; None for now.
        algorithm: How to search; None for EXACT where there are few enough stops for it.
        traveller: Who travels.
    """

    origin: Point
    stops: tuple[Stop, ...]
    destination: Point | None = None
    travel_mode: TravelMode = TravelMode.WALK
    route_type: RouteType = RouteType.HEALTHIEST
    departure_time: datetime | None = None
    algorithm: OrderAlgorithm | None = None
    traveller: Traveller = ANYONE


@dataclass(frozen=True, slots=True)
class Tour:
    """Stops in an order, with the ways between them.

    Attributes:
        order: Indices into the request's stops.
        legs: From the origin to the first stop, and so on to the destination.
        stay_times: When each stay begins, in this order.
        length_m: Of all legs.
        seconds: From departure to arrival, with waits and stays.
        doses: What is inhaled on all legs; empty when the air on any of them is unknown.
        compared_to_given: Against the request's own order; None where that order breaks a time window.
        algorithm: How it was searched for.
        status: What the air along the legs rests on.
        graph: Name and version of the street network.
    """

    order: tuple[int, ...]
    legs: tuple[Route, ...]
    stay_times: tuple[datetime, ...]
    length_m: float
    seconds: float
    doses: tuple[Dose, ...]
    compared_to_given: Comparison | None
    algorithm: OrderAlgorithm
    status: DataStatus
    graph: str

    @property
    def is_optimal(self) -> bool:
        """True when no other order is better, for certain."""
        return self.algorithm is OrderAlgorithm.EXACT


def warm_up() -> None:
    """Compiles what the first request would wait for."""
    nothing = np.zeros(1)
    visits = Visits(np.ones((3, 3)), np.ones((3, 3)), 0.0, nothing, nothing, nothing + math.inf)
    best_order(visits)
    good_order(visits)


def order_stops(planner: Planner, request: StopsRequest, now: datetime) -> Tour:
    """The best order of the stops, at the costs of the ways in the air of the departure.

    The legs are those ways, each told in the air of its own hours: so no time window is broken by a way that is better,
    but slower, in the air of a later hour.

    Raises:
        LatestBeforeEarliest: A time window is none.
        TooManyStopsToBeExact: EXACT is asked for of more than twelve.
        PointOffGraph: A point is far from every way for the travel mode.
        NoRoute: Some point cannot be reached from, or left for, the others.
        WindowsCannotBeMet: No order is in time, or none was found.
        DepartureInPast: The departure is over.
        DepartureBeyondForecast: The departure is later than the air is forecast.
    """
    algorithm = _algorithm(request)
    _check_windows(request.stops)
    points = {"origin": request.origin}
    points |= {f"stops[{index}].point": stop.point for index, stop in enumerate(request.stops)}
    points |= {"destination": request.destination} if request.destination is not None else {}
    finder, places = planner.wayfinder(
        points, request.travel_mode, request.traveller, Algorithm.CONTRACTION_HIERARCHY, now
    )
    departure = finder.known.departure(request.departure_time, now)
    if request.destination is None:
        places = (*places, places[0])
    network = _Network(finder, request.route_type, places, departure)
    network.check(tuple(points))
    visits = network.visits(request.stops)
    found = best_order(visits) if algorithm is OrderAlgorithm.EXACT else good_order(visits)
    if found is None or not found.holds:
        raise _not_in_time(visits, found)
    return _tour(planner, network, request, visits, found, algorithm)


class _Network:
    """The ways between an origin (place 0), stops and a destination (the last), in the air of one departure."""

    def __init__(self, finder: Wayfinder, route_type: RouteType, places: Sequence[Place], departure: datetime) -> None:
        self.finder = finder
        self.route_type = route_type
        self.departure = departure
        self._last = len(places) - 1
        self._paths: Mapping[tuple[int, int], Path] = {
            (start, end): path
            for start in range(self._last)
            for end in range(1, self._last + 1)
            if start != end and (start, end) != (0, self._last)
            if (path := finder.path(route_type, departure, places[start], places[end])) is not None
        }

    def check(self, fields: Sequence[str]) -> None:
        """Raises NoRoute, on its field of the request, for a point that cannot be reached, or not be left."""
        starts, ends = {start for start, _ in self._paths}, {end for _, end in self._paths}
        for place, field in enumerate(fields):
            if place != self._last and place not in starts:
                raise NoRoute(f"No way leads from {field} to any of the others; move it.", field=field)
            if place != 0 and place not in ends:
                raise NoRoute(f"No way leads to {field} from any of the others; move it.", field=field)

    def visits(self, stops: Sequence[Stop]) -> Visits:
        """What is to be ordered."""
        shape = (self._last + 1, self._last + 1)
        seconds, extra = np.zeros(shape), np.full(shape, np.inf)
        least = self.finder.least(self.route_type)
        rate = self._rate()
        for leg, path in self._paths.items():
            way = self.finder.way(path, self.departure)
            seconds[leg], extra[leg] = way.seconds, least(way) - rate * way.seconds
        return Visits(
            seconds=seconds,
            extra=extra,
            rate=rate,
            stay=np.array([stop.stay.total_seconds() for stop in stops]),
            earliest=np.array([max(self._seconds_to(stop.earliest, 0.0), 0.0) for stop in stops]),
            latest=np.array([self._seconds_to(stop.latest, math.inf) for stop in stops]),
        )

    def legs(self, order: Order, stay: Floats) -> list[tuple[datetime, Way]]:
        """The ways of an order, each from its own departure on."""
        places = [0, *(order.visits + 1).tolist(), self._last]
        leaves = [0.0, *(order.begins + stay[order.visits]).tolist()]
        departures = [self.departure + timedelta(seconds=seconds) for seconds in leaves]
        return [
            (departure, self.finder.way(self._paths[leg], departure))
            for leg, departure in zip(pairwise(places), departures, strict=True)
        ]

    def _rate(self) -> float:
        """What a second is worth in what the route type makes least, which is what one of waiting costs."""
        match self.route_type:
            case RouteType.FASTEST:
                return 1.0
            case RouteType.HEALTHIEST:
                return 1.0 if math.isfinite(LOAD_WORTH[self.finder.traveller.sensitivity]) else 0.0
            case _:
                return 0.0

    def _seconds_to(self, time: datetime | None, otherwise: float) -> float:
        return otherwise if time is None else (time - self.departure).total_seconds()


def _algorithm(request: StopsRequest) -> OrderAlgorithm:
    few = len(request.stops) <= MOST_EXACT
    if request.algorithm is OrderAlgorithm.EXACT and not few:
        raise TooManyStopsToBeExact(
            f"The best order is found for certain of {MOST_EXACT} stops at most, and here are {len(request.stops)};"
            " leave the algorithm out, or leave stops out.",
            field="algorithm",
            metadata={"limit": f"{MOST_EXACT}"},
        )
    return request.algorithm or (OrderAlgorithm.EXACT if few else OrderAlgorithm.GENETIC)


def _check_windows(stops: Sequence[Stop]) -> None:
    for index, stop in enumerate(stops):
        if stop.earliest is not None and stop.latest is not None and stop.latest < stop.earliest:
            raise LatestBeforeEarliest(
                f"latest of stops[{index}] is before its earliest; turn them round.", field=f"stops[{index}].latest"
            )


def _not_in_time(visits: Visits, found: Order | None) -> CleanAirError:
    """Why an exact search found no order, or a memetic one none but this."""
    if found is None:
        late, why = conflict(visits), "cannot all begin in time, in whatever order"
    else:
        late = tuple(sorted(found.visits[found.late > 0].tolist()))
        why = "begin too late in the best order that was found"
    if not late:
        return NoRoute("No way leads through all stops: some ways between them are one-way alone.", field="stops")
    names = ", ".join(f"stops[{index}]" for index in late)
    return WindowsCannotBeMet(
        f"The stays at {names} {why}; make latest later, or leave stops out.",
        field=f"stops[{late[0]}].latest",
        metadata={"stops": ",".join(str(index) for index in late)},
    )


def _tour(
    planner: Planner,
    network: _Network,
    request: StopsRequest,
    visits: Visits,
    found: Order,
    algorithm: OrderAlgorithm,
) -> Tour:
    legs = network.legs(found, visits.stay)
    given = in_order(visits, range(len(request.stops)))
    unknown = [departure for departure, way in legs if not way.doses]
    status = planner.status(network.finder, network.departure)
    if unknown and unknown[0] != network.departure:
        told = unknown[0].strftime("%Y-%m-%dT%H:%M:%SZ")
        status = status.worsened(State.DEGRADED, f"The air is not known on all ways from {told} on: no total is told.")
    return Tour(
        order=tuple(found.visits.tolist()),
        legs=tuple(route_of(network.finder.region, request.route_type, way, departure) for departure, way in legs),
        stay_times=tuple(network.departure + timedelta(seconds=begins) for begins in found.begins.tolist()),
        length_m=sum(way.length_m for _, way in legs),
        seconds=found.ends,
        doses=total([(way.seconds, way.doses) for _, way in legs]),
        compared_to_given=_compare(network, visits, found, given) if given.holds else None,
        algorithm=algorithm,
        status=status,
        graph=network.finder.region.name,
    )


def _compare(network: _Network, visits: Visits, order: Order, other: Order) -> Comparison:
    ours, others = network.legs(order, visits.stay), network.legs(other, visits.stay)
    return Comparison(
        added_seconds=order.ends - other.ends,
        added_m=sum(way.length_m for _, way in ours) - sum(way.length_m for _, way in others),
        saved=_saved(ours, others),
    )


def _saved(legs: Sequence[tuple[datetime, Way]], others: Sequence[tuple[datetime, Way]]) -> SavedDose | None:
    # Between stops at one place nothing is inhaled: what is known there is of no matter.
    ours, theirs = ([way.exposure for _, way in ways if way.seconds > 0] for ways in (legs, others))
    return compare_tours(ours, theirs) if ours and theirs else None
