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
from router.exposure.concentration import CELL_M
from router.exposure.field import HOUR
from router.exposure.hourly import HourlyAir
from router.known_air import DepartureBeyondForecast
from router.modes import GAITS, profile
from router.read_only import read_only
from router.region import Region
from router.route import RouteType
from router.search.engine import Place
from router.search.kernel import Ints
from router.search.time_dependent import Hours
from router.traveller import LOAD_WORTH
from router.way import Way
from router.wayfinding import Wayfinder

_WINDOW: Final = "departure_window_hours"
_MILLI: Final = 1000.0

STRETCH: Final = 2.0
"""No way is looked for that takes longer than the fastest by more than this factor."""

# Of the plane on which cells lie; and what a cell's middle may be off the arcs in it, on both sides of a way.
_DISTORTION: Final = 1.05
_CELLS_OFF_M: Final = 4 * CELL_M
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
    hours = _hours(finder, times, fastest, origin, destination)
    paths = finder.region.find_leaving(finder.mode, origin, destination, fastest.path, hours, stretch=STRETCH)
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


def _hours(
    finder: Wayfinder, times: Sequence[datetime], fastest: Way, origin: Place, destination: Place
) -> list[Hours]:
    """What ways cost from each departure on."""
    air, streets = finder.air, finder.region.air
    worth = LOAD_WORTH[finder.traveller.sensitivity]
    # A unit of the search's time is a millisecond of the profile to whose times the mode's are in proportion.
    unit_s = GAITS[profile(finder.mode)].speed_m_s / GAITS[finder.mode].speed_m_s / _MILLI
    longest_s = STRETCH * fastest.seconds
    hour_s = HOUR.total_seconds()
    cells = _cells_between(finder.region, origin, destination, finder.region.reach_m(finder.mode, longest_s / unit_s))
    place = np.full(len(streets.middle_m), -1, dtype=np.int32)
    place[cells] = np.arange(len(cells), dtype=np.int32)
    first, _ = air.hour_of(times[0])
    load, place = _loads(air, first or 0, len(times) + 1 + math.ceil(longest_s / hour_s), cells), read_only(place)
    hours = []
    for time in times:
        hour, left_s = air.hour_of(time)
        since = (hour or 0) - (first or 0)
        until = since + 1 + max(math.ceil((longest_s - left_s) / hour_s), 0)
        hours.append(
            Hours(
                load=load[since:until],
                place=place,
                cell=streets.cell,
                features=streets.features,
                left=left_s / unit_s,
                hour=hour_s / unit_s,
                time=0.0 if math.isinf(worth) else 1.0,
                air=1.0 if math.isinf(worth) else worth,
            )
        )
    return hours


def _cells_between(region: Region, origin: Place, destination: Place, reach_m: float) -> Ints:
    """The cells to which ways between two places may lead that are no longer than so many metres."""
    middle, ends = region.air.middle_m, [origin.arc, destination.arc]
    off = sum(np.hypot(*(middle - middle[region.air.cell[arc]]).T) for arc in ends)
    most = _DISTORTION * reach_m + _CELLS_OFF_M + 2.0 * float(region.graph.length_m[ends].sum())
    return np.flatnonzero(off <= most).astype(np.int32)


def _loads(air: HourlyAir, first: int, count: int, cells: Ints) -> Floats:
    """The load of so many hours on some cells, float64[hour, k, 3]; after what is known, its last hour goes on."""
    background = air.background(first) or air.streets.nothing
    loads = [background.load[cells]]
    for hour in range(first + 1, first + count):
        background = air.after(hour, background)
        loads.append(background.load[cells])
    return read_only(np.stack(loads))
