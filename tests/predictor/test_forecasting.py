"""Forecasts say when they were issued, by what, and round as the store does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from predictor.forecasting import DECIMALS, HORIZONS, forecast_stations
from predictor.models.model import Model
from predictor.models.model_file import SHIPPED, load
from predictor.window import ReadingWindow
from tests.predictor.air import CHEONGGYE, HOUR, JONGNO, NOON, TYPICAL, hours_of_air, plain_model, reading


@pytest.fixture(scope="module")
def model() -> Model:
    return load(SHIPPED).model


def test_each_station_is_forecast_from_its_own_newest_hour(model: Model) -> None:
    readings = [*hours_of_air(JONGNO, NOON, 30), *hours_of_air(CHEONGGYE, NOON - 2 * HOUR, 3)]
    window, _ = ReadingWindow(336).with_readings(readings)
    first, second = forecast_stations(model, list(window.stations.values()))
    assert (first.place, first.issue_time, first.confidence) == (JONGNO, NOON, 1.0)
    assert (second.place, second.issue_time, second.confidence) == (CHEONGGYE, NOON - 2 * HOUR, 0.125)
    assert first.model_version == "damped-persistence-1"
    assert first.horizons == HORIZONS == range(1, 73)
    assert first.quantiles.shape == (72, 4, 3)


def test_values_are_those_that_the_store_can_keep(model: Model) -> None:
    window, _ = ReadingWindow(24).with_readings([reading(values=(20_000.0, 9990.0, 0.004, 0.0004))])
    (forecast,) = forecast_stations(model, list(window.stations.values()))
    for axis, decimals in enumerate(DECIMALS):
        np.testing.assert_array_equal(forecast.quantiles[:, axis], np.round(forecast.quantiles[:, axis], decimals))
    assert forecast.quantiles[:, :2].max() == 9999.99
    assert (forecast.quantiles[0, 2] > 0).all()


def test_a_silent_hour_is_forecast_over() -> None:
    nothing = reading(measured_at=NOON + HOUR, values=(None,) * 4)
    window, _ = ReadingWindow(24).with_readings([reading(), nothing])
    (forecast,) = forecast_stations(plain_model(), list(window.stations.values()))
    assert forecast.issue_time == NOON + HOUR
    assert forecast.newest_measured_at == NOON
    assert forecast.quantiles[0, 0, 1] == pytest.approx((11 * (TYPICAL[0] + 1)) ** 0.5 - 1, abs=0.01)


def test_no_station_no_forecast(model: Model) -> None:
    assert forecast_stations(model, []) == []


def test_torch_keeps_to_one_thread(model: Model) -> None:
    window, _ = ReadingWindow(24).with_readings([reading()])
    forecast_stations(model, list(window.stations.values()))
    assert torch.get_num_threads() == 1
