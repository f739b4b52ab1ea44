"""What is asked of the newest forecasts: for stations, or for points between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from air import geodesy, interpolation
from air.places import Network, Point, Station
from mesh.errors import NotFound, OutOfRange, Unavailable
from predictor.forecast import Forecast

FARTHEST_M: Final = 50_000.0
"""Farther than this from every station, stations say nothing about a point."""

_HOUR: Final = timedelta(hours=1)


class UnknownStation(NotFound):
    """No such station has ever reported."""

    reason = "UNKNOWN_STATION"


class NoForecastYet(Unavailable):
    """The station is known, and there is no forecast for it (yet, or any more)."""

    reason = "NO_FORECAST_YET"


class PointTooFar(OutOfRange):
    """No station is near enough to speak for the point."""

    reason = "POINT_TOO_FAR"


def at_stations(
    station_ids: Sequence[str],
    newest: Mapping[str, Forecast],
    known: Mapping[str, Station],
    *,
    now: datetime,
    hours: int,
) -> list[Forecast]:
    """The hours ahead at stations, in the order asked for. Raises UnknownStation, NoForecastYet."""
    answers = []
    for place, station_id in enumerate(station_ids):
        field = f"station_ids[{place}]"
        forecast = newest.get(station_id)
        if forecast is None:
            raise _absent(station_id, field, known)
        ahead = forecast.ahead_of(now, hours)
        if ahead is None:
            raise NoForecastYet(
                f"the newest forecast of {station_id} ended at {forecast.ends_at:%Y-%m-%dT%H:%MZ}: the station has been"
                " silent since; ask for points, or try again when it reports",
                field=field,
            )
        answers.append(ahead)
    return answers


def at_points(points: Sequence[Point], newest: Mapping[str, Forecast], *, now: datetime, hours: int) -> list[Forecast]:
    """The hours ahead at points, by inverse squared distance from the stations within 50 km that are not at a kerb.

    Each quantile is interpolated on its own, as if stations erred together: the interval is not made narrower by
    averaging. Raises NoForecastYet, PointTooFar.
    """
    sources = [
        (forecast.place, ahead)
        for forecast in newest.values()
        if isinstance(forecast.place, Station) and forecast.place.network is not Network.ROADSIDE
        if (ahead := forecast.ahead_of(now, len(forecast.horizons))) is not None
    ]
    if not sources:
        raise NoForecastYet("no station has a forecast yet: try again in a minute")
    latitude = np.array([station.location.latitude for station, _ in sources])
    longitude = np.array([station.location.longitude for station, _ in sources])
    answers = []
    for place, point in enumerate(points):
        at = np.array([point.latitude]), np.array([point.longitude])
        distance = geodesy.distance_m(*at, latitude, longitude)
        near = np.flatnonzero(distance <= FARTHEST_M)
        if not len(near):
            raise PointTooFar(
                f"the nearest station is {distance.min() / 1000:.0f} km away, and stations speak for"
                f" {FARTHEST_M / 1000:.0f} km: ask for a point nearer to one",
                field=f"points[{place}]",
            )
        weight = interpolation.weights(*at, latitude[near], longitude[near])
        answers.append(_between([sources[index][1] for index in near], weight, point, hours))
    return answers


def _absent(station_id: str, field: str, known: Mapping[str, Station]) -> NotFound | Unavailable:
    if station_id in known or not known:
        return NoForecastYet(f"there is no forecast for {station_id} yet: try again in a minute", field=field)
    return UnknownStation(f"no station is called {station_id!r}: names are those of its network", field=field)


def _between(forecasts: Sequence[Forecast], weight: NDArray[np.float64], point: Point, hours: int) -> Forecast:
    """The forecast at a point from those around it: the valid times of the newest, as far as it is asked for."""
    newest = max(forecasts, key=lambda forecast: forecast.issue_time)
    horizons = newest.horizons[:hours]
    values = np.stack([_on(forecast, newest.issue_time, horizons) for forecast in forecasts])
    measured = (forecast.newest_measured_at for forecast in forecasts)
    return Forecast(
        place=point,
        issue_time=newest.issue_time,
        model_version=newest.model_version,
        horizons=horizons,
        quantiles=interpolation.interpolate(weight, values)[0],
        confidence=float(weight[0] @ [forecast.confidence for forecast in forecasts]),
        newest_measured_at=max((time for time in measured if time is not None), default=None),
    )


def _on(forecast: Forecast, issue_time: datetime, horizons: range) -> NDArray[np.float64]:
    """The quantiles at another issue time's horizons; NaN where this forecast does not reach."""
    own = np.array(horizons) + (issue_time - forecast.issue_time) // _HOUR - forecast.horizons[0]
    reached = (own >= 0) & (own < len(forecast.horizons))
    quantiles = forecast.quantiles[np.clip(own, 0, len(forecast.horizons) - 1)]
    return np.where(reached[:, None, None], quantiles, np.nan)
