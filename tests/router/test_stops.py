"""Stops in their best order, on streets small enough to know the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from air.pollutants import Pollutant
from air.status import State
from router.graph.graph import Access, RoadClass
from router.known_air import KnownAir
from router.modes import TravelMode
from router.planner import Planner
from router.region import Region
from router.route import RouteType
from router.search.snapping import PointOffGraph
from router.stops import (
    LatestBeforeEarliest,
    OrderAlgorithm,
    Stop,
    StopsRequest,
    TooManyStopsToBeExact,
    WindowsCannotBeMet,
    order_stops,
)
from router.traveller import Sensitivity, Traveller
from router.wayfinding import NoRoute
from tests.router.air_plan import NOW, field_of, forecast
from tests.router.street_plan import Edge, at, plan

MINUTE = timedelta(minutes=1)
WALKED_M_S = 1.3
# A street of 1,000 m, a park path between its ends, and north of it a street that is one-way for bicycles.
NODES = [(0.0, 0.0), (1000.0, 0.0), (1000.0, 600.0), (0.0, 600.0)]
EDGES = [
    Edge(0, 1, RoadClass.ARTERIAL),
    Edge(0, 1, RoadClass.PARK_PATH, via=((500.0, 250.0),)),
    Edge(1, 2),
    Edge(2, 3, back=Access.FOOT),
    Edge(3, 0),
]


@pytest.fixture(scope="module")
def planner() -> Planner:
    planner = Planner([Region(plan(NODES, EDGES))], stale_after=timedelta(hours=3))
    planner.know(KnownAir(field_of(forecast({Pollutant.NO2: 50.0, Pollutant.PM25: 10.0}, hours=3))), NOW)
    return planner


def along_the_street(*east_m: float, **changes: object) -> StopsRequest:
    """From the west of the street to its east by the stops, the fastest way."""
    stops = tuple(Stop(at(east, 0)) for east in east_m)
    asked = StopsRequest(at(0, 0), stops, at(1000, 0), route_type=RouteType.FASTEST)
    return replace(asked, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", list(OrderAlgorithm))
def test_the_best_order_of_three_stops(planner: Planner, algorithm: OrderAlgorithm) -> None:
    tour = order_stops(planner, along_the_street(800, 200, 500, algorithm=algorithm), NOW)
    assert tour.order == (1, 2, 0)
    assert [leg.length_m for leg in tour.legs] == pytest.approx([200, 300, 300, 200], abs=0.1)
    assert tour.length_m == pytest.approx(1000, abs=0.3)
    assert tour.seconds == pytest.approx(1000 / WALKED_M_S, abs=0.5)
    assert tour.is_optimal == (algorithm is OrderAlgorithm.EXACT)
    # In the order given one walks 800 m, 600 m back, 300 m on, and 500 m to the end.
    assert tour.compared_to_given is not None
    assert tour.compared_to_given.added_m == pytest.approx(-1200, abs=1)
    assert tour.compared_to_given.added_seconds == pytest.approx(-1200 / WALKED_M_S, abs=1)
    assert tour.compared_to_given.dose_saved == pytest.approx(1200 / 2200, abs=0.001)


def test_what_is_inhaled_is_the_sum_of_the_legs(planner: Planner) -> None:
    tour = order_stops(planner, along_the_street(800, 200), NOW)
    assert {dose.pollutant for dose in tour.doses} == {Pollutant.NO2, Pollutant.PM25}
    for row, dose in enumerate(tour.doses):
        assert dose.dose_ug == pytest.approx(sum(leg.doses[row].dose_ug for leg in tour.legs))
        assert dose.lower_ug < dose.dose_ug < dose.upper_ug
        assert dose.mean_concentration_ug_m3 == pytest.approx(tour.legs[0].doses[row].mean_concentration_ug_m3)


def test_without_a_destination_it_ends_where_it_began(planner: Planner) -> None:
    tour = order_stops(planner, along_the_street(300, destination=None), NOW)
    assert [leg.length_m for leg in tour.legs] == pytest.approx([300, 300], abs=0.1)
    assert tuple(tour.legs[-1].line[-1]) == pytest.approx((at(0, 0).latitude, at(0, 0).longitude))


def test_a_one_way_street_decides_the_order(planner: Planner) -> None:
    # Round the block by bicycle one can go one way only: the stop in the north-west comes last.
    stops = (Stop(at(0, 600)), Stop(at(1000, 600)))
    tour = order_stops(planner, StopsRequest(at(0, 0), stops, travel_mode=TravelMode.BIKE), NOW)
    assert tour.order == (1, 0)


def test_the_healthiest_legs_lead_through_the_park(planner: Planner) -> None:
    # On its way round the sensitive traveller takes the park where the fastest way is the road.
    sensitive = Traveller(Sensitivity.LEAST_DOSE)
    asked = StopsRequest(at(0, 0), (Stop(at(1000, 0)),), traveller=sensitive)
    for leg in order_stops(planner, asked, NOW).legs:
        assert leg.route_type is RouteType.HEALTHIEST
        assert leg.length_m == pytest.approx(1118, abs=1)


def test_one_comes_in_time_waits_and_stays(planner: Planner) -> None:
    # The stop in the middle opens in an hour, the one in the east closes in 20 minutes: back and forth.
    stops = (
        Stop(at(500, 0), stay=10 * MINUTE, earliest=NOW + 60 * MINUTE),
        Stop(at(900, 0), stay=5 * MINUTE, latest=NOW + 20 * MINUTE),
    )
    tour = order_stops(planner, along_the_street(stops=stops), NOW)
    assert tour.order == (1, 0)
    first, second = tour.stay_times
    assert (first - NOW).total_seconds() == pytest.approx(900 / WALKED_M_S, abs=0.1)
    assert second == NOW + 60 * MINUTE
    assert [leg.departure_time for leg in tour.legs] == [NOW, first + 5 * MINUTE, second + 10 * MINUTE]
    assert tour.seconds == pytest.approx(70 * 60 + 500 / WALKED_M_S, abs=0.1)
    assert tour.compared_to_given is None


def test_legs_beyond_the_forecast_are_told_without_air(planner: Planner) -> None:
    stops = (Stop(at(500, 0), stay=20 * 60 * MINUTE),)
    tour = order_stops(planner, along_the_street(stops=stops), NOW)
    assert [bool(leg.doses) for leg in tour.legs] == [True, False]
    assert tour.doses == ()
    assert tour.status.state is State.DEGRADED
    assert "not known on all ways from" in tour.status.reasons[-1]


def test_two_stops_at_one_place(planner: Planner) -> None:
    tour = order_stops(planner, along_the_street(400, 400, 0), NOW)
    assert sum(leg.length_m for leg in tour.legs) == pytest.approx(1000, abs=0.1)
    assert sorted(leg.length_m for leg in tour.legs)[:2] == [0.0, 0.0]


def test_twenty_stops_are_ordered_too(planner: Planner) -> None:
    east = [50.0 * number for number in range(20, 0, -1)]
    tour = order_stops(planner, along_the_street(*east), NOW)
    assert tour.algorithm is OrderAlgorithm.GENETIC
    assert not tour.is_optimal
    assert tour.length_m == pytest.approx(1000, abs=2)


class TestBadStops:
    def test_too_many_to_be_exact(self, planner: Planner) -> None:
        with pytest.raises(TooManyStopsToBeExact) as refused:
            order_stops(planner, along_the_street(*range(10, 140, 10), algorithm=OrderAlgorithm.EXACT), NOW)
        assert refused.value.field == "algorithm"

    def test_off_the_graph(self, planner: Planner) -> None:
        stops = (Stop(at(100, 0)), Stop(at(100, -900)))
        with pytest.raises(PointOffGraph) as refused:
            order_stops(planner, along_the_street(stops=stops), NOW)
        assert refused.value.field == "stops[1].point"
        assert float(refused.value.metadata["distance_meters"]) == pytest.approx(900, rel=0.01)

    def test_latest_before_earliest(self, planner: Planner) -> None:
        stops = (Stop(at(100, 0), earliest=NOW + 2 * MINUTE, latest=NOW + MINUTE),)
        with pytest.raises(LatestBeforeEarliest) as refused:
            order_stops(planner, along_the_street(stops=stops), NOW)
        assert refused.value.field == "stops[0].latest"

    def test_windows_in_conflict_are_named(self, planner: Planner) -> None:
        soon = NOW + 10 * MINUTE
        stops = (
            Stop(at(500, 0), latest=soon + 60 * MINUTE),
            Stop(at(700, 0), latest=soon),
            Stop(at(100, 600), latest=soon),
        )
        with pytest.raises(WindowsCannotBeMet, match=r"stops\[1\], stops\[2\] cannot all begin in time") as refused:
            order_stops(planner, along_the_street(stops=stops), NOW)
        assert (refused.value.field, refused.value.metadata) == ("stops[1].latest", {"stops": "1,2"})

    def test_windows_that_no_order_found_meets_are_named(self, planner: Planner) -> None:
        stops = (*(Stop(at(50.0 * number, 0)) for number in range(14)), Stop(at(900, 0), latest=NOW + MINUTE))
        with pytest.raises(WindowsCannotBeMet, match=r"stops\[14\] begin too late") as refused:
            order_stops(planner, along_the_street(stops=stops), NOW)
        assert refused.value.metadata == {"stops": "14"}

    def test_a_stop_on_streets_of_its_own(self) -> None:
        graph = plan([*NODES, (0, 3000), (500, 3000)], [*EDGES, Edge(4, 5)])
        planner = Planner([Region(graph)], stale_after=timedelta(hours=3))
        stops = (Stop(at(500, 0)), Stop(at(100, 3000)))
        with pytest.raises(NoRoute) as refused:
            order_stops(planner, along_the_street(stops=stops), NOW)
        assert refused.value.field == "stops[1].point"
