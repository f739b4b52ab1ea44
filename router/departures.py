"""The use case: when to leave. The healthiest way at each hour of a window, with each arc in its own hour.

Forecasts are means of whole hours, so a departure is told for the start of the window and for each full hour after it:
one between those breathes a mixture of both hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from air.geodesy import Floats
from router.exposure.field import HOUR
from router.exposure.hourly import HourlyAir
from router.known_air import DepartureBeyondForecast
from router.modes import GAITS, profile
from router.read_only import read_only
from router.route import RouteType
from router.search.engine import Place
from router.search.time_dependent import Hours
from router.traveller import LOAD_WORTH
from router.way import Way
from router.wayfinding import Wayfinder

_WINDOW: Final = "departure_window_hours"
_MILLI: Final = 1000.0
_TIMES_THE_FASTEST: Final = 3.0
"""The air is looked up for ways up to so many times as long as the fastest; for longer ones its last hour goes on."""
_ROUNDING: Final = 1.0 + 1e-9


@dataclass(frozen=True, slots=True)
class Leaving:
    """The healthiest way at one time of departure.

    Attributes:
        time: When.
        way: With its figures from then on.
    """

    time: datetime
    way: Way


def departures(
    finder: Wayfinder, first: datetime, window_hours: int, origin: Place, destination: Place
) -> tuple[Leaving, ...]:
    """The healthiest ways of all departures in a window, in order of time; none where the air is unknown.

    Raises:
        DepartureBeyondForecast: The window reaches beyond the forecast.
        NoRoute: There is no way.
        EqualEnds: Both ends are one place.
    """
    first = max(first, finder.now)
    fastest = finder.find(RouteType.FASTEST, first, origin, destination)
    times = times_to_leave(first, window_hours)
    if finder.background(first) is None:
        return ()
    _check_reach(finder, first, times[-1])
    ahead = 2 + math.ceil(_TIMES_THE_FASTEST * fastest.seconds / HOUR.total_seconds())
    paths = finder.region.find_leaving(finder.mode, origin, destination, fastest.path, _hours(finder, times, ahead))
    return tuple(Leaving(time, finder.way(path, time)) for time, path in zip(times, paths, strict=True))


def best_of(leavings: Sequence[Leaving]) -> int:
    """The departure whose way has the least load, by its index; the first of equal ones."""
    least = min(leaving.way.load for leaving in leavings)
    return next(which for which, leaving in enumerate(leavings) if leaving.way.load <= least * _ROUNDING)


def times_to_leave(first: datetime, window_hours: int) -> tuple[datetime, ...]:
    """The start of a window, and the full hours after it to its end."""
    last = first + HOUR * window_hours
    full = first.replace(minute=0, second=0, microsecond=0) + HOUR
    return (first, *(full + HOUR * number for number in range((last - full) // HOUR + 1)))


def _check_reach(finder: Wayfinder, first: datetime, last: datetime) -> None:
    field = finder.known.field
    if field is None or last <= field.last_hour:
        return
    reach = max((field.last_hour - first) // HOUR, 0)
    until = field.last_hour.strftime("%Y-%m-%dT%H:%M:%SZ")
    raise DepartureBeyondForecast(
        f"{_WINDOW} reaches beyond what is forecast of the air, {until}; choose {reach} hours at most."
        if reach
        else f"The air is forecast to {until}; leave {_WINDOW} out, or choose an earlier departure_time.",
        field=_WINDOW,
        metadata={"last_hour": until, "most_hours": str(reach)},
    )


def _hours(finder: Wayfinder, times: Sequence[datetime], ahead: int) -> list[Hours]:
    """What ways cost from each departure on, looked up so many hours ahead."""
    air, streets = finder.air, finder.region.air
    worth = LOAD_WORTH[finder.traveller.sensitivity]
    # A unit of the search's time is a millisecond of the profile to whose times the mode's are in proportion.
    unit_s = GAITS[profile(finder.mode)].speed_m_s / GAITS[finder.mode].speed_m_s / _MILLI
    first, _ = air.hour_of(times[0])
    load = _loads(air, first or 0, len(times) + ahead)
    hours = []
    for time in times:
        hour, left_s = air.hour_of(time)
        since = (hour or 0) - (first or 0)
        hours.append(
            Hours(
                load=load[since : since + ahead],
                cell=streets.cell,
                features=streets.features,
                left=left_s / unit_s,
                hour=HOUR.total_seconds() / unit_s,
                time=0.0 if math.isinf(worth) else 1.0,
                air=1.0 if math.isinf(worth) else worth,
            )
        )
    return hours


def _loads(air: HourlyAir, first: int, count: int) -> Floats:
    """The load of so many hours of a field, float64[hour, cell, 3]; after what is known, its last hour goes on."""
    background = air.background(first) or air.streets.nothing
    loads = [background.load]
    for hour in range(first + 1, first + count):
        background = air.after(hour, background)
        loads.append(background.load)
    return read_only(np.stack(loads))
