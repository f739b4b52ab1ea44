"""What ingestion's columns of weather mean to the predictor."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from cleanair.ingestion.v1 import weather_pb2
from cleanair.type.v1 import point_pb2

from mesh.wire import time_to_wire
from predictor.weather_book import CellKey
from predictor.weather_stream import UnevenWeather, grid_hours

START = datetime(2026, 3, 16, 3, tzinfo=UTC)


def two_hours(**other: object) -> weather_pb2.GridWeather:
    sky = weather_pb2.Weather
    message = weather_pb2.GridWeather(
        cell=weather_pb2.GridCell(nx=60, ny=127, centre=point_pb2.Point(latitude=37.5, longitude=127.0)),
        start_time=time_to_wire(START),
        temperature_celsius=[1.0, 2.0],
        humidity_percent=[50.0, np.nan],
        wind_east_mps=[3.0, np.nan],
        wind_north_mps=[-4.0, 0.0],
        precipitation_mm=[0.0, 1.5],
        sky=[sky.SKY_UNSPECIFIED, sky.CLEAR],
    )
    for name, value in other.items():
        message.ClearField(name)  # type: ignore[arg-type] # a test names fields that there are
        getattr(message, name).extend(value)
    return message


def test_columns_become_hours_with_the_speed_of_the_wind_and_tenths_of_cloud() -> None:
    grid = grid_hours([two_hours()])
    assert (grid.cells, grid.start_hour * 3600) == ((CellKey(60, 127),), START.timestamp())
    assert (grid.latitude.tolist(), grid.longitude.tolist()) == ([37.5], [127.0])
    expected = [[1.0, 50.0, 3.0, -4.0, 5.0, 0.0, np.nan], [2.0, np.nan, np.nan, 0.0, np.nan, 1.5, 2.5]]
    np.testing.assert_array_equal(grid.values, np.array([expected], dtype=np.float32))


@pytest.mark.parametrize(("code", "tenths"), [(1, 2.5), (2, 7.0), (3, 9.5), (0, np.nan), (9, np.nan)])
def test_a_code_of_the_sky_stands_for_tenths_of_cloud(code: int, tenths: float) -> None:
    np.testing.assert_array_equal(
        grid_hours([two_hours(sky=[code, code])]).values[0, :, -1], np.array([tenths] * 2, dtype=np.float32)
    )


def test_an_answer_that_cannot_be_is_refused() -> None:
    with pytest.raises(UnevenWeather):
        grid_hours([two_hours(precipitation_mm=[0.0])])
    one_hour = {
        name: [0.0]
        for name in ("temperature_celsius", "humidity_percent", "wind_east_mps", "wind_north_mps", "precipitation_mm")
    }
    with pytest.raises(UnevenWeather):
        grid_hours([two_hours(), two_hours(**one_hour, sky=[0])])
