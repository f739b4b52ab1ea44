"""Ways on one graph: by each algorithm, while new air comes, in many hours at once, and where links are too long."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import networkx as nx
import numpy as np
import pytest

from air.pollutants import Pollutant
from router.exposure.background import Background
from router.exposure.field import AirField
from router.graph.graph import Graph
from router.known_air import KnownAir
from router.modes import PROFILES, TravelMode, is_open
from router.planner import Planner
from router.region import Region
from router.route import Algorithm, RouteRequest, RouteType
from router.search.engine import Path
from router.traveller import LOAD_WORTH, Sensitivity
from tests.router.air_plan import NOW, field_of, forecast
from tests.router.search.test_engine import grid, place
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

SINGLE = (RouteType.FASTEST, RouteType.SHORTEST, RouteType.HEALTHIEST)
HOUR = timedelta(hours=1)


def dirty(*, north: bool) -> AirField:
    """Air that is foul in the north, or in the south, of 1,300 m of streets."""
    north_ug_m3, south_ug_m3 = (90.0, 10.0) if north else (10.0, 90.0)
    return field_of(
        forecast({Pollutant.NO2: north_ug_m3}, station_id="north", location=at(600, 1300)),
        forecast({Pollutant.NO2: south_ug_m3}, station_id="south", location=at(600, 0)),
    )


@pytest.fixture(scope="module")
def streets() -> Graph:
    """A quarter of them one-way."""
    return grid(14, 4)


@pytest.fixture(scope="module")
def region(streets: Graph) -> Region:
    return Region(streets)


def costs(region: Region, route_type: RouteType, mode: TravelMode, sensitivity: Sensitivity, air: Background) -> object:
    """What each arc costs, reckoned here from times, lengths and loads."""
    seconds, worth = region.seconds(mode), LOAD_WORTH[sensitivity]
    match route_type:
        case RouteType.FASTEST:
            return seconds
        case RouteType.SHORTEST:
            return region.graph.length_m
        case _:
            load = region.air.load(air)
            return seconds * (load if math.isinf(worth) else 1.0 + worth * load)


@pytest.mark.parametrize("sensitivity", list(Sensitivity))
@pytest.mark.parametrize("mode", PROFILES)
def test_every_algorithm_finds_what_networkx_does(region: Region, mode: TravelMode, sensitivity: Sensitivity) -> None:
    graph, rng = region.graph, np.random.default_rng(4)
    background = region.background(dirty(north=True), 1)
    assert background is not None
    for route_type in SINGLE:
        cost = np.asarray(costs(region, route_type, mode, sensitivity, background))
        net: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        for arc in np.flatnonzero(is_open(graph, mode)).tolist():
            net.add_edge(int(graph.tail[arc]), int(graph.head[arc]), weight=float(cost[arc]))
        # At the tail of a one-way street one can but go along it.
        for start, end in rng.choice(np.flatnonzero(graph.reverse >= 0), size=(6, 2)).tolist():
            best = nx.shortest_path_length(net, int(graph.tail[start]), int(graph.tail[end]), weight="weight")
            found = set()
            for algorithm in Algorithm:
                path = region.find(
                    route_type,
                    mode,
                    sensitivity,
                    background,
                    place(graph, start, 0.0),
                    place(graph, end, 0.0),
                    algorithm,
                )
                assert path is not None
                found.add(path.cost)
                # The search reckons in whole numbers.
                assert float(cost[path.arcs] @ path.portions()) == pytest.approx(best, rel=1e-3, abs=0.01)
            assert len(found) == 1


def test_while_fields_come_each_answer_is_the_best_of_one_of_them(streets: Graph) -> None:
    planner = Planner([Region(streets, hours_kept=0)], stale_after=3 * HOUR)
    known = [KnownAir(dirty(north=north)) for north in (True, False)]
    # In through one side, out through the other, halfway between north and south.
    request = RouteRequest(at(0, 600), at(1300, 600), route_types=(RouteType.HEALTHIEST,))

    def told() -> tuple[float, ...]:
        (route,) = planner.plan(request, NOW).routes
        return route.length_m, route.seconds, *(dose.dose_ug for dose in route.doses)

    expected = set()
    for air in known:
        planner.know(air, NOW)
        expected.add(told())
    assert len(expected) == len(known)
    done, seen = threading.Event(), set[tuple[float, ...]]()

    def ask() -> None:
        while not done.is_set():
            seen.add(told())

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for number in range(2000):
            planner.know(known[number % 2], NOW)
            if number > 30 and len(seen) > 1:
                break
        done.set()
        for one in asking:
            one.result()
    assert seen == expected


def test_more_hours_than_are_kept_are_made_again_for_whoever_asks(streets: Graph) -> None:
    region = Region(streets, hours_kept=0)
    field = dirty(north=True)
    values = field.values * np.linspace(1.0, 3.0, field.values.shape[2])[:, None]
    varied = AirField(field.first_hour, values, field.stations, field.newest_issue_time)
    backgrounds = [region.background(varied, hour) for hour in range(6)]
    ends = place(streets, 3, 0.5), place(streets, streets.arc_count - 4, 0.5)

    def ask(number: int) -> Path | None:
        air = backgrounds[number % len(backgrounds)]
        hierarchy = Algorithm.CONTRACTION_HIERARCHY
        return region.find(RouteType.HEALTHIEST, TravelMode.WALK, Sensitivity.HIGH, air, *ends, hierarchy)

    alone = [getattr(ask(number), "cost", None) for number in range(len(backgrounds))]
    assert len(set(alone)) > 1
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(ask, range(60)))
    assert [getattr(path, "cost", None) for path in together] == alone * 10


def test_where_streets_are_too_long_for_links_a_search_without_them_finds_the_way() -> None:
    far_m = 300_000.0
    graph = plan([(0, 0), (far_m, 0), (2 * far_m, 0), (2 * far_m, 100)], [Edge(i, i + 1) for i in range(3)])
    region = Region(graph)
    for route_type in SINGLE:
        path = region.find(
            route_type,
            TravelMode.WALK,
            Sensitivity.HIGH,
            None,
            region.snap(at(0, 0), TravelMode.WALK, "origin"),
            region.snap(at(2 * far_m, 100), TravelMode.WALK, "destination"),
            Algorithm.CONTRACTION_HIERARCHY,
        )
        assert path is not None
        assert float(graph.length_m[path.arcs] @ path.portions()) == pytest.approx(2 * far_m + 100, rel=1e-3)
