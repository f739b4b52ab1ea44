"""The weather as it was known at each issue hour: what had been observed, and what was then forecast."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from predictor.models.axes import HORIZON_HOURS
from predictor.models.channels import WINDOW_HOURS
from predictor.models.weather_input import FORESEEN, OBSERVED, Weather, no_weather
from predictor.training.weather_degradation import as_forecast
from predictor.training.weather_file import RecordedWeather, WeatherForecasts, read_weather, read_weather_forecasts

Floats = NDArray[np.float32]

_SEED: Final = 20_220_101
"""Of the errors of weather that is made as wrong as a forecast; the issue hour is added, so that each has its own."""

NO_WEATHER: Final = "All are scored without weather: none was given."
_OBSERVED: Final = "Of the weather, one place's for all stations, nothing after the issue hour is known"
_FORECAST: Final = f"{_OBSERVED} but what the file says was forecast by then."
_NO_FORECAST: Final = f"{_OBSERVED}: the file holds no forecasts (rows with issued_kst)."
_AS_FORECAST: Final = (
    "THE WEATHER TO COME WAS NOT FORECAST: it is what was observed later, made as wrong as a forecast is assumed to be"
    f" (predictor/training/weather_degradation.py), with the seed {_SEED}. Figures with real forecasts may differ."
)


class KnownWeather:
    """What was known of the weather at an issue hour, the same for all stations."""

    def __init__(
        self, observed: RecordedWeather | None, forecasts: WeatherForecasts | None = None, *, degrade: bool = False
    ) -> None:
        """`degrade` makes forecasts of what was observed later, where there are none."""
        self._observed, self._degrade = observed, degrade
        self._forecasts = forecasts

    @property
    def told(self) -> str:
        """What a reader of scores must know of it."""
        if self._observed is None:
            return NO_WEATHER
        if self._forecasts is not None:
            return _FORECAST
        return _AS_FORECAST if self._degrade else _NO_FORECAST

    def at(self, stations: int, issue_hour: int) -> Weather:
        """The weather at so many stations, known at an hour since 1970-01-01T00Z."""
        if self._observed is None:
            return no_weather(stations)
        observed = self._observed.between(issue_hour + 1 - WINDOW_HOURS, WINDOW_HOURS)[:, :OBSERVED]
        return Weather(
            torch.from_numpy(observed).expand(stations, -1, -1),
            torch.from_numpy(self._foreseen(self._observed, issue_hour)).expand(stations, -1, -1),
        )

    def _foreseen(self, observed: RecordedWeather, issue_hour: int) -> Floats:
        if self._forecasts is not None:
            return np.stack([_newest(self._forecasts, issue_hour, issue_hour + 1 + h) for h in range(HORIZON_HOURS)])
        if not self._degrade:
            return _nothing(HORIZON_HOURS)
        came = torch.from_numpy(observed.between(issue_hour + 1, HORIZON_HOURS))
        chance = torch.Generator().manual_seed(_SEED + issue_hour)
        told: Floats = as_forecast(came[None], chance)[0].numpy()
        return told


def weather_known(file: Path | None, *, as_forecast: bool) -> KnownWeather:
    """The weather of a file as it was known. Raises HoursUnusable.

    Args:
        file: As `read_weather` takes it; rows with an `issued_kst` are forecasts. None: nothing is known.
        as_forecast: Where the file holds no forecasts, make them of what was observed later.
    """
    if file is None:
        return KnownWeather(None)
    return KnownWeather(read_weather(file), read_weather_forecasts(file), degrade=as_forecast)


def _newest(forecasts: WeatherForecasts, issue_hour: int, valid_hour: int) -> Floats:
    """What was forecast last, by the issue hour, of an hour."""
    issued, values = forecasts.of(valid_hour)
    count = bisect_right(issued, issue_hour)
    newest: Floats = values[count - 1] if count else _nothing(1)[0]
    return newest


def _nothing(hours: int) -> Floats:
    return np.full((hours, FORESEEN), np.nan, dtype=np.float32)
