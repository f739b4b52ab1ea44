"""Doses and scores, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from air.pollutants import Pollutant, ug_m3_per_unit
from router.exposure.concentration import StreetAir
from router.exposure.dose import Dose, air_quality_score, doses, weighed
from router.exposure.metrics import Metrics
from router.exposure.street import influence_of_roads
from router.graph.graph import RoadClass
from router.modes import TravelMode
from router.search.shapes import Shapes
from tests.router.air_plan import LOWER, UPPER, field_of, forecast
from tests.router.street_plan import Edge, arc_of, plan


def test_dose_is_concentration_times_ventilation_times_time() -> None:
    graph = plan([(0, 0), (100, 0), (200, 0)], [Edge(0, 1), Edge(1, 2, RoadClass.STEPS)])
    air = StreetAir(graph, influence_of_roads(graph, Shapes(graph)))
    background = air.background(field_of(forecast({Pollutant.PM25: 20.0})), 0)
    assert background is not None
    arcs = np.array([arc_of(graph, 0, 1), arc_of(graph, 1, 2)], dtype=np.int32)
    seconds = Metrics(graph, air).seconds[TravelMode.WALK][arcs]
    assert seconds.tolist() == pytest.approx([100 / 1.3, 100 / 0.5], rel=1e-6)
    (dose,) = doses(air, background, arcs, seconds, 1.56)
    expected = 20.0 * 1.56 / 3600 * (100 / 1.3 + 100 / 0.5)
    assert dose.dose_ug == pytest.approx(expected)
    assert (dose.lower_ug, dose.upper_ug) == pytest.approx((expected * LOWER, expected * UPPER))
    assert dose.mean_concentration_ug_m3 == pytest.approx(20.0)


def of_mean(pollutant: Pollutant, value: float) -> Dose:
    return Dose(pollutant, 1.0, 1.0, 1.0, value * ug_m3_per_unit(pollutant))


@pytest.mark.parametrize(
    ("pollutant", "concentration", "score"),
    [
        (Pollutant.PM25, 0.0, 100.0),
        (Pollutant.PM25, 15.0, 75.0),  # good ends
        (Pollutant.PM25, 35.0, 50.0),  # moderate ends
        (Pollutant.PM25, 75.0, 25.0),  # unhealthy ends
        (Pollutant.NO2, 0.06, 50.0),
        (Pollutant.PM25, 900.0, 0.0),
    ],
)
def test_each_grade_of_the_korean_index_is_a_quarter_of_the_score(
    pollutant: Pollutant, concentration: float, score: float
) -> None:
    assert air_quality_score([of_mean(pollutant, concentration)]) == pytest.approx(score)


def test_the_worst_pollutant_makes_the_score() -> None:
    both = [of_mean(Pollutant.PM25, 5.0), of_mean(Pollutant.NO2, 0.06)]
    assert air_quality_score(both) == pytest.approx(50.0)


def test_unknown_air_has_no_score_and_no_weight() -> None:
    assert air_quality_score([]) is None
    assert weighed([]) is None
    assert weighed([of_mean(Pollutant.O3, 0.05)]) is None


def test_doses_are_weighed_by_the_guidelines_of_no2_and_pm25() -> None:
    found = [
        Dose(Pollutant.NO2, 50.0, 0, 0, 0),
        Dose(Pollutant.PM25, 30.0, 0, 0, 0),
        Dose(Pollutant.O3, 999.0, 0, 0, 0),
    ]
    assert weighed(found) == pytest.approx(50 / 25 + 30 / 15)
