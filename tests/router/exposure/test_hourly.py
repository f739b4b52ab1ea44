"""The air of a field by hour: made once, and gone on with where nothing more is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np

from air.pollutants import Pollutant
from router.exposure.concentration import StreetAir
from router.exposure.hourly import HourlyAir
from router.exposure.street import influence_of_roads
from router.search.shapes import Shapes
from tests.router.air_plan import ISSUED, NOW, field_of, forecast
from tests.router.street_plan import Edge, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
GRAPH = plan([(0, 0), (100, 0)], [Edge(0, 1)])
STREETS = StreetAir(GRAPH, influence_of_roads(GRAPH, Shapes(GRAPH)))
HOUR = timedelta(hours=1)


def test_an_hour_is_made_once() -> None:
    air = HourlyAir(STREETS, field_of(forecast({NO2: 50.0})))
    assert air.at(NOW) is air.background(0)
    assert air.at(NOW + HOUR) is not air.at(NOW)


def test_threads_may_ask_at_once() -> None:
    air = HourlyAir(STREETS, field_of(forecast({NO2: 50.0}), forecast({NO2: 80.0}, station_id="b")))
    hours = [hour % 72 for hour in range(500)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(air.background, hours))
    alone = HourlyAir(STREETS, air.field)
    for hour, background in zip(hours, found, strict=True):
        expected = alone.background(hour)
        assert background is not None
        assert expected is not None
        np.testing.assert_array_equal(background.by_cell, expected.by_cell)


def test_beyond_the_forecast_nothing_is_known() -> None:
    air = HourlyAir(STREETS, field_of(forecast({NO2: 50.0}, hours=3)))
    assert air.at(ISSUED - HOUR) is None
    assert air.at(ISSUED + 4 * HOUR) is None
    assert HourlyAir(STREETS, None).at(NOW) is None


def test_an_hour_that_knows_less_is_passed_over() -> None:
    both = forecast({NO2: 50.0, PM25: 10.0}, hours=2)
    one = forecast({NO2: 60.0}, station_id="b", hours=4)
    air = HourlyAir(STREETS, field_of(both, one))
    known = air.background(1)
    assert known is not None
    assert set(known.known) == {NO2, PM25}
    assert air.after(2, known) is known
    assert air.after(99, known) is known
