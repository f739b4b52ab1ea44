"""Forecasts at points between stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air import geodesy, interpolation
from air.places import Network, Point, Station
from mesh.errors import OutOfRange
from predictor.exceedance import grade_confidences
from predictor.forecast import Forecast
from predictor.forecasting import rounded
from predictor.limitation import Limitation
from predictor.prediction import NoForecastYet
from predictor.window import hour_of, time_of

FARTHEST_M: Final = 50_000.0
"""Farther than this from every station, stations say nothing about a point."""

_HOUR: Final = timedelta(hours=1)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class PointTooFar(OutOfRange):
    """No station is near enough to speak for the point."""

    reason = "POINT_TOO_FAR"


def require_stations(points: Sequence[Point], newest: Mapping[str, Forecast], *, now: datetime) -> None:
    """Returns when a station with hours ahead speaks for each point. Raises NoForecastYet, PointTooFar."""
    locations, forecasts = _sources(newest)
    _near_and_current(_distances(points, locations), forecasts, _first_valid_time(forecasts, now))


def at_points(points: Sequence[Point], newest: Mapping[str, Forecast], *, now: datetime, hours: int) -> list[Forecast]:
    """The hours ahead at points, by inverse squared distance from the stations within 50 km that are not at a kerb.

    Each quantile is interpolated on its own, as if stations erred together: the interval is not made narrower by
    averaging. Then it is widened by what interpolation itself adds. Takes CPU time: call it off the event loop. Raises
    NoForecastYet, PointTooFar.
    """
    locations, sources = _sources(newest)
    first = _first_valid_time(sources, now)
    distance = _distances(points, locations)
    usable = _near_and_current(distance, sources, first)
    # Most of a country's stations are far from a few points: only those that count are worked with.
    used = np.flatnonzero(usable.any(axis=0))
    forecasts = [sources[column] for column in used]
    weight = np.where(usable, interpolation.weights_at(distance), 0.0)[:, used]
    weight /= weight.sum(axis=1, keepdims=True)
    values = interpolation.interpolate(weight, np.stack([_from(forecast, first, hours) for forecast in forecasts]))
    nearest = np.where(usable, distance, np.inf).min(axis=1)
    values[..., 1:] = interpolation.widened(values[..., 1:], interpolation.added_deviation(nearest))
    values = rounded(values)
    values[..., 1:] = np.maximum.accumulate(values[..., 1:], axis=-1)
    confidences = grade_confidences(values[..., 1:])
    return [
        _at_point(point, forecasts, weight[row], first, values[row], confidences[row])
        for row, point in enumerate(points)
    ]


def _sources(newest: Mapping[str, Forecast]) -> tuple[list[Point], list[Forecast]]:
    """The stations that speak for points, where they stand and what is forecast there. Raises NoForecastYet."""
    sources = [
        (forecast.place.location, forecast)
        for forecast in newest.values()
        if isinstance(forecast.place, Station) and forecast.place.network is not Network.ROADSIDE
    ]
    if not sources:
        raise NoForecastYet("no station has a forecast yet: try again in a minute")
    return [location for location, _ in sources], [forecast for _, forecast in sources]


def _first_valid_time(forecasts: Sequence[Forecast], now: datetime) -> datetime:
    """The next hour; or the first that all look ahead to, where a station's clock is ahead of ours."""
    return max([time_of(hour_of(now)), *(forecast.issue_time for forecast in forecasts)]) + _HOUR


def _distances(points: Sequence[Point], stations: Sequence[Point]) -> Floats:
    """In metres, (points, stations)."""
    at = np.array([[point.latitude, point.longitude] for point in points]).T
    of = np.array([[station.latitude, station.longitude] for station in stations]).T
    return geodesy.distance_m(at[0][:, None], at[1][:, None], of[0], of[1])


def _near_and_current(distance: Floats, forecasts: Sequence[Forecast], first: datetime) -> Bools:
    """Which stations speak for which points, (points, stations). Raises PointTooFar, NoForecastYet."""
    near = distance <= FARTHEST_M
    usable: Bools = near & np.array([forecast.ends_at >= first for forecast in forecasts])
    for row in np.flatnonzero(~usable.any(axis=1)):
        field = f"points[{row}]"
        if near[row].any():
            raise NoForecastYet("all stations near the point have been silent for days: try again later", field=field)
        raise PointTooFar(
            f"the nearest station is {distance[row].min() / 1000:.0f} km away, and stations speak for"
            f" {FARTHEST_M / 1000:.0f} km: ask for a point nearer to one",
            field=field,
        )
    return usable


def _from(forecast: Forecast, first: datetime, hours: int) -> Floats:
    """Mean and quantiles, (hours, pollutants, 4), from a valid time on; NaN where the forecast does not reach."""
    own = (first - forecast.issue_time) // _HOUR - forecast.horizons[0] + np.arange(hours)
    reached = own < len(forecast.horizons)
    there = np.minimum(own, len(forecast.horizons) - 1)
    values = np.concatenate([forecast.mean[there, :, None], forecast.quantiles[there]], axis=-1)
    return np.where(reached[:, None, None], values, np.nan)


def _at_point(
    point: Point,
    forecasts: Sequence[Forecast],
    weight: Floats,
    first: datetime,
    values: Floats,
    confidences: Floats,
) -> Forecast:
    """The forecast at a point from those that have a weight there, as far as the newest of them reaches."""
    around = [forecast for forecast, share in zip(forecasts, weight, strict=True) if share > 0]
    newest = max(around, key=lambda forecast: forecast.issue_time)
    start = (first - newest.issue_time) // _HOUR
    horizons = range(start, min(start + len(values), newest.horizons[-1] + 1))
    measured = (forecast.newest_measured_at for forecast in around)
    return Forecast(
        place=point,
        issue_time=newest.issue_time,
        model_version=newest.model_version,
        horizons=horizons,
        quantiles=values[: len(horizons), :, 1:],
        mean=values[: len(horizons), :, 0],
        confidences=confidences[: len(horizons)],
        newest_measured_at=max((time for time in measured if time is not None), default=None),
        limitations=frozenset({Limitation.INTERPOLATED}).union(*(forecast.limitations for forecast in around)),
    )
