"""What there is to choose from between the fastest and the cleanest way."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from air.pollutants import Pollutant
from router.alternatives import LEAST_SAVING, LEAST_SECONDS, MOST, MOST_IN_COMMON, TripTooLong, alternatives, thinned
from router.graph.graph import Access, RoadClass
from router.known_air import KnownAir
from router.modes import TravelMode
from router.region import Region
from router.route import RouteType
from router.search.engine import Path
from router.search.front import Front
from router.traveller import Sensitivity, Traveller
from router.way import Way
from router.wayfinding import NoRoute, Wayfinder
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
AIR = air_of({NO2: 60.0, PM25: 5.0})


def finder_of(region: Region, mode: TravelMode = TravelMode.WALK, known: KnownAir = AIR) -> Wayfinder:
    return Wayfinder(region, known, NOW, mode, Traveller(Sensitivity.NORMAL))


def across(finder: Wayfinder, length_m: float) -> tuple[Way, ...]:
    origin = finder.region.snap(at(0, 0), finder.mode, "origin")
    return alternatives(finder, NOW, origin, finder.region.snap(at(length_m, 0), finder.mode, "destination"))


@pytest.fixture(scope="module")
def parallel() -> Region:
    """Between two places 2,000 m apart: a main road, and six paths beside it, each farther off it and so longer."""
    nodes = [(0.0, 0.0), (2000.0, 0.0)]
    edges = [Edge(0, 1, RoadClass.ARTERIAL)]
    for number in range(1, 7):
        off = 25.0 * number
        nodes += [(0.0, off), (2000.0, off)]
        west, east = len(nodes) - 2, len(nodes) - 1
        edges += [Edge(*ends, RoadClass.FOOTWAY) for ends in ((0, west), (west, east), (east, 1))]
    return Region(plan(nodes, edges))


def test_from_the_fastest_to_the_cleanest(parallel: Region) -> None:
    finder = finder_of(parallel)
    ways = across(finder, 2000)
    assert 3 <= len(ways) <= MOST
    origin, destination = (parallel.snap(at(x, 0), TravelMode.WALK, "origin") for x in (0, 2000))
    fastest = finder.find(RouteType.FASTEST, NOW, origin, destination)
    cleanest = Wayfinder(parallel, AIR, NOW, TravelMode.WALK, Traveller(Sensitivity.LEAST_DOSE)).find(
        RouteType.HEALTHIEST, NOW, origin, destination
    )
    assert (ways[0].seconds, ways[0].load) == (fastest.seconds, fastest.load)
    assert (ways[-1].seconds, ways[-1].load) == (cleanest.seconds, cleanest.load)
    for before, after in itertools.pairwise(ways):
        assert after.seconds - before.seconds >= LEAST_SECONDS
        assert before.load - after.load >= LEAST_SAVING * fastest.load
    for a, b in ((a, b) for a in ways for b in ways if a is not b):
        # The first and the last arc are those of the ends, which are nodes: nobody goes along them.
        shared = np.intersect1d(a.path.arcs[1:-1], b.path.arcs[1:-1])
        assert parallel.graph.length_m[shared].sum() <= MOST_IN_COMMON * min(a.length_m, b.length_m)


def test_who_runs_has_the_same_to_choose_from_in_less_time(parallel: Region) -> None:
    walked, run = (across(finder_of(parallel, mode), 2000) for mode in (TravelMode.WALK, TravelMode.RUN))
    assert run[0].seconds == pytest.approx(walked[0].seconds * 1.3 / 2.8, abs=0.1)
    assert run[-1].path.arcs.tolist() == walked[-1].path.arcs.tolist()


def test_without_air_streets_alone_are_weighed(parallel: Region) -> None:
    ways = across(finder_of(parallel, known=KnownAir()), 2000)
    assert len(ways) > 1
    assert all(way.doses == () for way in ways)


def test_one_way_is_all_there_is_to_choose_from() -> None:
    assert len(across(finder_of(Region(plan([(0, 0), (500, 0)], [Edge(0, 1)]))), 500)) == 1


def test_a_trip_of_more_than_an_hour_is_refused_and_the_limit_said() -> None:
    long = Region(plan([(0, 0), (5000, 0)], [Edge(0, 1)]))
    with pytest.raises(TripTooLong) as refused:
        across(finder_of(long), 5000)
    assert refused.value.field == "route_types"
    assert refused.value.metadata == {"limit_seconds": "3600"}
    assert "64 minutes" in refused.value.message
    assert len(across(finder_of(long, TravelMode.BIKE), 5000)) == 1


def test_no_way_is_no_route() -> None:
    one_way = Region(plan([(0, 0), (500, 0)], [Edge(1, 0, back=Access(0))]))
    with pytest.raises(NoRoute):
        across(finder_of(one_way), 500)


def front_of(points: Sequence[tuple[float, float]], arcs: list[list[int]]) -> Front:
    """A front of seconds and loads, and the arcs of its ways."""
    first, second = np.rint(np.array(points).T * 1000).astype(np.int64)
    return Front(first, second, tuple(Path(0, np.array(way, dtype=np.int32), 0.0, 1.0) for way in arcs), 0.0)


class TestThinning:
    """Ways by arcs of one length each; the area that a way adds decides."""

    GRAPH = plan([(100.0 * i, 0.0) for i in range(61)], [Edge(i, i + 1, back=Access(0)) for i in range(60)])

    def test_the_knee_comes_before_what_lies_near_the_ends(self) -> None:
        knee = [(600, 1000), (640, 960), (700, 600), (900, 560), (1000, 500)]
        alone = [[i] for i in range(5)]
        assert thinned(self.GRAPH, front_of(knee, alone), 0.001) == [0, 1, 2, 3, 4]
        crowd = [*knee[:2], (660, 940), (680, 930), *knee[2:]]
        chosen = thinned(self.GRAPH, front_of(crowd, [[i] for i in range(7)]), 0.001)
        assert len(chosen) == MOST
        assert crowd.index((700, 600)) in chosen

    def test_what_differs_by_seconds_or_by_a_trace_of_dose_is_one_choice(self) -> None:
        points = [(600, 1000), (620, 800), (700, 995), (700, 600), (720, 500)]
        assert thinned(self.GRAPH, front_of(points, [[i] for i in range(5)]), 0.001) == [0, 4]

    def test_what_runs_along_the_same_streets_is_one_choice(self) -> None:
        points = [(600, 1000), (700, 700), (800, 500)]
        same = [list(range(20)), [*range(19), 40], list(range(41, 60))]
        assert thinned(self.GRAPH, front_of(points, same), 0.001) == [0, 2]
        other = [list(range(20)), [*range(15), *range(30, 35)], list(range(41, 60))]
        assert thinned(self.GRAPH, front_of(points, other), 0.001) == [0, 1, 2]

    def test_the_ends_of_the_front_are_always_there(self) -> None:
        assert thinned(self.GRAPH, front_of([(600, 1000), (601, 999.9)], [[0], [1]]), 0.001) == [0, 1]
        assert thinned(self.GRAPH, front_of([(600, 1000)], [[0]]), 0.001) == [0]


def test_no_alternative_takes_twice_as_long_as_the_fastest() -> None:
    detour = Edge(0, 1, RoadClass.PARK_PATH, via=((500.0, 1100.0),))
    region = Region(plan([(0, 0), (1000, 0)], [Edge(0, 1, RoadClass.ARTERIAL), detour]))
    assert math.hypot(500, 1100) > 1000
    ways = across(finder_of(region, known=air_of({NO2: 60.0, PM25: 5.0})), 1000)
    assert max(way.seconds for way in ways) <= 2 * ways[0].seconds
