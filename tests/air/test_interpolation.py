"""Between stations: a mean that favours the near, and leaves out the silent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.interpolation import interpolate, weights

STATION_LATITUDE = np.array([37.50, 37.55, 37.60])
STATION_LONGITUDE = np.array([126.95, 127.00, 127.05])

values = st.lists(st.floats(0, 500), min_size=3, max_size=3)


def weight_at(latitude: float, longitude: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    found = weights(np.array([latitude]), np.array([longitude]), STATION_LATITUDE, STATION_LONGITUDE)
    assert found.shape == (1, 3)
    return found.reshape(1, 3)


@given(st.floats(37.4, 37.7), st.floats(126.8, 127.2), values)
def test_an_estimate_lies_between_the_stations_values(latitude: float, longitude: float, at: list[float]) -> None:
    estimate = interpolate(weight_at(latitude, longitude), np.array(at))
    assert min(at) - 1e-9 <= estimate[0] <= max(at) + 1e-9


def test_at_a_station_its_own_value_counts_most() -> None:
    assert interpolate(weight_at(37.55, 127.00), np.array([10.0, 40.0, 10.0]))[0] == pytest.approx(40.0, abs=0.1)


def test_a_point_twice_as_far_counts_a_quarter() -> None:
    found = weights(np.array([0.0]), np.array([0.0]), np.array([0.0, 0.0]), np.array([0.1, -0.2]))
    assert found[0] == pytest.approx([0.8, 0.2])


def test_a_silent_station_is_left_out() -> None:
    silent = np.array([20.0, np.nan, 20.0])
    assert interpolate(weight_at(37.55, 127.00), silent)[0] == pytest.approx(20.0)


def test_where_all_are_silent_nothing_is_known() -> None:
    assert np.isnan(interpolate(weight_at(37.55, 127.00), np.full(3, np.nan))[0])


def test_many_hours_and_pollutants_at_once() -> None:
    field = np.arange(3 * 24 * 4, dtype=np.float64).reshape(3, 24, 4)
    estimate = interpolate(weight_at(37.55, 127.01), field)
    assert estimate.shape == (1, 24, 4)
    assert estimate[0, 5, 2] == pytest.approx(interpolate(weight_at(37.55, 127.01), field[:, 5, 2])[0])
