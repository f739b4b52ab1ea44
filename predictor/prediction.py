"""What is asked of the newest forecasts of stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from air.places import Station
from mesh.errors import NotFound, Unavailable
from predictor.forecast import Forecast


class UnknownStation(NotFound):
    """No such station has ever reported."""

    reason = "UNKNOWN_STATION"


class NoForecastYet(Unavailable):
    """The station is known, and there is no forecast for it (yet, or any more)."""

    reason = "NO_FORECAST_YET"


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
            raise none_ahead(station_id, forecast, field)
        answers.append(ahead)
    return answers


def none_ahead(place: str, forecast: Forecast, field: str) -> NoForecastYet:
    """All of the hours of the newest forecast are past."""
    return NoForecastYet(
        f"the newest forecast of {place} ended at {forecast.ends_at:%Y-%m-%dT%H:%MZ}: nothing was measured since; try"
        " again when there are new readings",
        field=field,
    )


def _absent(station_id: str, field: str, known: Mapping[str, Station]) -> NotFound | Unavailable:
    if station_id in known or not known:
        return NoForecastYet(f"there is no forecast for {station_id} yet: try again in a minute", field=field)
    return UnknownStation(f"no station is called {station_id!r}: names are those of its network", field=field)
