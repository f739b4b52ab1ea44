"""The weather of the simulated city: in any cell and hour of any year, as a function of the seed alone.

Its courses of day and year are those of the middle of Korea: dry cold winters with wind from the north-west, wet warm
summers. Neighbouring cells have much the same weather. A forecast is what will be, with an error that grows with the
root of its lead. No measured value is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from simulation.noise import Floats, Integers, Noise

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_KST_HOURS: Final = 9
_DAYS_A_YEAR: Final = 365.25
_COLDEST_DAY: Final = 20
_WARMEST_HOUR: Final = 15
_MODES: Final = 5
_CELLS_A_WAVE: Final = 8.0
# Noise is asked for by hour: issues this far apart know nothing of each other's errors.
_HOURS_AN_ISSUE: Final = 1200
_FREEZES_BELOW: Final = 1.0
_MELTS_ABOVE: Final = 2.5
_SNOW_CM_A_MM: Final = 0.9

# What a forecast of a day ahead errs by: °C, the standard deviation of wetness, m/s.
_TEMPERATURE_ERROR: Final = 0.9
_WETNESS_ERROR: Final = 0.35
_WIND_ERROR: Final = 0.6


@dataclass(frozen=True, slots=True)
class Weather:
    """The weather of one cell at some hours; all of shape (hours,).

    Attributes:
        temperature: °C.
        humidity: Relative, percent.
        water: What falls within the hour, as water, mm.
        frozen: How much of it falls as snow: 0 none, 1 all.
        snow: Fresh snow within the hour, cm.
        wind_east: The wind's component towards the east, m/s.
        wind_north: The wind's component towards the north, m/s.
        cloud: How much of the sky is covered, 0 to 1.
        chance: That anything falls, 0 to 1.
    """

    temperature: Floats
    humidity: Floats
    water: Floats
    frozen: Floats
    snow: Floats
    wind_east: Floats
    wind_north: Floats
    cloud: Floats
    chance: Floats


@dataclass(frozen=True, slots=True)
class _Drivers:
    """What the weather follows from, without the courses of day and year; all of shape (hours,)."""

    warmth: Floats
    wetness: Floats
    east: Floats
    north: Floats


class SimulatedWeather:
    """The weather of a seed; hours are counted as in `simulation.air.hour_number`."""

    def __init__(self, seed: int) -> None:
        self._noise = Noise(seed)

    def observed(self, hours: Integers, nx: int, ny: int) -> Weather:
        """What the weather is in a cell."""
        return _weather(hours, self._drivers(hours, nx, ny), np.zeros(len(hours)))

    def forecast(self, issued: int, hours: Integers, nx: int, ny: int) -> Weather:
        """What the weather of a cell will be at hours that are not before `issued`, as it is foreseen then."""
        lead = np.sqrt((hours - issued) / 24.0)
        times = issued * _HOURS_AN_ISSUE + (hours - issued)
        truth = self._drivers(hours, nx, ny)
        foreseen = _Drivers(
            warmth=truth.warmth + _TEMPERATURE_ERROR * lead * self._at(60, times, 24, nx, ny),
            wetness=truth.wetness + _WETNESS_ERROR * lead * self._at(61, times, 18, nx, ny),
            east=truth.east + _WIND_ERROR * lead * self._at(62, times, 18, nx, ny),
            north=truth.north + _WIND_ERROR * lead * self._at(63, times, 18, nx, ny),
        )
        return _weather(hours, foreseen, _WETNESS_ERROR * lead)

    def _drivers(self, hours: Integers, nx: int, ny: int) -> _Drivers:
        return _Drivers(
            warmth=2.6 * self._at(50, hours, 96, nx, ny) + 0.9 * self._at(51, hours, 20, nx, ny),
            wetness=0.8 * self._at(52, hours, 60, nx, ny) + 0.6 * self._at(53, hours, 14, nx, ny),
            east=1.4 * self._at(54, hours, 36, nx, ny) + 0.5 * self._at(55, hours, 6, nx, ny),
            north=1.4 * self._at(56, hours, 36, nx, ny) + 0.5 * self._at(57, hours, 6, nx, ny),
        )

    def _at(self, channel: int, times: Integers, period: int, nx: int, ny: int) -> Floats:
        """A standard normal process at a cell, which far cells have mostly and near ones almost wholly in common."""
        east, north = nx / _CELLS_A_WAVE, ny / _CELLS_A_WAVE
        share = np.array([2.8284, np.cos(east), np.sin(east), np.cos(north), np.sin(north)]) / np.sqrt(10.0)
        process: Floats = self._noise.smooth(channel, times, period, _MODES) @ share
        return process


def _weather(hours: Integers, drivers: _Drivers, doubt: Floats) -> Weather:
    """The weather that follows from its drivers; `doubt` is the standard deviation of wetness."""
    local = hours + _KST_HOURS
    hour = local % 24
    date = np.datetime64(_EPOCH.date()) + local // 24
    day = (date - date.astype("datetime64[Y]")).astype(np.int64) + hour / 24.0
    winter = np.cos(2.0 * np.pi * (day - _COLDEST_DAY) / _DAYS_A_YEAR)
    noon = np.cos(2.0 * np.pi * (hour - _WARMEST_HOUR) / 24.0)

    cloud = 1.0 / (1.0 + np.exp(0.4 + 0.4 * winter - 1.7 * drivers.wetness))
    swing = (5.6 - 3.8 * cloud) * noon
    temperature = 12.5 - 13.5 * winter + drivers.warmth + swing

    falls_above = 1.45 + 0.25 * winter
    excess = np.maximum(drivers.wetness - falls_above, 0.0)
    water = np.where(excess > 0, 0.1 + 3.2 * excess**1.5 * np.exp(-0.8 * winter), 0.0)
    frozen = np.clip((_MELTS_ABOVE - temperature) / (_MELTS_ABOVE - _FREEZES_BELOW), 0.0, 1.0)
    humidity = np.clip(60.0 - 7.0 * winter - 2.2 * swing + 12.0 * drivers.wetness + 6.0 * (excess > 0), 12.0, 100.0)

    strength = 0.75 + 0.3 * noon
    return Weather(
        temperature=temperature,
        humidity=humidity,
        water=water,
        frozen=frozen,
        snow=_SNOW_CM_A_MM * water * frozen,
        wind_east=strength * (drivers.east + 0.5 + 1.0 * winter),
        wind_north=strength * (drivers.north - 0.9 * winter),
        cloud=cloud,
        # The logistic curve nearest to the normal distribution.
        chance=1.0 / (1.0 + np.exp(-1.7 * (drivers.wetness - falls_above) / np.maximum(doubt, 0.1))),
    )
