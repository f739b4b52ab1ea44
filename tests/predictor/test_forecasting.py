"""Forecasts say when they were issued, by what, and round as the store does."""

from __future__ import annotations

import numpy as np
import pytest

from predictor.forecast import Forecast
from predictor.forecasting import DECIMALS, HORIZONS
from predictor.models.model_file import BASELINE, LoadedModel, load
from predictor.run import Run
from predictor.serving import Lineup, forecast_anew
from predictor.weather_book import WeatherBook
from predictor.window import ReadingWindow
from tests.predictor.air import CHEONGGYE, HOUR, JONGNO, NOON, TYPICAL, hours_of_air, plain_model, reading


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return load(BASELINE)


def forecast(loaded: LoadedModel, window: ReadingWindow) -> list[Forecast]:
    runs = {loaded.sha256: Run.fresh(loaded)}
    return list(forecast_anew(runs, Lineup(loaded, loaded), window, window.stations, WeatherBook()).forecasts)


def test_all_stations_are_forecast_from_the_newest_hour_of_any(loaded: LoadedModel) -> None:
    readings = [*hours_of_air(JONGNO, NOON, 30), *hours_of_air(CHEONGGYE, NOON - 2 * HOUR, 3)]
    window, _ = ReadingWindow(336).with_readings(readings)
    first, second = sorted(forecast(loaded, window), key=lambda one: one.newest_measured_at or NOON, reverse=True)
    assert (first.place, first.issue_time, first.newest_measured_at) == (JONGNO, NOON, NOON)
    assert (second.place, second.issue_time, second.newest_measured_at) == (CHEONGGYE, NOON, NOON - 2 * HOUR)
    assert first.model_version == loaded.version
    assert first.horizons == HORIZONS == range(1, 73)
    assert first.quantiles.shape == (72, 4, 3)


def test_values_are_those_that_the_store_can_keep(loaded: LoadedModel) -> None:
    window, _ = ReadingWindow(24).with_readings([reading(values=(20_000.0, 9990.0, 0.004, 0.0004))])
    (told,) = forecast(loaded, window)
    for axis, decimals in enumerate(DECIMALS):
        np.testing.assert_array_equal(told.quantiles[:, axis], np.round(told.quantiles[:, axis], decimals))
    assert told.quantiles[:, :2].max() == 9999.99
    assert (told.quantiles[0, 2] > 0).all()


def test_a_silent_hour_is_forecast_over() -> None:
    nothing = reading(measured_at=NOON + HOUR, values=(None,) * 4)
    window, _ = ReadingWindow(24).with_readings([reading(), nothing])
    (told,) = forecast(LoadedModel(plain_model(), "0" * 64), window)
    assert told.issue_time == NOON + HOUR
    assert told.newest_measured_at == NOON
    assert told.quantiles[0, 0, 1] == pytest.approx((11 * (TYPICAL[0] + 1)) ** 0.5 - 1, abs=0.01)


def test_no_station_no_forecast(loaded: LoadedModel) -> None:
    assert forecast(loaded, ReadingWindow(24)) == []
