from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from router.graph.graph import Access, Graph, RoadClass
from router.modes import PROFILES, TravelMode, is_open, profile, seconds
from tests.router.street_plan import Edge, arc_of, plan


@pytest.fixture(scope="module")
def streets() -> Graph:
    """A street, steps and a footway for all but cars, 100 m each, and a street that rises by 5 %."""
    nodes = [(100.0 * i, 0.0) for i in range(5)]
    edges = [
        Edge(0, 1),
        Edge(1, 2, RoadClass.STEPS, Access.FOOT, Access.FOOT),
        Edge(2, 3, RoadClass.FOOTWAY, ~Access.CAR, ~Access.CAR),
        Edge(3, 4),
    ]
    flat = plan(nodes, edges)
    grade = np.zeros(flat.arc_count, dtype=np.int8)
    grade[arc_of(flat, 3, 4)], grade[arc_of(flat, 4, 3)] = 5, -5
    return replace(flat, grade_percent=grade)


def taken(streets: Graph, mode: TravelMode, tail: int, head: int) -> float:
    return float(seconds(streets, mode)[arc_of(streets, tail, head)])


def test_who_runs_takes_the_same_share_of_who_walks_everywhere(streets: Graph) -> None:
    shares = seconds(streets, TravelMode.RUN) / seconds(streets, TravelMode.WALK)
    assert shares == pytest.approx(1.3 / 2.8)
    assert profile(TravelMode.RUN) is TravelMode.WALK
    assert {profile(mode) for mode in TravelMode} == set(PROFILES)


def test_each_mode_goes_where_it_may(streets: Graph) -> None:
    reached = {mode: int(np.count_nonzero(is_open(streets, mode))) for mode in TravelMode}
    assert reached == {"WALK": 8, "RUN": 8, "BIKE": 6, "WHEELCHAIR": 6, "CAR": 4}


def test_a_car_takes_its_time_from_the_limit_of_the_street(streets: Graph) -> None:
    assert taken(streets, TravelMode.CAR, 0, 1) == pytest.approx(100 / (0.5 * 50 / 3.6), rel=1e-3)
    express = replace(streets, speed_limit_kmh=np.full(streets.arc_count, 100, dtype=np.uint8))
    assert taken(express, TravelMode.CAR, 0, 1) == pytest.approx(100 / (0.8 * 100 / 3.6), rel=1e-3)


@pytest.mark.parametrize(("mode", "longer"), [("WALK", 1.19), ("WHEELCHAIR", 1.19), ("BIKE", 1.50), ("CAR", 1.0)])
def test_a_climb_takes_longer_and_a_descent_is_no_gain(streets: Graph, mode: str, longer: float) -> None:
    level = taken(streets, TravelMode(mode), 0, 1)
    assert taken(streets, TravelMode(mode), 3, 4) == pytest.approx(longer * level, rel=0.01)
    assert taken(streets, TravelMode(mode), 4, 3) == pytest.approx(level, rel=1e-6)
