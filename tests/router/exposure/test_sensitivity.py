"""The more cleaner air is worth, the cleaner the healthiest way, and the longer: never the other way round."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest

from air.pollutants import Pollutant
from router.graph.graph import RoadClass
from router.modes import TravelMode
from router.region import Region
from router.route import Algorithm, RouteType
from router.search.engine import Place
from router.traveller import Condition, Sensitivity, Traveller
from tests.router.air_plan import NOW, field_of, forecast
from tests.router.street_plan import Edge, at, plan

SPAN_M = 3000
# Weights are whole milliseconds: an arc's may be off by half of one.
ROUNDING_S = 0.1


def drawn(seed: int) -> Region:
    """Thirty crossings, and a hundred streets of all classes between them."""
    random = np.random.default_rng(seed)
    nodes = [(float(east), float(north)) for east, north in random.uniform(0, SPAN_M, (30, 2))]
    ends = [pair for pair in random.integers(30, size=(100, 2)).tolist() if pair[0] != pair[1]]
    kinds = random.choice([kind for kind in RoadClass if kind is not RoadClass.STEPS], len(ends)).tolist()
    return Region(plan(nodes, [Edge(a, b, RoadClass(kind)) for (a, b), kind in zip(ends, kinds, strict=True)]))


@pytest.mark.parametrize("seed", range(3))
def test_dose_never_rises_and_time_never_falls(seed: int) -> None:
    region = drawn(seed)
    air = region.air_of(field_of(forecast({Pollutant.NO2: 90.0, Pollutant.PM25: 8.0}, location=at(0, 0))))
    background, graph = air.at(NOW), region.graph
    changed = 0
    for start, end in np.random.default_rng(seed).integers(graph.arc_count, size=(100, 2)).tolist():
        origin, destination = (Place(arc, 0.5, at(0, 0), 0.0) for arc in (start, end))
        ways = []
        for sensitivity in Sensitivity:
            path = region.find(
                RouteType.HEALTHIEST,
                TravelMode.WALK,
                sensitivity,
                background,
                origin,
                destination,
                Algorithm.CONTRACTION_HIERARCHY,
            )
            if path is not None:
                seconds = region.seconds(TravelMode.WALK)[path.arcs] * path.portions()
                ways.append((float(seconds.sum()), float(region.air.load(background, path.arcs) @ seconds)))
        for (time, load), (next_time, next_load) in pairwise(ways):
            assert next_load <= load + ROUNDING_S
            assert next_time >= time - ROUNDING_S
            changed += next_load < load - ROUNDING_S
    assert changed > 0


def test_a_condition_more_never_makes_less_sensitive() -> None:
    order = list(Sensitivity)
    for asked, count in product([None, *Sensitivity], range(len(Condition))):
        for conditions in combinations(Condition, count):
            before = Traveller(asked, frozenset(conditions)).sensitivity
            assert asked is None or order.index(before) >= order.index(asked)
            for more in Condition:
                after = Traveller(asked, frozenset({*conditions, more})).sensitivity
                assert order.index(after) >= order.index(before)
