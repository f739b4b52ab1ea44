"""The field: forecast concentrations over space (stations) and hour, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import numpy as np

from air.geodesy import Floats
from air.places import Network, Station
from air.pollutants import FORECAST_POLLUTANTS, ug_m3_per_unit
from router.exposure.forecast import StationForecast

STATISTICS: Final = ("lower", "median", "upper", "mean")
"""What is told of each concentration, in the order of every axis of statistics: three quantiles, and the mean."""

LOWER: Final = STATISTICS.index("lower")
MEDIAN: Final = STATISTICS.index("median")
UPPER: Final = STATISTICS.index("upper")
MEAN: Final = STATISTICS.index("mean")

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, eq=False)
class AirField:
    """The newest forecast of each station, over a common run of hours; never changed once made.

    Attributes:
        first_hour: The end of the first hour forecast.
        values: float64[statistic, pollutant, hour, station], µg/m³, by STATISTICS and FORECAST_POLLUTANTS; NaN where a
            station has no forecast for the hour.
        stations: One a column.
        newest_issue_time: The newest measurement that any of it knows.
    """

    first_hour: datetime
    values: Floats
    stations: tuple[Station, ...]
    newest_issue_time: datetime

    @classmethod
    def of(cls, forecasts: Iterable[StationForecast]) -> Self | None:
        """The field of the newest forecasts, one a station; None when there is not one hour in them.

        A forecast that ended before the newest was issued is left out: its station has been silent for days.
        """
        told = [forecast for forecast in forecasts if forecast.horizon_hours]
        if not told:
            return None
        newest = max(forecast.issue_time for forecast in told)
        told = [forecast for forecast in told if forecast.issue_time + HOUR * forecast.horizon_hours[-1] > newest]
        first = min(_hour_number(forecast, forecast.horizon_hours[0]) for forecast in told)
        last = max(_hour_number(forecast, forecast.horizon_hours[-1]) for forecast in told)
        values = np.full((len(STATISTICS), len(FORECAST_POLLUTANTS), last - first + 1, len(told)), np.nan)
        for column, forecast in enumerate(told):
            hours = [_hour_number(forecast, horizon) - first for horizon in forecast.horizon_hours]
            for row, pollutant in enumerate(FORECAST_POLLUTANTS):
                if pollutant in forecast.series:
                    series = forecast.series[pollutant]
                    in_order = np.array([series.lower, series.median, series.upper, series.mean])
                    values[:, row, hours, column] = in_order * ug_m3_per_unit(pollutant)
        return cls(
            first_hour=datetime.fromtimestamp(first * HOUR.total_seconds(), UTC),
            values=values,
            stations=tuple(forecast.station for forecast in told),
            newest_issue_time=newest,
        )

    @property
    def last_hour(self) -> datetime:
        """The end of the last hour forecast."""
        return self.first_hour + HOUR * (int(self.values.shape[2]) - 1)

    @property
    def simulated(self) -> bool:
        """True when any station is of the simulated city."""
        return any(station.simulated for station in self.stations)

    def hour_at(self, time: datetime) -> int | None:
        """The index of the hour that `time` lies in; None when no hour forecast covers it.

        Values are means of the hour that ends at its label, so 10:35 lies in the hour of 11:00, and who leaves at 11:00
        is on the way in that of 12:00. Only where no hour follows, the end of the last one belongs to it.
        """
        hour = (time - self.first_hour) // HOUR + 1
        hours = int(self.values.shape[2])
        if hour == hours and time == self.last_hour:
            return hours - 1
        return hour if 0 <= hour < hours else None


def is_roadside(stations: Sequence[Station]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which stations stand at the kerb of a main road, bool[s]."""
    return np.array([station.network is Network.ROADSIDE for station in stations], dtype=bool)


def _hour_number(forecast: StationForecast, horizon: int) -> int:
    """The hour's label, in hours since 1970."""
    return round((forecast.issue_time + HOUR * horizon).timestamp() / HOUR.total_seconds())
