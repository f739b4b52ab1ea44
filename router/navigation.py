"""The use case: going along with a traveller, from position to position."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np

from air.places import Point
from air.status import DataStatus
from router.details import with_details
from router.exposure.along import exposure_along
from router.exposure.comparison import Difference
from router.exposure.dose import Dose
from router.exposure.total import total
from router.followed import Followed
from router.modes import GAITS, TravelMode
from router.planner import Planner, compare, route_of
from router.route import Algorithm, Comparison, Detail, Route, RouteType
from router.search.following import NOISE_M, Match, progress
from router.search.snapping import PointOffGraph
from router.traveller import ANYONE, Traveller
from router.way import Way
from router.wayfinding import EqualEnds, NoRoute, Wayfinder, apart_m

USUAL_ACCURACY_M: Final = 10.0
"""Of a position that does not say."""

COARSEST_M: Final = 100.0
"""A position that is less accurate than this says nothing about where on a way one is."""

ARRIVED_M: Final = 20.0
"""Nearer to the end than this, or than the accuracy, one has arrived."""

LEAST_SAVING: Final = 0.05
"""The share of the dose that is left which a cleaner way must save to be advised, where nothing is said."""

_FAR_OFF_M: Final = 50.0
_POSITIONS_OFF: Final = 3
_AROUND_THE_END: Final = 5
_PAST_M: Final = 1.0
_FASTER: Final = 2.0
"""Nobody is faster than this many times the usual speed."""


class Reason(StrEnum):
    """Why a way is new."""

    JOURNEY = "JOURNEY"
    DEVIATION = "DEVIATION"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a traveller is.

    Attributes:
        point: Where.
        time: When that was, by the traveller's clock: it tells which of two positions is the newer. None for now.
        accuracy_m: The radius within which one is with 68 % probability.
    """

    point: Point
    time: datetime | None = None
    accuracy_m: float = USUAL_ACCURACY_M


