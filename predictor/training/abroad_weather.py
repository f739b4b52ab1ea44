"""The weather of a network abroad, whose stations tell it together with their air: its mean over them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.models.weather_input import FORESEEN
from predictor.training.hourly_file import hours_of, numbers, read_columns
from predictor.training.weather_file import RecordedWeather, wind_towards

Floats = NDArray[np.float64]

_TIME, _DIRECTION = "time_cst", "wd"
_COLUMNS: Final = ("temp", "dewp", "wspm", "rain")
_ROSE: Final = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


def read_abroad_weather(path: Path) -> RecordedWeather:
    """The mean weather of a file with the columns time_cst, temp, dewp, wspm, rain and wd. Raises HoursUnusable.

    It holds no cloud: what a forecast of the weather says of that stays unknown.
    """
    table = read_columns(path, [_TIME, _DIRECTION, *_COLUMNS])
    hour = hours_of(path, table, _TIME)
    temperature, dew_point, speed, rain = (numbers(path, table, column) for column in _COLUMNS)
    degrees = {name: place * 360 / len(_ROSE) for place, name in enumerate(_ROSE)}
    direction = np.array([degrees.get(name, np.nan) for name in table[_DIRECTION].to_pylist()])
    humidity = 100 * vapour_pressure(dew_point) / vapour_pressure(temperature)
    columns = np.stack([temperature, humidity, *wind_towards(speed, direction), speed, rain], axis=-1)
    place = hour - hour.min()
    total, count = (np.zeros((int(place.max()) + 1, columns.shape[1])) for _ in range(2))
    np.add.at(total, place, np.nan_to_num(columns))
    np.add.at(count, place, np.isfinite(columns))
    values = np.full((len(total), FORESEEN), np.nan, dtype=np.float32)
    values[:, : columns.shape[1]] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return RecordedWeather(int(hour.min()), values)


def vapour_pressure(celsius: Floats) -> Floats:
    """Of saturated air, hPa (Magnus; Alduchov and Eskridge 1996)."""
    pressure: Floats = 6.1094 * np.exp(17.625 * celsius / (243.04 + celsius))
    return pressure
