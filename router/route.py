"""What is asked of the router, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from air.geodesy import Floats
from air.places import Point
from air.status import DataStatus
from router.exposure.along import Score
from router.exposure.comparison import SavedDose
from router.exposure.dose import Dose
from router.modes import TravelMode
from router.segments import Segment
from router.steps import Step
from router.traveller import ANYONE, Traveller


class RouteType(StrEnum):
    """What a route is best in."""

    FASTEST = "FASTEST"
    SHORTEST = "SHORTEST"
    HEALTHIEST = "HEALTHIEST"
    ALTERNATIVE = "ALTERNATIVE"


class Algorithm(StrEnum):
    """How a way is searched for; all are exact."""

    CONTRACTION_HIERARCHY = "CONTRACTION_HIERARCHY"

    DIJKSTRA = "DIJKSTRA"
    A_STAR = "A_STAR"


class Detail(StrEnum):
    """What else is told of a route."""

    GEOJSON = "GEOJSON"
    STEPS = "STEPS"
    SEGMENTS = "SEGMENTS"


class Provider(StrEnum):
    """Who finds the ways; the first is this router."""

    CLEANAIR = "CLEANAIR"
    OSRM = "OSRM"
    VALHALLA = "VALHALLA"

    @property
    def name_for_people(self) -> str:
        """What it calls itself."""
        return "Valhalla" if self is Provider.VALHALLA else self.value


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """Which ways to find.

    Attributes:
        origin: Where they start.
        destination: Where they end.
        travel_mode: How one moves.
        route_types: What they shall be best in, one route each.
        departure_time: When they start; None for now.
        algorithm: How to search.
        traveller: Who travels.
        details: What else to tell of each route.
        provider: Who finds them.
        departure_window_hours: Departures within so many hours are told, too; None for none.
    """

    origin: Point
    destination: Point
    travel_mode: TravelMode = TravelMode.WALK
    route_types: tuple[RouteType, ...] = (RouteType.FASTEST, RouteType.SHORTEST, RouteType.HEALTHIEST)
    departure_time: datetime | None = None
    algorithm: Algorithm = Algorithm.CONTRACTION_HIERARCHY
    traveller: Traveller = ANYONE
    details: frozenset[Detail] = frozenset()
    provider: Provider = Provider.CLEANAIR
    departure_window_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A route against the fastest.

    Attributes:
        added_seconds: Time added; negative when it is shorter.
        added_m: Length added, metres; negative when it is shorter.
        saved: What is saved of the weighed dose; None when the air is unknown.
    """

    added_seconds: float
    added_m: float
    saved: SavedDose | None

    @property
    def dose_saved(self) -> float | None:
        """The share of the weighed dose that is saved; negative when it is more, None when the air is unknown."""
        return None if self.saved is None else self.saved.fraction


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A way, and what it costs: figures from the streets themselves, not from what the search made least.

    Attributes:
        route_type: What it is best in.
        travel_mode: How it is travelled.
        line: Where it runs, float64[p, 2], latitude and longitude in degrees; p is at least 2.
        length_m: Metres.
        seconds: Time on the way.
        departure_time: When it starts.
        doses: What is inhaled, by pollutant; empty when the air is unknown.
        air_quality_score: 0 to 100, with its 80 % interval; None when the air is unknown.
        ventilation_m3_h: What the doses are reckoned with.
        compared_to_fastest: None on the fastest itself, and when that was not asked for.
        steps: Turn by turn; empty unless asked for.
        segments: The air piece by piece; empty unless asked for, and when the air is unknown.
        provider: Who found it.
    """

    route_type: RouteType
    travel_mode: TravelMode
    line: Floats
    length_m: float
    seconds: float
    departure_time: datetime
    doses: tuple[Dose, ...]
    air_quality_score: Score | None
    ventilation_m3_h: float
    compared_to_fastest: Comparison | None = None
    steps: tuple[Step, ...] = ()
    segments: tuple[Segment, ...] = ()
    provider: Provider = Provider.CLEANAIR


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """Leaving at one time of a window, by the healthiest way from then on.

    Attributes:
        time: When.
        seconds: Time on the way.
        doses: What is inhaled on it, by pollutant.
        air_quality_score: 0 to 100, with its 80 % interval.
        compared_to_first: Against leaving at the start of the window; None for that itself.
        route: The way, of the departure with the least load of the window alone.
    """

    time: datetime
    seconds: float
    doses: tuple[Dose, ...]
    air_quality_score: Score | None
    compared_to_first: Comparison | None
    route: Route | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The ways found.

    Attributes:
        routes: One a route type, in the order asked for; several of ALTERNATIVE, by time.
        status: What the air along them rests on.
        graph: Name and version of the street network they are on.
        departures: Those of the window asked for, in order of time.
    """

    routes: tuple[Route, ...]
    status: DataStatus
    graph: str
    departures: tuple[Departure, ...] = ()
