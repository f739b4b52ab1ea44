"""What an answer of the predictor rests on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from air.places import Station
from air.status import DataStatus, State
from predictor.forecast import Forecast

LATEST: Final = timedelta(hours=2)
"""Measurements older than this are late."""

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""Measurements may be so much ahead of our clock: more, and a clock is wrong."""

_NAMED: Final = 3


def data_status(
    upstream: DataStatus | None, newest_measured_at: datetime | None, *, simulated: bool, now: datetime
) -> DataStatus:
    """The status of all that is forecast.

    Args:
        upstream: What ingestion last said of its readings; None while there is no connection to it.
        newest_measured_at: The newest hour in which any station of the answer measured anything.
        simulated: Whether any of these stations is simulated.
        now: The time of the answer.
    """
    status = DataStatus(
        newest_measured_at=newest_measured_at,
        simulated=simulated or (upstream is not None and upstream.simulated),
    )
    if upstream is None:
        status = status.worsened(State.DEGRADED, "There is no connection to ingestion: newer readings may exist.")
    else:
        for reason in upstream.reasons:
            status = status.worsened(upstream.state, reason)
    if newest_measured_at is None:
        return status.worsened(State.STALE, "Nothing has been measured yet.")
    if now - newest_measured_at > LATEST:
        status = status.worsened(State.STALE, f"The newest measurement is of {_hour(newest_measured_at)}.")
    if newest_measured_at - now > CLOCKS_DIFFER:
        ahead = f"The newest measurement is of {_hour(newest_measured_at)}, ahead of this server's clock"
        status = status.worsened(State.DEGRADED, f"{ahead}, {_hour(now)}: one of the two is wrong.")
    return status


def answer_status(upstream: DataStatus | None, answer: Iterable[Forecast], *, hours: int, now: datetime) -> DataStatus:
    """The status of an answer: also of each station in it, and of hours asked for that no forecast reaches."""
    forecasts = list(answer)
    newest = max((f.newest_measured_at for f in forecasts if f.newest_measured_at is not None), default=None)
    stations = [(f.place, f) for f in forecasts if isinstance(f.place, Station)]
    status = data_status(upstream, newest, simulated=any(station.simulated for station, _ in stations), now=now)
    late = [
        station.station_id
        for station, forecast in stations
        if forecast.newest_measured_at is None or now - forecast.newest_measured_at > LATEST
    ]
    if late and len(late) < len(stations):
        status = status.worsened(State.STALE, f"Nothing measured for over 2 hours: {_names(late)}.")
    short = min((len(forecast.horizons) for forecast in forecasts), default=hours)
    if short < hours:
        status = status.worsened(State.DEGRADED, f"A forecast ends after {short} of the {hours} hours asked for.")
    return status


def _hour(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%MZ}"


def _names(station_ids: list[str]) -> str:
    more = len(station_ids) - _NAMED
    named = ", ".join(station_ids[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named
