"""Concentrations on streets, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from air.places import Network
from air.pollutants import WHO_GUIDELINE_UG_M3, Pollutant
from router.exposure.background import Background
from router.exposure.concentration import StreetAir
from router.exposure.contrast import contrast
from router.exposure.field import AirField
from router.exposure.street import influence_of_roads
from router.graph.graph import Graph, RoadClass
from router.search.shapes import Shapes
from tests.router.air_plan import LOWER, UPPER, field_of, forecast
from tests.router.street_plan import Edge, arc_of, at, plan

# The NO2 of a main road over 100 above the roofs, at six in the evening in Korea, in which the forecasts begin.
KERB = 100 * (1 + 0.470 + 0.222 + 0.037)
NO2, PM25, PM10, O3 = Pollutant.NO2, Pollutant.PM25, Pollutant.PM10, Pollutant.O3
# An arterial road; from its end a local street that leads away; far off a park path, and a pavement beside the road.
NODES = [(0, 0), (100, 0), (100, 4000), (100, 4100), (0, 4100), (0, 30), (100, 30)]
EDGES = [
    Edge(0, 1, RoadClass.ARTERIAL),
    Edge(2, 3, RoadClass.LOCAL),
    Edge(3, 4, RoadClass.PARK_PATH),
    Edge(5, 6, RoadClass.FOOTWAY),
]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return plan(NODES, EDGES)


@pytest.fixture(scope="module")
def air(graph: Graph) -> StreetAir:
    return StreetAir(graph, influence_of_roads(graph, Shapes(graph)))


def known(air: StreetAir, field: AirField) -> Background:
    background = air.background(field, 0)
    assert background is not None
    return background


def on(air: StreetAir, background: Background, pollutant: Pollutant, arc: int) -> float:
    return float(air.on_arcs(background, pollutant, np.array([arc], dtype=np.int32))[1, 0])


@pytest.fixture(scope="module")
def background(air: StreetAir) -> Background:
    """One station of 100 µg/m³: what is above the roofs is the same everywhere."""
    return known(air, field_of(forecast(dict.fromkeys((NO2, PM25, PM10, O3), 100.0))))


class TestStreets:
    def test_a_main_road_has_what_was_measured_at_roadsides(
        self, graph: Graph, air: StreetAir, background: Background
    ) -> None:
        arterial = arc_of(graph, 0, 1)
        values = {p: on(air, background, p, arterial) for p in (NO2, PM25, PM10, O3)}
        assert values == pytest.approx({NO2: KERB, PM25: 100.0, PM10: 109.2, O3: 83.5})

    def test_a_quiet_street_has_the_background(self, graph: Graph, air: StreetAir, background: Background) -> None:
        assert on(air, background, NO2, arc_of(graph, 2, 3)) == pytest.approx(100.0)

    def test_a_park_has_less(self, graph: Graph, air: StreetAir, background: Background) -> None:
        assert on(air, background, NO2, arc_of(graph, 4, 3)) == pytest.approx(85.0)
        assert on(air, background, PM25, arc_of(graph, 4, 3)) == pytest.approx(100.0)

    def test_a_pavement_beside_a_main_road_has_nearly_as_much_as_the_road(
        self, graph: Graph, air: StreetAir, background: Background
    ) -> None:
        expected = 95.0 + (KERB - 100) * math.exp(-30 / 60)
        assert on(air, background, NO2, arc_of(graph, 5, 6)) == pytest.approx(expected, rel=1e-3)

    def test_both_directions_have_the_same(self, graph: Graph, air: StreetAir, background: Background) -> None:
        assert on(air, background, NO2, arc_of(graph, 5, 6)) == on(air, background, NO2, arc_of(graph, 6, 5))

    def test_the_load_is_in_shares_of_the_guidelines(
        self, graph: Graph, air: StreetAir, background: Background
    ) -> None:
        arterial = arc_of(graph, 0, 1)
        expected = KERB / WHO_GUIDELINE_UG_M3[NO2] + 100.0 / WHO_GUIDELINE_UG_M3[PM25]
        assert air.load(background)[arterial] == pytest.approx(expected)

    def test_without_air_the_streets_alone_make_the_load(self, graph: Graph, air: StreetAir) -> None:
        load = air.load(None)
        assert load[arc_of(graph, 0, 1)] == pytest.approx(1.47 + 1.0)
        assert load[arc_of(graph, 3, 4)] == pytest.approx(0.85 + 1.0)


def test_quantiles_are_carried_through(graph: Graph, air: StreetAir) -> None:
    background = known(air, field_of(forecast({NO2: 100.0})))
    on_road = air.on_arcs(background, NO2, np.array([arc_of(graph, 0, 1)], dtype=np.int32))[:, 0]
    assert on_road.tolist() == pytest.approx([KERB * LOWER, KERB, KERB * UPPER, KERB])


def test_a_roadside_station_does_not_speak_for_the_air_behind_the_houses(graph: Graph, air: StreetAir) -> None:
    field = field_of(
        forecast({NO2: 500.0}, station_id="kerb", network=Network.ROADSIDE, location=at(50, 0)),
        forecast({NO2: 100.0}, location=at(0, 9000)),
    )
    background = known(air, field)
    assert background.roadside_only == ()
    assert on(air, background, NO2, arc_of(graph, 0, 1)) == pytest.approx(KERB)


def test_where_only_a_roadside_station_knows_its_road_is_taken_off_again(graph: Graph, air: StreetAir) -> None:
    field = field_of(
        forecast({NO2: KERB, PM25: 80.0}, station_id="kerb", network=Network.ROADSIDE),
        forecast({PM25: 40.0}),
    )
    background = known(air, field)
    assert background.roadside_only == (NO2,)
    assert on(air, background, NO2, arc_of(graph, 0, 1)) == pytest.approx(KERB)
    assert on(air, background, NO2, arc_of(graph, 2, 3)) == pytest.approx(100.0)
    assert on(air, background, PM25, arc_of(graph, 2, 3)) == pytest.approx(40.0)


def test_the_nearer_station_counts_for_more(graph: Graph, air: StreetAir) -> None:
    field = field_of(
        forecast({PM25: 10.0}, station_id="south", location=at(50, 0)),
        forecast({PM25: 50.0}, station_id="north", location=at(50, 4100)),
    )
    background = known(air, field)
    assert 10 <= on(air, background, PM25, arc_of(graph, 0, 1)) < 12
    assert 48 < on(air, background, PM25, arc_of(graph, 3, 4)) <= 50


def test_a_station_of_another_city_says_nothing(air: StreetAir) -> None:
    far = field_of(forecast({NO2: 100.0}, location=at(0, 60_000)))
    assert air.background(far, 0) is None


def test_an_hour_of_which_a_pollutant_is_unknown(graph: Graph, air: StreetAir) -> None:
    background = known(air, field_of(forecast({PM25: 30.0})))
    assert background.known == (PM25,)
    load = air.load(background)[arc_of(graph, 0, 1)]
    assert load == pytest.approx(30.0 / 15.0 + KERB / 100)


def test_roads_are_worst_in_the_afternoon() -> None:
    by_hour = [contrast(NO2, hour) for hour in range(24)]
    assert 12 <= int(np.argmax(by_hour)) <= 19
    assert int(np.argmin(by_hour)) < 7
    assert np.mean(by_hour) == pytest.approx(contrast(NO2, None))
    assert 0 < min(by_hour) < max(by_hour) < 1
