"""From the window to forecasts, many stations at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.exceedance import grade_confidences
from predictor.forecast import Forecast
from predictor.holidays import holidays_around
from predictor.models.axes import HORIZON_HOURS
from predictor.models.calibration import Calibration
from predictor.models.model_file import LoadedModel
from predictor.models.observed import Observed
from predictor.weather_book import WeatherSource
from predictor.window import ReadingWindow, StationHours, time_of

Floats = NDArray[np.float64]

HORIZONS: Final = range(1, HORIZON_HOURS + 1)

# What the store keeps of a value: forecasts are rounded before they are told, so that all tell the same.
_PARTICLES: Final = {Pollutant.PM25, Pollutant.PM10}
DECIMALS: Final = tuple(2 if pollutant in _PARTICLES else 4 for pollutant in FORECAST_POLLUTANTS)
_LARGEST: Final = np.array([9999.99 if pollutant in _PARTICLES else 9999.9999 for pollutant in FORECAST_POLLUTANTS])


def forecast_stations(
    loaded: LoadedModel,
    calibration: Calibration,
    window: ReadingWindow,
    asked: Collection[str],
    weather: WeatherSource,
) -> list[Forecast]:
    """One forecast for each station asked for, by station_id, issued at the window's newest hour.

    The others are looked at, too. Takes CPU time: call it off the event loop.
    """
    stations = [window.stations[station_id] for station_id in sorted(window.stations)]
    if not asked or window.newest_hour is None:
        return []
    observed = observed_of(stations, window.newest_hour, asked, weather)
    told = calibration.apply(loaded.model.forecast(observed))
    quantiles = rounded(np.minimum(told.quantiles, _LARGEST[:, None]))
    mean = rounded(np.minimum(told.mean, _LARGEST)[..., None])[..., 0]
    quantiles.setflags(write=False)
    mean.setflags(write=False)
    certain = grade_confidences(quantiles)
    certain.setflags(write=False)
    return [
        Forecast(
            place=stations[place].station,
            issue_time=time_of(window.newest_hour),
            model_version=loaded.version,
            horizons=HORIZONS,
            quantiles=own,
            mean=own_mean,
            confidences=confidences,
            newest_measured_at=stations[place].newest_measured_at,
        )
        for place, own, own_mean, confidences in zip(observed.places.tolist(), quantiles, mean, certain, strict=True)
    ]


def observed_of(
    stations: list[StationHours], issue_hour: int, asked: Collection[str], weather: WeatherSource
) -> Observed:
    """All that is known at the issue hour; whose newest reading is older has gaps up to it."""
    values = np.full((len(stations), *stations[0].values.shape), np.nan, dtype=np.float32)
    for row, station in enumerate(stations):
        late = issue_hour - station.newest_hour
        if late < len(station.values):
            values[row, : len(station.values) - late] = station.values[late:]
    places = [station.station for station in stations]
    return Observed(
        stations=places,
        issue_hour=issue_hour,
        values=values,
        weather=weather.at(places, issue_hour),
        holidays=holidays_around(issue_hour),
        asked=np.array([row for row, station in enumerate(stations) if station.station.station_id in asked]),
    )


def rounded(values: Floats | NDArray[np.float32]) -> Floats:
    """Values (..., pollutants, any) to the decimals that are told and kept; float64."""
    exact = np.empty(values.shape)
    for axis, decimals in enumerate(DECIMALS):
        exact[..., axis, :] = np.round(values[..., axis, :].astype(np.float64), decimals)
    return exact
