"""Routes on streets small enough to know the answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest

from air.pollutants import Pollutant
from air.status import DataStatus, State
from router.graph.graph import Access, Graph, RoadClass
from router.known_air import KnownAir
from router.modes import TravelMode
from router.planner import Planner
from router.region import Region
from router.route import Algorithm, Route, RouteRequest, RouteType
from router.search.snapping import PointOffGraph
from router.wayfinding import EqualEnds, NoRoute
from tests.router.air_plan import ISSUED, LOWER, NOW, UPPER, air_of, field_of, forecast
from tests.router.street_plan import Edge, at, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
HOUR = timedelta(hours=1)
AIR = air_of({NO2: 50.0, PM25: 10.0})

# From west to east: a main road of 1,000 m, and a path through a park in the north, 1,166 m.
ENDS = [(0.0, 0.0), (1000.0, 0.0)]
BETWEEN = [Edge(0, 1, RoadClass.ARTERIAL), Edge(0, 1, RoadClass.PARK_PATH, via=((500.0, 300.0),))]
PARK_M = 2 * np.hypot(500, 300)
# The park path leaves the road at both ends: Simpson's rule gives it a third of the road's influence.
# The forecasts begin at six in the evening in Korea.
ON_ROAD = 1.729
NO2_IN_PARK = 1 + (ON_ROAD - 1) / 3 - 0.15


def planner_of(graph: Graph, known: KnownAir = AIR) -> Planner:
    planner = Planner([Region(graph)], stale_after=3 * HOUR)
    planner.know(known, NOW)
    return planner


@pytest.fixture(scope="module")
def planner() -> Planner:
    return planner_of(plan(ENDS, BETWEEN))


ACROSS = RouteRequest(at(0, 0), at(1000, 0))


def by_type(routes: tuple[Route, ...]) -> dict[RouteType, Route]:
    return {route.route_type: route for route in routes}


def goes_north(route: Route) -> bool:
    return bool(route.line[:, 0].max() > at(0, 200).latitude)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_the_three_routes(planner: Planner, algorithm: Algorithm) -> None:
    plan = planner.plan(RouteRequest(at(0, 0), at(1000, 0), algorithm=algorithm), NOW)
    assert plan.status == DataStatus(State.FRESH, (), ISSUED, simulated=True)
    assert [route.route_type for route in plan.routes] == [RouteType.FASTEST, RouteType.SHORTEST, RouteType.HEALTHIEST]
    routes = by_type(plan.routes)
    quick, healthiest = routes[RouteType.FASTEST], routes[RouteType.HEALTHIEST]
    assert not goes_north(quick)
    assert not goes_north(routes[RouteType.SHORTEST])
    assert goes_north(healthiest)
    assert quick.length_m == pytest.approx(1000, abs=0.1)
    assert quick.seconds == pytest.approx(1000 / 1.3, abs=0.1)
    assert healthiest.length_m == pytest.approx(PARK_M, abs=0.1)
    assert quick.departure_time == NOW


def test_doses_and_what_the_healthiest_saves(planner: Planner) -> None:
    routes = by_type(planner.plan(ACROSS, NOW).routes)
    quick, healthiest = routes[RouteType.FASTEST], routes[RouteType.HEALTHIEST]
    breathed_m3 = 1000 / 1.3 / 3600 * 1.56
    doses = {dose.pollutant: dose for dose in quick.doses}
    assert doses[NO2].dose_ug == pytest.approx(50 * ON_ROAD * breathed_m3, rel=1e-4)
    # The forecast is not all that errs.
    assert 0 < doses[NO2].lower_ug < doses[NO2].dose_ug * LOWER
    assert doses[NO2].upper_ug > doses[NO2].dose_ug * UPPER
    assert doses[NO2].mean_concentration_ug_m3 == pytest.approx(50 * ON_ROAD)
    assert doses[PM25].dose_ug == pytest.approx(10 * breathed_m3, rel=1e-4)
    compared = healthiest.compared_to_fastest
    assert compared is not None
    assert compared.added_m == pytest.approx(PARK_M - 1000, abs=0.1)
    assert compared.added_seconds == pytest.approx((PARK_M - 1000) / 1.3, abs=0.1)
    in_park, on_road = 50 * NO2_IN_PARK / 25 + 10 / 15, 50 * ON_ROAD / 25 + 10 / 15
    assert compared.dose_saved == pytest.approx(1 - in_park * PARK_M / (on_road * 1000), abs=1e-3)
    assert compared.dose_saved is not None
    assert compared.dose_saved > 0.15
    assert quick.compared_to_fastest is None


def test_a_detour_that_costs_more_than_it_saves_is_not_taken() -> None:
    # With no NO2 to speak of, PM2.5 grows with time alone.
    planner = planner_of(plan(ENDS, BETWEEN), air_of({NO2: 1.0, PM25: 50.0}))
    healthiest = by_type(planner.plan(ACROSS, NOW).routes)[RouteType.HEALTHIEST]
    assert not goes_north(healthiest)
    assert healthiest.compared_to_fastest is not None
    assert healthiest.compared_to_fastest.dose_saved == 0.0


def test_routes_come_in_the_order_asked_for_and_compare_only_to_a_fastest_asked_for(planner: Planner) -> None:
    asked = RouteRequest(at(0, 0), at(1000, 0), route_types=(RouteType.HEALTHIEST, RouteType.SHORTEST))
    routes = planner.plan(asked, NOW).routes
    assert [route.route_type for route in routes] == [RouteType.HEALTHIEST, RouteType.SHORTEST]
    assert [route.compared_to_fastest for route in routes] == [None, None]


def test_ends_within_a_street(planner: Planner) -> None:
    plan = planner.plan(RouteRequest(at(250, -20), at(700, -20)), NOW)
    assert plan.routes[0].length_m == pytest.approx(450, abs=0.1)
    assert plan.routes[0].line.shape == (2, 2)


@pytest.fixture(scope="module")
def block() -> Planner:
    """A block of four streets: stairs in the south, and in the east a street northwards, one-way for bicycles."""
    nodes = [(0.0, 0.0), (100.0, 0.0), (100.0, 400.0), (0.0, 400.0)]
    edges = [
        Edge(0, 1, RoadClass.STEPS),
        Edge(1, 2, back=Access.FOOT),
        Edge(2, 3),
        Edge(3, 0),
    ]
    return planner_of(plan(nodes, edges))


def fastest(planner: Planner, start: tuple[float, float], end: tuple[float, float], mode: TravelMode) -> Route:
    asked = RouteRequest(at(*start), at(*end), travel_mode=mode, route_types=(RouteType.FASTEST,))
    return planner.plan(asked, NOW).routes[0]


class TestModes:
    def test_stairs_are_slow(self, block: Planner) -> None:
        assert fastest(block, (0, 0), (100, 0), TravelMode.WALK).seconds == pytest.approx(200, abs=0.1)
        assert fastest(block, (0, 0), (100, 0), TravelMode.RUN).seconds == pytest.approx(200 * 1.3 / 2.8, abs=0.1)

    def test_running_breathes_more_air_in_less_time(self, block: Planner) -> None:
        walk = fastest(block, (0, 400), (100, 400), TravelMode.WALK)
        run = fastest(block, (0, 400), (100, 400), TravelMode.RUN)
        assert run.seconds == pytest.approx(walk.seconds * 1.3 / 2.8, abs=0.1)
        assert run.doses[0].dose_ug / walk.doses[0].dose_ug == pytest.approx(50 / 26 * 1.3 / 2.8)

    def test_a_one_way_holds_for_bicycles_alone(self, block: Planner) -> None:
        walk = fastest(block, (100, 350), (100, 50), TravelMode.WALK)
        assert walk.length_m == pytest.approx(300, abs=0.1)
        ride = fastest(block, (100, 350), (100, 50), TravelMode.BIKE)
        assert ride.length_m == pytest.approx(50 + 100 + 400 + 100 + 50, abs=0.1)


class TestBadEnds:
    def test_equal(self, planner: Planner) -> None:
        with pytest.raises(EqualEnds) as refused:
            planner.plan(RouteRequest(at(500, 0), at(500.5, 0)), NOW)
        assert refused.value.field == "destination"

    def test_off_the_graph(self, planner: Planner) -> None:
        with pytest.raises(PointOffGraph) as refused:
            planner.plan(RouteRequest(at(0, 0), at(1000, -501)), NOW)
        assert refused.value.field == "destination"

    @pytest.mark.parametrize("field", ["origin", "destination"])
    def test_cut_off(self, field: str) -> None:
        town = [(100.0 * i, 0.0) for i in range(30)]
        graph = plan([*town, (0, 900), (100, 900)], [*(Edge(i, i + 1) for i in range(29)), Edge(30, 31)])
        ends = {"origin": at(0, 0), "destination": at(1000, 0), field: at(50, 900)}
        with pytest.raises(NoRoute, match=f"move the {field}") as refused:
            planner_of(graph).plan(RouteRequest(ends["origin"], ends["destination"]), NOW)
        assert refused.value.field == field

    def test_two_towns(self) -> None:
        graph = plan([(0, 0), (100, 0), (0, 900), (100, 900)], [Edge(0, 1), Edge(2, 3)])
        with pytest.raises(NoRoute) as refused:
            planner_of(graph).plan(RouteRequest(at(0, 0), at(0, 900)), NOW)
        assert refused.value.field == "destination"


class TestAir:
    def assert_degraded(self, planner: Planner, reason: str) -> None:
        plan = planner.plan(ACROSS, NOW)
        assert plan.status.state is State.DEGRADED
        assert reason in " ".join(plan.status.reasons)
        assert plan.status.newest_measured_at is None
        routes = by_type(plan.routes)
        assert all(route.doses == () and route.air_quality_score is None for route in plan.routes)
        healthiest = routes[RouteType.HEALTHIEST]
        assert healthiest.compared_to_fastest is not None
        assert healthiest.compared_to_fastest.dose_saved is None
        assert goes_north(healthiest)

    def test_none_yet(self) -> None:
        # With both pollutants at their guideline the park is worth less than its detour: let it be a short one.
        near = [BETWEEN[0], Edge(0, 1, RoadClass.PARK_PATH, via=((500.0, 220.0),))]
        self.assert_degraded(planner_of(plan(ENDS, near), KnownAir()), "No forecast has come yet")

    def test_too_old_to_reach_the_present(self) -> None:
        near = [BETWEEN[0], Edge(0, 1, RoadClass.PARK_PATH, via=((500.0, 220.0),))]
        old = KnownAir(field_of(forecast({NO2: 50.0, PM25: 10.0}, issued=ISSUED - 80 * HOUR)))
        self.assert_degraded(planner_of(plan(ENDS, near), old), "the field runs from")

    def test_old_but_still_reaching_the_present_is_stale(self, planner: Planner) -> None:
        plan = planner.plan(ACROSS, NOW + 5 * HOUR)
        assert plan.status.state is State.STALE
        assert plan.status.newest_measured_at == ISSUED
        assert plan.routes[0].doses

    def test_a_pollutant_missing_is_said(self) -> None:
        status = planner_of(plan(ENDS, BETWEEN), air_of({PM25: 10.0})).plan(ACROSS, NOW).status
        assert status.state is State.DEGRADED
        assert status.reasons == ("NO2 is not forecast for that hour: the healthiest way weighs it by streets alone.",)

    def test_each_departure_has_the_air_of_its_hour(self) -> None:
        morning = forecast({NO2: 50.0, PM25: 10.0}, station_id="a", hours=3)
        evening = forecast({NO2: 50.0, PM25: 40.0}, station_id="b", issued=ISSUED + 2 * HOUR)
        two = planner_of(plan(ENDS, BETWEEN), KnownAir(field_of(morning, evening)))
        means = []
        for departure in (ISSUED + HOUR, ISSUED + 2 * HOUR):
            asked = RouteRequest(at(0, 0), at(1000, 0), departure_time=departure)
            dose = {d.pollutant: d for d in two.plan(asked, NOW).routes[0].doses}[PM25]
            means.append(dose.mean_concentration_ug_m3)
        assert means == pytest.approx([10.0, 25.0])

    def test_new_air_swaps_whole_while_routes_are_planned(self) -> None:
        planner = planner_of(plan(ENDS, BETWEEN))
        airs = [air_of({NO2: 50.0, PM25: 10.0}), air_of({NO2: 100.0, PM25: 20.0})]

        def ratio(_: int) -> float:
            doses = {d.pollutant: d.dose_ug for d in planner.plan(ACROSS, NOW).routes[0].doses}
            return doses[NO2] / doses[PM25]

        with ThreadPoolExecutor(4) as pool:
            ratios = pool.map(ratio, range(200))
            for number in range(100):
                planner.know(airs[number % 2], NOW)
            assert list(ratios) == pytest.approx([5 * ON_ROAD] * 200, rel=1e-4)
