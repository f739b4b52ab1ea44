"""From the window to forecasts, many stations at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air.pollutants import FORECAST_POLLUTANTS, Pollutant
from predictor.exceedance import grade_confidences
from predictor.forecast import Forecast
from predictor.holidays import holidays_around
from predictor.limitation import Limitation
from predictor.models.axes import HORIZON_HOURS
from predictor.models.members import FieldForecast
from predictor.models.observed import Observed
from predictor.weather_book import WeatherSource
from predictor.window import ReadingWindow, time_of

Floats = NDArray[np.float64]

HORIZONS: Final = range(1, HORIZON_HOURS + 1)

# What the store keeps of a value: forecasts are rounded before they are told, so that all tell the same.
_PARTICLES: Final = {Pollutant.PM25, Pollutant.PM10}
DECIMALS: Final = tuple(2 if pollutant in _PARTICLES else 4 for pollutant in FORECAST_POLLUTANTS)
_LARGEST: Final = np.array([9999.99 if pollutant in _PARTICLES else 9999.9999 for pollutant in FORECAST_POLLUTANTS])


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is told of stations, rounded as the store rounds.

    Attributes:
        mean: (stations, 72, pollutants).
        quantiles: The same and `axes.QUANTILES`.
    """

    mean: Floats
    quantiles: Floats

    @property
    def field(self) -> FieldForecast:
        """The same in single precision."""
        return FieldForecast(self.mean.astype(np.float32), self.quantiles.astype(np.float32))


def told_of(field: FieldForecast) -> Told:
    """What is told of what is expected."""
    quantiles = rounded(np.minimum(field.quantiles, _LARGEST[:, None]))
    mean = rounded(np.minimum(field.mean, _LARGEST)[..., None])[..., 0]
    quantiles.setflags(write=False)
    mean.setflags(write=False)
    return Told(mean, quantiles)


def forecasts_of(
    version: str,
    told: Told,
    window: ReadingWindow,
    observed: Observed,
    limitations: Sequence[frozenset[Limitation]],
) -> list[Forecast]:
    """What is told as a forecast for each station asked for, in the order of `Observed.places`."""
    confidences = grade_confidences(told.quantiles)
    confidences.setflags(write=False)
    forecasts = []
    for row, place in enumerate(observed.places.tolist()):
        station = window.stations[observed.stations[place].station_id]
        forecasts.append(
            Forecast(
                place=station.station,
                issue_time=time_of(observed.issue_hour),
                model_version=version,
                horizons=HORIZONS,
                quantiles=told.quantiles[row],
                mean=told.mean[row],
                confidences=confidences[row],
                newest_measured_at=station.newest_measured_at,
                limitations=limitations[row],
            )
        )
    return forecasts


def observed_in(window: ReadingWindow, asked: Collection[str], weather: WeatherSource) -> Observed | None:
    """All that is known at the window's newest hour; None when there is nobody to forecast for.

    Whose newest reading is older has gaps up to that hour; who has been silent for the whole window is left out.
    """
    issue_hour = window.newest_hour
    if issue_hour is None:
        return None
    heard = [one for _, one in sorted(window.stations.items()) if one.newest_hour > issue_hour - window.hours]
    places = np.array([row for row, one in enumerate(heard) if one.station.station_id in asked], dtype=np.int64)
    if not len(places):
        return None
    values = np.full((len(heard), *heard[0].values.shape), np.nan, dtype=np.float32)
    for row, station in enumerate(heard):
        late = issue_hour - station.newest_hour
        values[row, : window.hours - late] = station.values[late:]
    stations = [one.station for one in heard]
    return Observed(
        stations=stations,
        issue_hour=issue_hour,
        values=values,
        weather=weather.at(stations, issue_hour),
        holidays=holidays_around(issue_hour),
        asked=places,
    )


def rounded(values: Floats | NDArray[np.float32]) -> Floats:
    """Values (..., pollutants, any) to the decimals that are told and kept; float64."""
    exact = np.empty(values.shape)
    for axis, decimals in enumerate(DECIMALS):
        exact[..., axis, :] = np.round(values[..., axis, :].astype(np.float64), decimals)
    return exact
