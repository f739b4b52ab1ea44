"""Between stations a forecast is less sure than at them, by as much as recorded air is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.interpolation import weights
from air.places import Point, Station
from air.pollutants import FORECAST_POLLUTANTS
from predictor.forecast import Floats, Forecast
from predictor.points import at_points
from tests.backing.recorded_air import RecordedAir, recorded_air
from tests.predictor.air import NOON

STEPS = np.array([0.01, 0.01, 0.0001, 0.0001])
"""The last decimal that is told."""

SHIFT = np.array([5.0, 10.0, 0.020, 0.010])
LEADS = np.array([1, 3, 6, 12, 24, 48, 72])


def forecast(name: str, location: Point, quantiles: Floats) -> Forecast:
    """As many hours as quantiles (hours, 4, 3) are given."""
    hours = range(1, len(quantiles) + 1)
    unused = np.zeros(len(quantiles))
    return Forecast(Station(name, name, location), NOON, "m-1", hours, quantiles, quantiles[..., 1], unused, NOON)


levels = st.lists(st.floats(0, 200), min_size=3, max_size=3).map(sorted)
of_all = np.array([1.0, 1.0, 0.001, 0.001])[None, :, None]


@given(st.lists(levels, min_size=3, max_size=3), st.floats(37.4, 37.7), st.floats(126.8, 127.2))
def test_an_interval_is_never_narrower_than_the_stations_around(
    told: list[list[float]], latitude: float, longitude: float
) -> None:
    places = [Point(37.50, 126.95), Point(37.55, 127.00), Point(37.60, 127.05)]
    newest = {
        str(place): forecast(str(place), location, np.array(quantiles) * of_all)
        for place, (location, quantiles) in enumerate(zip(places, told, strict=True))
    }
    (answer,) = at_points([Point(latitude, longitude)], newest, now=NOON, hours=1)
    latitudes, longitudes = np.array([[place.latitude, place.longitude] for place in places]).T
    weight = weights(np.array([latitude]), np.array([longitude]), latitudes, longitudes)[0]
    around = np.tensordot(weight, np.stack([one.quantiles for one in newest.values()]), axes=1)
    assert (answer.quantiles[..., 0] <= around[..., 0] + STEPS).all()
    assert (answer.quantiles[..., 2] >= around[..., 2] - STEPS).all()


@given(levels, st.lists(st.floats(0, 45_000), min_size=2, max_size=8).map(sorted))
def test_the_farther_from_a_station_the_wider(told: list[float], distances: list[float]) -> None:
    station = Point(37.5, 127.0)
    newest = {"one": forecast("one", station, np.array(told) * of_all)}
    metres_a_degree = 111_195.0
    points = [Point(station.latitude - metres / metres_a_degree, station.longitude) for metres in distances]
    answers = np.stack([answer.quantiles for answer in at_points(points, newest, now=NOON, hours=1)])
    assert (np.diff(answers[..., 0], axis=0) <= 0).all()
    assert (np.diff(answers[..., 2], axis=0) >= 0).all()
    assert (answers[..., 1] == answers[:1, ..., 1]).all()


@pytest.fixture(scope="module")
def air(real_data: Path) -> RecordedAir:
    return recorded_air(real_data, before=datetime(2025, 7, 1))  # noqa: DTZ001  the recording has no zone


@pytest.mark.real_data
def test_intervals_at_places_that_are_left_out_hold_what_they_should(air: RecordedAir) -> None:
    """Each tenth of the stations in turn is forecast from the others, by persistence, whose intervals hold by design.

    They are the quantiles of all recorded changes from now to each lead, so that 80 % of what came is inside them at
    the stations themselves.
    """
    inside = _left_out(air)
    for axis, pollutant in enumerate(FORECAST_POLLUTANTS):
        assert np.isfinite(inside[..., axis]).sum() > 2000
        assert 0.76 <= np.nanmean(inside[..., axis]) <= 0.84, pollutant


def _left_out(air: RecordedAir) -> Floats:
    """Whether what came was inside, (cases, stations, leads, pollutants), NaN unknown; of stations around Seoul.

    Cases lie 47 hours apart, so that they meet all hours of the day.
    """
    around_seoul = (np.abs(air.latitude - 37.5) < 0.5) & (np.abs(air.longitude - 127.0) < 0.5)
    ours = np.flatnonzero(around_seoul & ~air.roadside)
    latitude, longitude = air.latitude[ours], air.longitude[ours]
    values = np.stack([air.values[pollutant][:, ours] for pollutant in FORECAST_POLLUTANTS], axis=-1)
    scale = np.log(np.where(values > 0, values, np.nan) + SHIFT)
    issues = np.arange(0, len(values) - LEADS[-1], 47)
    now, came = scale[issues], scale[issues[:, None] + LEADS].transpose(0, 2, 1, 3)
    known = np.isfinite(now).all(axis=-1)
    change = np.nanquantile(came - now[:, :, None], [0.1, 0.5, 0.9], axis=(0, 1))
    inside = np.full(came.shape, np.nan)
    for case in np.flatnonzero(known.any(axis=1)):
        told = np.exp(now[case, :, None, :, None] + np.moveaxis(change, 0, -1)) - SHIFT[:, None]
        left_out = np.arange(len(ours)) % 10 == case % 10
        rest = np.flatnonzero(known[case] & ~left_out)
        newest = {
            str(row): forecast(str(row), Point(latitude[row], longitude[row]), np.maximum(told[row], 0)) for row in rest
        }
        points = [Point(latitude[row], longitude[row]) for row in np.flatnonzero(left_out)]
        answers = np.stack([a.quantiles for a in at_points(points, newest, now=NOON, hours=len(LEADS))])
        truth = values[issues[case] + LEADS][:, left_out].transpose(1, 0, 2)
        held = (truth >= answers[..., 0]) & (truth <= answers[..., 2])
        inside[case, left_out] = np.where(truth > 0, held, np.nan)
    return inside
