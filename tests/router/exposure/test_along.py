"""What is inhaled along a way: against sums by hand, and against errors drawn at random."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from air.pollutants import FORECAST_POLLUTANTS, WHO_GUIDELINE_UG_M3, Pollutant, ug_m3_per_unit
from router.exposure.along import Exposure, exposure_along
from router.exposure.background import DEVIATION, SHIFT_UG_M3
from router.exposure.concentration import ROAD_M, StreetAir
from router.exposure.field import LOWER, MEAN, MEDIAN, UPPER
from router.exposure.forecast import Quantiles, StationForecast
from router.exposure.hourly import HourlyAir
from router.exposure.street import influence_of_roads
from router.graph.graph import RoadClass
from router.search.shapes import Shapes
from tests.router.air_plan import ISSUED, NOW, field_of, forecast
from tests.router.street_plan import Edge, arc_of, at, plan

NO2, PM25 = Pollutant.NO2, Pollutant.PM25
ROW = {pollutant: row for row, pollutant in enumerate(FORECAST_POLLUTANTS)}
# Twenty streets of 100 m in a row, of all classes; walked in a hundred seconds each.
CLASSES = [RoadClass((7 * i) % 8) for i in range(20)]
GRAPH = plan([(100 * i, 0) for i in range(21)], [Edge(i, i + 1, c) for i, c in enumerate(CLASSES)])
STREETS = StreetAir(GRAPH, influence_of_roads(GRAPH, Shapes(GRAPH)))
ARCS = np.array([arc_of(GRAPH, i, i + 1) for i in range(20)], dtype=np.int32)
SECONDS = np.full(20, 100.0)
VENTILATION = 1.5


def rising(hours: int = 72, *, mean: float = 1.1) -> StationForecast:
    """NO2 that rises by the hour, and a mean that is not the median."""
    told = [(20.0 + 10.0 * hour) / ug_m3_per_unit(NO2) for hour in range(hours)]
    quantiles = [tuple(factor * value for value in told) for factor in (0.9, 1.0, 1 / 0.9, mean)]
    return StationForecast(
        station=forecast({NO2: 1.0}, location=at(0, 3000)).station,
        issue_time=ISSUED,
        horizon_hours=tuple(range(1, hours + 1)),
        series={NO2: Quantiles(*quantiles)},
    )


def along(air: HourlyAir, departure: datetime = NOW, seconds: np.ndarray = SECONDS) -> Exposure:
    return exposure_along(air, ARCS, seconds, departure, VENTILATION)


@pytest.fixture(scope="module")
def air() -> HourlyAir:
    return HourlyAir(STREETS, field_of(rising()))


def by_hand(air: HourlyAir, departure: datetime, seconds: np.ndarray, statistic: int) -> np.ndarray:
    """The seconds times the concentration of NO2 on each arc, in the hour in which it is begun."""
    assert air.field is not None
    found = []
    for place in range(len(ARCS)):
        hour = air.field.hour_at(departure + timedelta(seconds=float(seconds[:place].sum())))
        background = air.background(air.field.values.shape[2] - 1 if hour is None else hour)
        assert background is not None
        found.append(float(STREETS.on_arcs(background, NO2, ARCS[place : place + 1])[statistic, 0]) * seconds[place])
    return np.array(found)


@pytest.mark.parametrize("departure", [NOW, ISSUED, ISSUED + timedelta(hours=1), NOW + timedelta(hours=3)])
@pytest.mark.parametrize("pace", [0.1, 1.0, 30.0])
def test_each_arc_is_at_its_own_hour(air: HourlyAir, departure: datetime, pace: float) -> None:
    # Just after a full hour: at it one hour ends, and the next has not begun.
    start, seconds = departure + timedelta(seconds=1), SECONDS * pace
    exposure = along(air, start, seconds)
    (dose,) = exposure.doses
    expected = by_hand(air, start, seconds, MEAN).sum()
    assert dose.dose_ug == pytest.approx(expected * VENTILATION / 3600)
    assert dose.mean_concentration_ug_m3 == pytest.approx(expected / seconds.sum())
    # Of PM2.5 nothing is known: as if it stood at its guideline.
    assert exposure.load == pytest.approx(expected / WHO_GUIDELINE_UG_M3[NO2] + seconds.sum())
    assert exposure.midway == pytest.approx(start.timestamp() + seconds.sum() / 2)


def test_a_way_may_outlast_the_forecast() -> None:
    short = HourlyAir(STREETS, field_of(rising(hours=2)))
    seconds = SECONDS * 10
    (dose,) = along(short, NOW + timedelta(hours=1), seconds).doses
    expected = by_hand(short, NOW + timedelta(hours=1), seconds, MEAN).sum()
    assert dose.mean_concentration_ug_m3 == pytest.approx(expected / seconds.sum())


@pytest.mark.parametrize("field", [None, field_of(rising(hours=2))])
def test_where_nothing_is_known_the_streets_alone_make_the_load(field: None) -> None:
    exposure = along(HourlyAir(STREETS, field), NOW + timedelta(hours=9))
    assert (exposure.doses, exposure.score) == ((), None)
    assert exposure.load == pytest.approx(float(STREETS.load(None, ARCS) @ SECONDS))


def test_dose_and_concentration_have_one_interval(air: HourlyAir) -> None:
    exposure = along(air)
    (dose,) = exposure.doses
    breathed = VENTILATION / 3600 * SECONDS.sum()
    assert (dose.lower_ug, dose.upper_ug) == pytest.approx(
        (dose.mean_lower_ug_m3 * breathed, dose.mean_upper_ug_m3 * breathed)
    )
    score = exposure.score
    assert score is not None
    assert score.lower < score.value < score.upper


def test_the_interval_holds_eight_tenths_of_what_the_stated_errors_make() -> None:
    """The forecast and what lies between stations err alike all along, each road on its own."""
    air = HourlyAir(STREETS, field_of(rising(hours=1, mean=1.0)))
    background = air.background(0)
    assert background is not None
    (dose,) = along(air).doses
    influence = STREETS.features[ARCS, 0].astype(float)
    told = by_hand(air, NOW, SECONDS, MEDIAN) / SECONDS
    row = background.by_cell[STREETS.cell[ARCS], ROW[NO2]]
    _, _, own, shared = background.street[ROW[NO2]]
    level = np.log(row[:, UPPER] / row[:, LOWER]) / (2 * 1.2815515655)
    apart = np.abs(np.subtract.outer(np.arange(20), np.arange(20))) * 100.0
    random = np.random.default_rng(5)
    drawn = 20_000
    roads = random.standard_normal((drawn, 20)) @ np.linalg.cholesky(np.exp(-apart / ROAD_M)).T * own
    roads += random.standard_normal((drawn, 1)) * shared
    forecast_error, place_error = random.standard_normal((2, drawn, 1))
    shift = SHIFT_UG_M3[ROW[NO2]]
    true = (told + shift) * np.exp(place_error * row[:, DEVIATION]) - shift
    true *= np.exp(forecast_error * level + roads * influence)
    inhaled = true.mean(axis=1)
    held = np.mean((inhaled >= dose.mean_lower_ug_m3) & (inhaled <= dose.mean_upper_ug_m3))
    assert held == pytest.approx(0.8, abs=0.03)
