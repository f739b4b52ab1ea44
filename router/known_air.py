"""What is known of the air at a moment, and what an answer that rests on it must say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from air.status import DataStatus, State
from mesh.errors import InvalidInput, OutOfRange
from router.exposure.background import WEIGHED, Background
from router.exposure.field import HOUR, AirField

LONGEST_FORECAST: Final = timedelta(hours=72)
"""Nobody forecasts further than this."""

LATE: Final = timedelta(minutes=5)
"""A departure this long ago counts as now: clocks differ, and requests take their time."""

_DEPARTURE: Final = "departure_time"
_FRESH: Final = DataStatus()


class DepartureInPast(InvalidInput):
    """The departure is over."""

    reason = "DEPARTURE_IN_PAST"


class DepartureBeyondForecast(OutOfRange):
    """The departure is later than the last hour forecast; `metadata["last_hour"]` says which that is."""

    reason = "DEPARTURE_BEYOND_FORECAST"


@dataclass(frozen=True, slots=True)
class KnownAir:
    """What is known of the air at a moment; replaced as a whole, never changed.

    Attributes:
        field: The forecast; None when there is none.
        status: What it rests on, as the predictor says.
    """

    field: AirField | None = None
    status: DataStatus = _FRESH

    def departure(self, asked_for: datetime | None, now: datetime) -> datetime:
        """When a route starts: as asked for, or now.

        Raises DepartureInPast, or DepartureBeyondForecast. A forecast that does not reach to the present bounds
        nothing: then routes are found without the air.
        """
        if asked_for is None:
            return now
        if asked_for < now - LATE:
            raise DepartureInPast(
                f"{_DEPARTURE} is over; leave it out to start now, or choose a time from now on.", field=_DEPARTURE
            )
        last = now + LONGEST_FORECAST
        if self.field is not None and self.field.hour_at(now) is not None:
            last = self.field.last_hour
        if asked_for > last:
            raise DepartureBeyondForecast(
                f"{_DEPARTURE} is later than the air is forecast, {_stamp(last)}; choose an earlier one.",
                field=_DEPARTURE,
                metadata={"last_hour": _stamp(last)},
            )
        return asked_for

    def hour_of(self, departure: datetime, now: datetime) -> int | None:
        """The hour of the field in which a route starts; None when it is not forecast."""
        return None if self.field is None else self.field.hour_at(max(departure, now))

    def status_of(
        self, background: Background | None, now: datetime, *, stale_after: timedelta, simulated_streets: bool
    ) -> DataStatus:
        """What an answer on this background rests on, with a reason for each thing that is late or missing."""
        field = self.field
        simulated = simulated_streets or self.status.simulated or (field is not None and field.simulated)
        if field is None or background is None:
            status = replace(self.status, newest_measured_at=None, simulated=simulated)
            return status.worsened(State.DEGRADED, f"{_what_is_missing(field)} {_WITHOUT}")
        status = replace(self.status, newest_measured_at=field.newest_issue_time, simulated=simulated)
        age = now - field.newest_issue_time
        if age > stale_after:
            hours = f"{age / HOUR:.0f} hours old, of {_stamp(field.newest_issue_time)}"
            status = status.worsened(State.STALE, f"The newest measurement behind the forecast is {hours}.")
        for pollutant in WEIGHED:
            if pollutant not in background.known:
                missing = f"{pollutant} is not forecast for that hour: the healthiest way weighs it by streets alone."
                status = status.worsened(State.DEGRADED, missing)
            if pollutant in background.roadside_only:
                status = status.worsened(State.DEGRADED, f"{pollutant} is known from roadside stations alone.")
        return status


_WITHOUT: Final = "Routes are without doses, and the healthiest way weighs streets alone."


def _what_is_missing(field: AirField | None) -> str:
    if field is None:
        return "No forecast has come yet."
    return (
        "No station near the street network has a forecast for that hour: the field runs from"
        f" {_stamp(field.first_hour - HOUR)} to {_stamp(field.last_hour)}."
    )


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
