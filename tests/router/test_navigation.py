"""Journeys on streets small enough to know where one is, what one breathes, and when another way is better."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from air.pollutants import Pollutant
from router.graph.graph import Graph, RoadClass
from router.known_air import KnownAir
from router.navigation import Advice, Arrival, Event, Journey, JourneyRequest, NewRoute, Position, Progress, Reason
from router.planner import Planner
from router.region import Region
from router.route import RouteRequest, RouteType
from router.search.snapping import PointOffGraph
from router.steps import Maneuver
from router.traveller import Sensitivity, Traveller
from router.wayfinding import NoRoute
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
WALKED_M_S = 1.3
EVERY = timedelta(seconds=10)
# A block of 1,000 m by 400 m, cut in half by a street in the middle.
NODES = [(0.0, 0.0), (500.0, 0.0), (1000.0, 0.0), (1000.0, 400.0), (500.0, 400.0), (0.0, 400.0)]
EDGES = [Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(3, 4), Edge(4, 5), Edge(5, 0), Edge(1, 4)]


def planner_of(graph: Graph, known: KnownAir | None = None) -> Planner:
    planner = Planner([Region(graph)], stale_after=timedelta(hours=3))
    planner.know(air_of({NO2: 50.0, PM25: 10.0}) if known is None else known, NOW)
    return planner


@pytest.fixture(scope="module")
def planner() -> Planner:
    return planner_of(plan(NODES, EDGES))


# East along the south, then north; through the middle it is 200 m longer.
ASKED = JourneyRequest(at(0, 0), at(1000, 300), route_type=RouteType.FASTEST)


def walk(*corners: tuple[float, float], speed_m_s: float = WALKED_M_S) -> Iterator[tuple[float, float]]:
    """Places every ten seconds on straight lines between corners."""
    for (east, north), (to_east, to_north) in pairwise(corners):
        steps = max(round(float(np.hypot(to_east - east, to_north - north)) / speed_m_s / 10), 1)
        for step in range(1, steps + 1):
            yield east + (to_east - east) * step / steps, north + (to_north - north) * step / steps


def tell(
    journey: Journey, places: Iterator[tuple[float, float]], noise_m: float = 0.0, accuracy_m: float = 10.0
) -> tuple[list[Event], datetime]:
    """What a journey says to a walk, and when that ended."""
    chance, now, events = np.random.default_rng(1), NOW, list[Event]()
    for east, north in places:
        now += EVERY
        off_east, off_north = chance.uniform(-noise_m, noise_m, 2)
        events += journey.at(Position(at(east + off_east, north + off_north), accuracy_m=accuracy_m), now)
    return events, now


def through(planner: Planner, asked: JourneyRequest) -> tuple[Journey, list[tuple[float, float]]]:
    """A journey, and the corners of its way."""
    journey = Journey(planner, asked, NOW)
    corner = at(0, 0)
    per_degree = at(0, 1).latitude - corner.latitude, at(1, 0).longitude - corner.longitude
    line = (journey.first.route.line - [corner.latitude, corner.longitude]) / per_degree
    return journey, [(float(east), float(north)) for north, east in line]


@pytest.mark.parametrize("noise_m", [0.0, 30.0])
def test_a_walk_along_the_way_progresses_and_arrives(planner: Planner, noise_m: float) -> None:
    journey, corners = through(planner, ASKED)
    assert journey.first.reason is Reason.JOURNEY
    assert journey.first.route.steps[-1].maneuver is Maneuver.ARRIVE
    events, end = tell(journey, walk(*corners), noise_m, accuracy_m=max(noise_m, 10.0))
    *told, arrival = events
    assert all(isinstance(event, Progress) for event in told)
    left = [event.left_m for event in told if isinstance(event, Progress)]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(1287, abs=60)
    assert left[-1] < 60
    assert isinstance(arrival, Arrival)
    assert arrival.seconds == pytest.approx(1300 / WALKED_M_S, abs=60)
    # The time and the dose that were told before are those of the walk.
    planned = {dose.pollutant: dose.dose_ug for dose in journey.first.route.doses}
    for dose in arrival.doses:
        assert dose.dose_ug == pytest.approx(planned[dose.pollutant], rel=0.05)
        assert dose.lower_ug < dose.dose_ug < dose.upper_ug
    assert journey.at(Position(at(1000, 300)), end + EVERY) == ()


def test_progress_tells_what_is_left_and_what_to_do_next(planner: Planner) -> None:
    journey = Journey(planner, JourneyRequest(at(0, 0), at(500, 300), route_type=RouteType.FASTEST), NOW)
    (progress,) = journey.at(Position(at(200, 12)), NOW + timedelta(minutes=5))
    assert isinstance(progress, Progress)
    assert progress.left_m == pytest.approx(600, abs=1)
    assert progress.left_seconds == pytest.approx(600 / WALKED_M_S, abs=1)
    assert progress.arrival_time == NOW + timedelta(minutes=5, seconds=progress.left_seconds)
    assert progress.off_m == pytest.approx(12, abs=0.5)
    assert journey.first.route.steps[progress.next_step].maneuver is Maneuver.LEFT
    assert progress.next_step_m == pytest.approx(300, abs=1)


class TestDeviation:
    def test_one_who_turns_elsewhere_gets_a_new_way_from_there(self, planner: Planner) -> None:
        asked = JourneyRequest(at(0, 0), at(1000, 50), route_type=RouteType.FASTEST)
        journey = Journey(planner, asked, NOW)
        events, _ = tell(journey, walk((0, 0), (500, 0), (500, 75)))
        (found,) = [event for event in events if isinstance(event, NewRoute)]
        assert found.reason is Reason.DEVIATION
        # Up the street in the middle, and back south from there: the shortest way on.
        assert 590 < found.route.length_m < 620
        at_once = events[events.index(found) + 1]
        assert isinstance(at_once, Progress)
        assert at_once.left_m == pytest.approx(found.route.length_m, abs=1)

    def test_one_bad_position_is_none_and_three_are(self, planner: Planner) -> None:
        journey = Journey(planner, ASKED, NOW)
        places = [(100.0, 0.0), (115.0, 45.0), (130.0, 0.0), (145.0, 45.0), (160.0, 45.0)]
        events, now = tell(journey, iter(places))
        assert not any(isinstance(event, NewRoute) for event in events)
        again = journey.at(Position(at(175, 45)), now + EVERY)
        assert isinstance(again[0], NewRoute)

    def test_one_position_very_far_off_is_enough(self, planner: Planner) -> None:
        journey = Journey(planner, ASKED, NOW)
        assert isinstance(journey.at(Position(at(100, 65)), NOW + EVERY)[0], NewRoute)

    def test_an_inaccurate_position_is_believed_less(self, planner: Planner) -> None:
        journey = Journey(planner, ASKED, NOW)
        assert isinstance(journey.at(Position(at(100, 65), accuracy_m=50), NOW + EVERY)[0], Progress)
        assert journey.at(Position(at(100, 65), accuracy_m=101), NOW + 2 * EVERY) == ()

    def test_who_starts_in_a_field_may_walk_to_the_street_first(self, planner: Planner) -> None:
        journey = Journey(planner, JourneyRequest(at(250, -300), at(1000, 0), route_type=RouteType.FASTEST), NOW)
        events, _ = tell(journey, walk((250, -300), (250, 0), (1000, 0)))
        assert not any(isinstance(event, NewRoute) for event in events)
        assert isinstance(events[-1], Arrival)

    def test_where_there_is_no_way_from_the_old_one_is_kept(self, planner: Planner) -> None:
        journey = Journey(planner, ASKED, NOW)
        (event,) = journey.at(Position(at(500, -900)), NOW + timedelta(minutes=10))
        assert isinstance(event, Progress)
        assert event.off_m == pytest.approx(900, rel=0.01)


def test_what_is_inhaled_grows_with_the_time_that_one_takes(planner: Planner) -> None:
    doses = []
    for speed_m_s in (1.3, 0.65):
        journey, corners = through(planner, ASKED)
        events, _ = tell(journey, walk(*corners, speed_m_s=speed_m_s))
        arrival = events[-1]
        assert isinstance(arrival, Arrival)
        doses.append({dose.pollutant: dose for dose in arrival.doses}[NO2])
    assert doses[1].dose_ug == pytest.approx(2 * doses[0].dose_ug, rel=0.02)
    assert doses[1].mean_concentration_ug_m3 == pytest.approx(doses[0].mean_concentration_ug_m3, rel=0.02)


def test_positions_that_come_out_of_order_say_nothing(planner: Planner) -> None:
    journey = Journey(planner, ASKED, NOW)
    assert journey.at(Position(at(100, 0), time=NOW), NOW + EVERY)
    assert journey.at(Position(at(50, 0), time=NOW - EVERY), NOW + 2 * EVERY) == ()


def road_and_park(pieces: int) -> Graph:
    """After 100 m a main road in pieces of 250 m, and a path through a park, 100 m beside it."""
    road = [(100.0 + 250.0 * number, 0.0) for number in range(pieces + 1)]
    nodes = [(0.0, 0.0), *road, *((east, 100.0) for east, _ in road)]
    beside = pieces + 1
    edges = [Edge(number, number + 1, RoadClass.ARTERIAL) for number in range(1, beside)]
    park = [Edge(beside + number, beside + number + 1, RoadClass.PARK_PATH) for number in range(1, beside)]
    across = [Edge(number, beside + number, RoadClass.PARK_PATH) for number in (1, beside)]
    return plan(nodes, [Edge(0, 1), *edges, *park, *across])


class TestNewAir:
    GRAPH = road_and_park(16)
    ASKED = JourneyRequest(at(0, 0), at(4100, 0))

    def on_the_way(self, asked: JourneyRequest = ASKED, graph: Graph = GRAPH) -> tuple[Planner, Journey]:
        """A journey that goes along the road, as there is next to no NO2."""
        planner = planner_of(graph, air_of({NO2: 0.1, PM25: 60.0}))
        journey = Journey(planner, asked, NOW)
        assert isinstance(journey.at(Position(at(50, 0)), NOW + EVERY)[0], Progress)
        assert journey.first.route.line[:, 0].max() < at(0, 50).latitude
        return planner, journey

    def test_a_cleaner_way_is_advised_once_and_not_taken_by_itself(self) -> None:
        planner, journey = self.on_the_way()
        assert journey.new_air(NOW + EVERY) is None
        planner.know(air_of({NO2: 150.0, PM25: 1.0}), NOW)
        advice = journey.new_air(NOW + EVERY)
        assert isinstance(advice, Advice)
        assert advice.route.length_m == pytest.approx(4250, abs=1)
        assert advice.compared.added_m == pytest.approx(200, abs=1)
        assert advice.compared.dose_saved is not None
        assert advice.compared.dose_saved > 0.05
        assert journey.new_air(NOW + 2 * EVERY) is None
        (event,) = journey.at(Position(at(100, 0)), NOW + 2 * EVERY)
        assert isinstance(event, Progress)
        assert event.left_m == pytest.approx(4000, abs=1)

    def test_a_saving_that_is_too_small_is_not_advised(self) -> None:
        planner, journey = self.on_the_way(JourneyRequest(at(0, 0), at(4100, 0), least_saving=0.9))
        planner.know(air_of({NO2: 150.0, PM25: 1.0}), NOW)
        assert journey.new_air(NOW + EVERY) is None

    def test_a_saving_that_may_be_none_is_not_advised(self) -> None:
        # For the least dose one goes round by a park; what one road errs by may be more than what that saves.
        park = Edge(1, 2, RoadClass.PARK_PATH, via=((600.0, 450.0),))
        graph = plan([(0, 0), (100, 0), (1100, 0)], [Edge(0, 1), Edge(1, 2, RoadClass.ARTERIAL), park])
        asked = JourneyRequest(at(0, 0), at(1100, 0), traveller=Traveller(Sensitivity.LEAST_DOSE))
        planner, journey = self.on_the_way(asked, graph)
        planner.know(air_of({NO2: 150.0, PM25: 1.0}), NOW)
        assert Journey(planner, asked, NOW).first.route.length_m > 1400
        assert journey.new_air(NOW + EVERY) is None

    def test_on_the_cleanest_way_there_is_nothing_to_advise(self) -> None:
        planner = planner_of(self.GRAPH, air_of({NO2: 150.0, PM25: 1.0}))
        journey = Journey(planner, self.ASKED, NOW)
        planner.know(air_of({NO2: 160.0, PM25: 1.0}), NOW)
        assert journey.new_air(NOW + EVERY) is None


class TestBadJourneys:
    def test_off_the_graph(self, planner: Planner) -> None:
        with pytest.raises(PointOffGraph) as refused:
            Journey(planner, JourneyRequest(at(0, 0), at(0, -900)), NOW)
        assert refused.value.field == "journey.destination"

    def test_no_way(self) -> None:
        planner = planner_of(plan([(0, 0), (100, 0), (0, 900), (100, 900)], [Edge(0, 1), Edge(2, 3)]))
        with pytest.raises(NoRoute):
            Journey(planner, JourneyRequest(at(0, 0), at(100, 900)), NOW)


def test_the_way_is_the_one_that_calculate_routes_tells(planner: Planner) -> None:
    asked = RouteRequest(ASKED.origin, ASKED.destination, route_types=(RouteType.FASTEST,))
    (route,) = planner.plan(asked, NOW).routes
    told = Journey(planner, ASKED, NOW).first.route
    assert told.line.tolist() == route.line.tolist()
    assert told.doses == route.doses