@dataclass(frozen=True, slots=True)
class NewRoute:
    """A way to follow from now on, told with its steps."""

    reason: Reason
    route: Route


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one is.

    Attributes:
        left_m: Metres left.
        left_seconds: Time left.
        arrival_time: When one arrives.
        off_m: How far the position is from the way, metres.
        next_step: The index of the next of the route's steps.
        next_step_m: How far that is, metres.
    """

    left_m: float
    left_seconds: float
    arrival_time: datetime
    off_m: float
    next_step: int
    next_step_m: float


@dataclass(frozen=True, slots=True)
class Advice:
    """A cleaner way from here, told against the rest of the one that is followed."""

    route: Route
    compared: Comparison


@dataclass(frozen=True, slots=True)
class Arrival:
    """The end: what was inhaled since the journey began, and how long that took."""

    doses: tuple[Dose, ...]
    seconds: float


Event: TypeAlias = NewRoute | Progress | Advice | Arrival


@dataclass(frozen=True, slots=True)
class JourneyRequest:
    """Where somebody wants to go.

    Attributes:
        origin: Where it starts.
        destination: Where it ends.
        travel_mode: How one moves.
        route_type: What the way shall be best in: FASTEST, SHORTEST or HEALTHIEST.
        traveller: Who travels.
        least_saving: The share of the dose that is left which a cleaner way must save to be advised.
    """

    origin: Point
    destination: Point
    travel_mode: TravelMode = TravelMode.WALK
    route_type: RouteType = RouteType.HEALTHIEST
    traveller: Traveller = ANYONE
    least_saving: float = LEAST_SAVING


class Journey:
    """One journey: it changes with each position, and knows no time but what it is told. For one thread at a time."""

    def __init__(self, planner: Planner, asked: JourneyRequest, now: datetime) -> None:
        """Begins it.

        Raises:
            PointOffGraph: An end is far from every way for the travel mode.
            EqualEnds: Both ends are one place.
            NoRoute: There is no way between them.
        """
        self._planner = planner
        self._asked = asked
        self._began = self._time = now
        self._newest: datetime | None = None
        self._inhaled: tuple[float, tuple[Dose, ...]] = (0.0, ())
        self._arrived = False
        self._advised_on = planner.known.field
        self._followed, self._allowance_m = self._way_from(asked.origin, now)
        self._progress_m = 0.0
        self._positions_off = 0

    @property
    def first(self) -> NewRoute:
        """The way to begin with."""
        return NewRoute(Reason.JOURNEY, self._followed.route)

    def status(self, now: datetime) -> DataStatus:
        """What is known of the air now."""
        return self._planner.status(self._finder(now), now)

    def at(self, position: Position, now: datetime) -> tuple[Event, ...]:
        """What there is to tell at a position; nothing if it is older than the one before, or says too little."""
        if self._arrived or position.accuracy_m > COARSEST_M or self._is_old(position):
            return ()
        followed, elapsed = self._followed, (now - self._time).total_seconds()
        match = followed.track.find(
            position.point, self._progress_m, position.accuracy_m, _FASTER * elapsed * followed.speed_m_s
        )
        before_m, self._progress_m = self._progress_m, progress(self._progress_m, match, position.accuracy_m)
        self._inhale(before_m, now)
        if self._is_at_end(position, match):
            self._arrived = True
            return (Arrival(self._inhaled[1], (now - self._began).total_seconds()),)
        if self._has_left(match, position.accuracy_m):
            with suppress(PointOffGraph, NoRoute, EqualEnds):  # there is none from here: perhaps from the next position
                self._followed, self._allowance_m = self._way_from(position.point, now)
                self._progress_m, self._positions_off = 0.0, 0
                off = Match(0.0, self._allowance_m)
                return NewRoute(Reason.DEVIATION, self._followed.route), self._tell(off, now)
        return (self._tell(match, now),)

    def new_air(self, now: datetime) -> Advice | None:
        """Advice, if in the air that is known now a cleaner way saves enough; once for each forecast."""
        field = self._planner.known.field
        if self._arrived or field is None or field is self._advised_on:
            return None
        self._advised_on = field
        finder, asked, followed = self._finder(now), self._asked, self._followed
        rest = finder.way(followed.rest(self._progress_m), now)
        here = followed.place(self._progress_m)
        with suppress(NoRoute, EqualEnds):
            way = finder.find(RouteType.HEALTHIEST, now, here, followed.destination)
            compared = compare(way, rest)
            saved = compared.saved
            if (
                saved is not None
                and saved.fraction >= asked.least_saving
                and saved.difference is Difference.MEANINGFUL_DIFFERENCE
            ):
                return Advice(_told(finder, RouteType.HEALTHIEST, way, now), compared)
        return None

    def _finder(self, now: datetime) -> Wayfinder:
        """Who finds ways on the streets of the way that is followed, in the air that is known now."""
        return replace(self._followed.finder, known=self._planner.known, now=now)

    def _way_from(self, origin: Point, now: datetime) -> tuple[Followed, float]:
        """The way from a point to the destination, and how far the point is from its start, metres."""
        asked = self._asked
        ends = {"journey.origin": origin, "journey.destination": asked.destination}
        finder, (start, end) = self._planner.wayfinder(
            ends, asked.travel_mode, asked.traveller, Algorithm.CONTRACTION_HIERARCHY, now
        )
        way = finder.find(asked.route_type, now, start, end)
        return Followed(finder, way, _told(finder, asked.route_type, way, now), end), start.distance_m

    def _has_left(self, match: Match, accuracy_m: float) -> bool:
        """Whether the traveller has left the way, as this position and those before it say.

        Who starts far from the streets is on the way to them: until then that distance is allowed.
        """
        self._allowance_m = min(self._allowance_m, match.off_m)
        off_m = match.off_m - self._allowance_m
        self._positions_off = self._positions_off + 1 if off_m > NOISE_M + accuracy_m else 0
        return self._positions_off >= _POSITIONS_OFF or off_m > _FAR_OFF_M + accuracy_m

    def _is_at_end(self, position: Position, match: Match) -> bool:
        """Near the end, or past it: between houses nobody need come nearer than the noise."""
        near_m, accuracy_m = max(ARRIVED_M, position.accuracy_m), position.accuracy_m
        left_m = self._followed.track.length_m - self._progress_m
        is_near = left_m <= _AROUND_THE_END * near_m and apart_m(position.point, self._followed.end) <= near_m
        return is_near or (left_m < _PAST_M and match.off_m <= NOISE_M + accuracy_m)

    def _is_old(self, position: Position) -> bool:
        if position.time is None:
            return False
        if self._newest is not None and position.time <= self._newest:
            return True
        self._newest = position.time
        return False

    def _inhale(self, before_m: float, now: datetime) -> None:
        """Adds what was inhaled since the last position, on the way between the two in the time that it took."""
        followed, seconds = self._followed, (now - self._time).total_seconds()
        if seconds <= 0:
            return
        arcs, share = followed.between(min(before_m, self._progress_m), self._progress_m)
        mode, air = self._asked.travel_mode, self._finder(now).air
        exposure = exposure_along(air, arcs, share * seconds, self._time, GAITS[mode].ventilation_m3_h)
        doses = total([self._inhaled, (seconds, exposure.doses)])
        self._inhaled, self._time = (self._inhaled[0] + seconds, doses), now

    def _tell(self, match: Match, now: datetime) -> Progress:
        followed, here_m = self._followed, self._progress_m
        steps_m = followed.steps_m
        next_step = min(int(np.searchsorted(steps_m, here_m, side="right")), len(steps_m) - 1)
        left_seconds = followed.seconds_left(here_m)
        return Progress(
            left_m=followed.track.length_m - here_m,
            left_seconds=left_seconds,
            arrival_time=now + timedelta(seconds=left_seconds),
            off_m=match.off_m,
            next_step=next_step,
            next_step_m=max(float(steps_m[next_step]) - here_m, 0.0),
        )


def _told(finder: Wayfinder, route_type: RouteType, way: Way, now: datetime) -> Route:
    return with_details(route_of(finder.region, route_type, way, now), way, finder, now, {Detail.STEPS})
