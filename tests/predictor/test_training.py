"""The fit finds in made-up air what was put into it, and is not misled by broken instruments."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.models.damped_persistence import LEADS, DampedPersistence
from predictor.training.fit_damped_persistence import SHIFT, fit
from predictor.training.recordings import TEST, TRAIN, Recording
from predictor.training.scores import markdown, score
from predictor.training.screening import screened

HOURS, STATIONS, KEPT = 6000, 6, 0.9
"""`KEPT` of an anomaly is left after an hour."""

FIRST_HOUR = 420_000


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Air that wanders around 20 (µg/m³, or ppb) on the model's scale, with half of the hours to train on."""
    random = np.random.default_rng(5)
    anomaly = np.zeros((HOURS, STATIONS, 4))
    for hour in range(1, HOURS):
        anomaly[hour] = KEPT * anomaly[hour - 1] + random.normal(0, 0.1, (STATIONS, 4))
    shift = np.array([SHIFT[pollutant] for pollutant in FORECAST_POLLUTANTS])
    usual = np.array([20.0, 40.0, 0.03, 0.02])
    values = (usual + shift) * np.exp(anomaly) - shift
    values[random.random(values.shape) < 0.1] = np.nan
    # By turns: a season that the fit has not seen cannot be told from the waves of the year.
    part = np.where(np.arange(HOURS) // 120 % 2 == 0, TRAIN, TEST)
    return Recording("made up", FIRST_HOUR, values, part, 1.0)


@pytest.fixture(scope="module")
def model(recording: Recording) -> DampedPersistence:
    return fit([recording])


def test_damping_is_the_share_that_is_left(model: DampedPersistence) -> None:
    for axis in range(4):
        assert float(model.damping[axis, 0]) == pytest.approx(KEPT, abs=0.03)
        assert float(model.damping[axis, 5]) == pytest.approx(KEPT**6, abs=0.06)
        assert float(model.damping[axis, LEADS]) == 0.0


def test_spread_is_that_of_the_errors(model: DampedPersistence) -> None:
    one_hour = 1.2816 * 0.1
    assert model.spread[0, 0].tolist() == pytest.approx([-one_hour, 0.0, one_hour], abs=0.02)
    at_last = 1.2816 * 0.1 / np.sqrt(1 - KEPT**2)
    assert model.spread[0, 71].tolist() == pytest.approx([-at_last, 0.0, at_last], abs=0.06)


def test_what_is_fitted_can_be_used_and_is_the_same_each_time(model: DampedPersistence, recording: Recording) -> None:
    assert model.defects() == []
    again = fit([recording])
    for name, buffer in model.named_buffers():
        assert bool((buffer == again.get_buffer(name)).all()), name


def test_scores_tell_the_model_from_persistence(model: DampedPersistence, recording: Recording) -> None:
    scores = score(model, recording, every_hours=7)
    for pollutant in FORECAST_POLLUTANTS:
        assert scores[pollutant, 24].rmse < 0.85 * scores[pollutant, 24].persistence_rmse
        assert scores[pollutant, 1].coverage == pytest.approx(0.8, abs=0.03)
    table = markdown(recording, scores)
    assert "| PM25 persistence |" in table
    assert table.count("\n") == 4 + 4 * 4


def air(hours: int, stations: int = 1) -> NDArray[np.float64]:
    """Values that no screening objects to: they change from hour to hour."""
    wave = 1 + 0.3 * np.sin(np.arange(hours * stations).reshape(hours, stations))
    values: NDArray[np.float64] = wave[:, :, None] * np.array([20.0, 40.0, 0.03, 0.02])
    return values


def test_sound_values_pass() -> None:
    np.testing.assert_array_equal(screened(air(48, 6)), air(48, 6))


def test_sentinels_are_left_out() -> None:
    values = air(24)
    values[3, 0, 0], values[4, 0, 3] = -1.0, 0.0
    assert np.argwhere(np.isnan(screened(values))).tolist() == [[3, 0, 0], [4, 0, 3]]


def test_a_stuck_instrument_is_left_out_but_ozone_at_its_floor_is_not() -> None:
    values = air(48)
    values[10:22, 0, 1] = 55.0
    values[10:21, 0, 0] = 17.0
    values[5:40, 0, 2] = 0.002
    gone = np.argwhere(np.isnan(screened(values)))
    assert {tuple(place) for place in gone} == {(hour, 0, 1) for hour in range(10, 22)}


def test_a_lone_spike_is_left_out_but_a_storm_over_all_stations_is_not() -> None:
    values = air(24, 8)
    pm10 = FORECAST_POLLUTANTS.index(Pollutant.PM10)
    values[5, 2, pm10] = 3403.0
    values[9, :, pm10] = 900.0 + np.arange(8)
    assert np.argwhere(np.isnan(screened(values))).tolist() == [[5, 2, pm10]]


def test_a_network_that_is_silent_for_an_hour_is_no_trouble() -> None:
    values = air(24, 8)
    values[7] = np.nan
    assert np.isnan(screened(values)).sum() == 8 * 4
