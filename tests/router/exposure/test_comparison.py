"""What a way saves against another: when it means something, and how often its interval holds the truth."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from air.pollutants import FORECAST_POLLUTANTS, WHO_GUIDELINE_UG_M3, Pollutant
from router.exposure.along import Exposure, exposure_along
from router.exposure.background import DEVIATION, SHIFT_UG_M3
from router.exposure.comparison import STATIONS_M, Difference, compare, compare_tours
from router.exposure.concentration import ROAD_M, StreetAir
from router.exposure.hourly import HourlyAir
from router.exposure.street import influence_of_roads
from router.graph.graph import RoadClass
from router.search.kernel import Ints
from router.search.shapes import Shapes
from tests.router.air_plan import LOWER, NOW, UPPER, field_of, forecast
from tests.router.street_plan import Edge, arc_of, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
# A lane to a main road, which leads on for 1,000 m; beside it a path through green; and a lane again.
MAIN = [(200.0 + 100 * i, 0.0) for i in range(11)]
GREEN = [(200.0 + 100 * i, 400.0) for i in range(11)]
NODES = [(0.0, 0.0), *MAIN, *GREEN, (1400.0, 0.0)]
EDGES = [
    Edge(0, 1),
    Edge(11, 23),
    Edge(0, 12),
    Edge(22, 23),
    *(Edge(1 + i, 2 + i, RoadClass.ARTERIAL) for i in range(10)),
    *(Edge(12 + i, 13 + i, RoadClass.PARK_PATH) for i in range(10)),
    Edge(6, 17),
]
GRAPH = plan(NODES, EDGES)
STREETS = StreetAir(GRAPH, influence_of_roads(GRAPH, Shapes(GRAPH)))
AIR = HourlyAir(STREETS, field_of(forecast({NO2: 50.0, PM25: 10.0})))


def way(*nodes: int) -> Ints:
    return np.array([arc_of(GRAPH, a, b) for a, b in pairwise(nodes)], dtype=np.int32)


BY_ROAD = way(0, *range(1, 12), 23)
THROUGH_GREEN = way(0, *range(12, 23), 23)
# Half by the road, half through the green.
MIXED = way(0, *range(1, 7), *range(17, 23), 23)


def exposure(arcs: Ints, air: HourlyAir = AIR, later: timedelta = timedelta(0)) -> Exposure:
    return exposure_along(air, arcs, GRAPH.length_m[arcs] / 1.3, NOW + later, 1.56)


def test_what_is_saved_is_the_share_of_the_weighed_dose() -> None:
    ours, theirs = exposure(THROUGH_GREEN), exposure(BY_ROAD)
    weighed = [sum(d.dose_ug / WHO_GUIDELINE_UG_M3[d.pollutant] for d in e.doses) for e in (ours, theirs)]
    saved = compare(ours, theirs)
    assert saved is not None
    assert saved.fraction == pytest.approx(1 - weighed[0] / weighed[1])
    assert saved.lower < saved.fraction < saved.upper


def test_a_way_against_itself_makes_no_difference() -> None:
    saved = compare(exposure(BY_ROAD), exposure(BY_ROAD))
    assert saved is not None
    assert (saved.fraction, saved.lower, saved.upper) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)
    assert saved.difference is Difference.NO_MEANINGFUL_DIFFERENCE


def test_half_a_way_saves_a_meaningful_amount() -> None:
    saved = compare(exposure(BY_ROAD[:6]), exposure(BY_ROAD))
    assert saved is not None
    assert saved.fraction == pytest.approx(0.5, abs=0.1)
    assert saved.difference is Difference.MEANINGFUL_DIFFERENCE


def test_an_hour_between_them_makes_the_forecast_count() -> None:
    now = compare(exposure(BY_ROAD), exposure(BY_ROAD))
    later = compare(exposure(BY_ROAD, later=timedelta(hours=6)), exposure(BY_ROAD))
    assert now is not None
    assert later is not None
    assert later.upper - later.lower > 0.2
    assert now.upper == pytest.approx(now.lower, abs=1e-6)


def test_unknown_air_compares_to_nothing() -> None:
    unknown = HourlyAir(STREETS, None)
    assert compare(exposure(BY_ROAD, unknown), exposure(THROUGH_GREEN, unknown)) is None


def test_tours_are_compared_by_their_sums() -> None:
    walked = timedelta(seconds=float(GRAPH.length_m[BY_ROAD[:6]].sum()) / 1.3)
    first, second = exposure(BY_ROAD[:6]), exposure(BY_ROAD[6:], later=walked)
    whole, parts = exposure(THROUGH_GREEN), compare_tours([first, second], [exposure(THROUGH_GREEN)])
    together = compare(exposure(BY_ROAD), whole)
    assert parts is not None
    assert together is not None
    assert parts.fraction == pytest.approx(together.fraction)
    assert (parts.lower, parts.upper) == pytest.approx((together.lower, together.upper), abs=0.01)


@pytest.mark.parametrize("other", [BY_ROAD, MIXED], ids=["apart", "half the same"])
def test_the_interval_holds_eight_tenths_of_what_the_stated_errors_make(other: Ints) -> None:
    """One forecast for both; what lies between stations goes with the place, what is a road's own with the arc."""
    told = compare(exposure(THROUGH_GREEN), exposure(other))
    background = AIR.background(0)
    assert told is not None
    assert background is not None
    random, drawn = np.random.default_rng(6), 20_000
    apart = np.hypot(*(STREETS.middle_m[:, None] - STREETS.middle_m).transpose(2, 0, 1))
    root = np.linalg.cholesky(np.exp(-apart / STATIONS_M))
    inhaled = np.zeros((2, drawn))
    for pollutant in (NO2, PM25):
        row = FORECAST_POLLUTANTS.index(pollutant)
        level = random.standard_normal((drawn, 1)) * np.log(UPPER / LOWER) / (2 * 1.2815515655)
        shared = random.standard_normal((drawn, 1)) * background.street[row, 3]
        own = _drawn(other, THROUGH_GREEN, random, drawn)
        between = random.standard_normal((drawn, len(STREETS.middle_m))) @ root.T
        for which, arcs in enumerate((THROUGH_GREEN, other)):
            influence, cell = STREETS.features[arcs, 0], STREETS.cell[arcs]
            deviation = background.by_cell[cell, row, DEVIATION]
            concentration = STREETS.on_arcs(background, pollutant, arcs)[1]
            true = (concentration + SHIFT_UG_M3[row]) * np.exp(between[:, cell] * deviation) - SHIFT_UG_M3[row]
            true *= np.exp((own[:, arcs] * background.street[row, 2] + shared) * influence)
            # The level is of the concentration with its shift, too, and one for all of the way.
            true = (true + SHIFT_UG_M3[row]) * np.exp(level) - SHIFT_UG_M3[row]
            inhaled[which] += true @ GRAPH.length_m[arcs] / WHO_GUIDELINE_UG_M3[pollutant]
    saved = 1 - inhaled[0] / inhaled[1]
    assert np.mean((saved >= told.lower) & (saved <= told.upper)) == pytest.approx(0.8, abs=0.05)


def _drawn(first: Ints, second: Ints, random: np.random.Generator, drawn: int) -> np.ndarray:
    """Errors of all arcs, (drawn, m): alike along the first way, and on their own along what is the second's alone."""
    errors = np.zeros((drawn, GRAPH.arc_count))
    for arcs in (first, second[~np.isin(second, first)]):
        middle = np.cumsum(GRAPH.length_m[arcs]) - GRAPH.length_m[arcs] / 2
        alike = np.exp(-np.abs(np.subtract.outer(middle, middle)) / ROAD_M)
        errors[:, arcs] = random.standard_normal((drawn, len(arcs))) @ np.linalg.cholesky(alike).T
    return errors
