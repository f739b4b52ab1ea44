"""Between stations: a mean that favours the near, and leaves out the silent."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.interpolation import added_deviation, interpolate, weights, widened

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


@given(st.lists(st.floats(0, 60_000), min_size=2, max_size=6))
def test_what_interpolation_adds_grows_with_the_distance(distances: list[float]) -> None:
    added = added_deviation(np.array(sorted(distances)))
    assert added.shape == (len(distances), 4)
    assert (np.diff(added, axis=0) >= 0).all()
    assert (added[np.array(sorted(distances)) <= 50] == 0).all()


forecast = st.lists(st.floats(0, 300), min_size=3, max_size=3).map(sorted)


@given(forecast, st.floats(0, 60_000))
def test_an_interval_is_widened_on_both_sides_of_its_median(quantiles: list[float], distance: float) -> None:
    told = np.broadcast_to(np.array(quantiles), (1, 2, 4, 3)) * np.array([1, 1, 0.001, 0.001])[:, None]
    wide = widened(told, added_deviation(np.array([distance])))
    np.testing.assert_array_equal(wide[..., 1], told[..., 1])
    assert (wide[..., 0] <= told[..., 0]).all()
    assert (wide[..., 2] >= told[..., 2]).all()
    assert (wide >= 0).all()


def test_variances_add_up() -> None:
    """A particle's interval of 20 % to each side, and one of the interpolation's own, on the scale of ln(x + 5)."""
    told = np.full((1, 1, 4, 3), 20.0)
    told[0, 0, 0] = 25 * np.exp([-0.2, 0.0, 0.2]) - 5
    deviation = np.array([[0.1, 0.0, 0.0, 0.0]])
    expected = 25 * np.exp(np.hypot(0.2, 0.1 * NormalDist().inv_cdf(0.9)) * np.array([-1, 0, 1])) - 5
    assert widened(told, deviation)[0, 0, 0] == pytest.approx(expected)
    assert widened(told, deviation)[0, 0, 1] == pytest.approx([20, 20, 20])
