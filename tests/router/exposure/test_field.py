"""The field as arrays: hours, units, and who is left out."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from router.exposure.field import MEDIAN, AirField
from tests.router.air_plan import ISSUED, LOWER, UPPER, field_of, forecast

NO2, PM25 = FORECAST_POLLUTANTS.index(Pollutant.NO2), FORECAST_POLLUTANTS.index(Pollutant.PM25)
HOUR = timedelta(hours=1)


def test_all_values_are_in_micrograms() -> None:
    field = field_of(forecast({Pollutant.NO2: 40.0, Pollutant.PM25: 20.0}))
    assert field.values[:, NO2, 0, 0].tolist() == pytest.approx([40 * LOWER, 40, 40 * UPPER, 40])
    assert field.values[:, PM25, 71, 0].tolist() == pytest.approx([20 * LOWER, 20, 20 * UPPER, 20])


def test_no_forecast_is_no_field() -> None:
    assert AirField.of([]) is None
    assert AirField.of([forecast({Pollutant.NO2: 40.0}, hours=0)]) is None


@pytest.mark.parametrize(
    ("after_issue", "hour"),
    [
        (timedelta(seconds=-1), None),
        (timedelta(0), 0),
        (timedelta(minutes=35), 0),
        (HOUR - timedelta(seconds=1), 0),
        (HOUR, 1),
        (71 * HOUR, 71),
        (72 * HOUR, 71),
        (72 * HOUR + timedelta(seconds=1), None),
    ],
)
def test_a_time_lies_in_the_hour_that_is_under_way(after_issue: timedelta, hour: int | None) -> None:
    field = field_of(forecast({Pollutant.NO2: 40.0}))
    assert field.hour_at(ISSUED + after_issue) == hour
    assert field.last_hour == ISSUED + 72 * HOUR


def test_stations_issued_at_different_hours_meet_at_the_hour_they_are_valid_for() -> None:
    field = field_of(
        forecast({Pollutant.NO2: 40.0}, station_id="early", issued=ISSUED - 3 * HOUR),
        forecast({Pollutant.NO2: 80.0}, station_id="late"),
    )
    early, late = field.values[MEDIAN, NO2, :, 0], field.values[MEDIAN, NO2, :, 1]
    assert field.first_hour == ISSUED - 2 * HOUR
    assert len(early) == 75
    assert np.flatnonzero(np.isfinite(early)).tolist() == list(range(72))
    assert np.flatnonzero(np.isfinite(late)).tolist() == list(range(3, 75))
    assert field.newest_issue_time == ISSUED


def test_a_station_silent_for_longer_than_its_forecast_is_left_out() -> None:
    field = field_of(
        forecast({Pollutant.NO2: 40.0}, station_id="silent", issued=ISSUED - 72 * HOUR),
        forecast({Pollutant.NO2: 80.0}, station_id="late"),
    )
    assert [station.station_id for station in field.stations] == ["late"]
