"""When what is due: the one table of times that the schedule in the process and the beat of the workers go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from air.korea import KST

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slots:
    """Times of the day, Korea's: at these minutes, ascending, past each of these hours, ascending."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...] = tuple(range(24))

    def latest(self, now: datetime) -> datetime:
        """The last of them that is not after `now`; aware, UTC."""
        return max(time for time in self._around(now) if time <= now).astimezone(UTC)

    def next(self, now: datetime) -> datetime:
        """The first of them after `now`; aware, UTC."""
        return min(time for time in self._around(now) if time > now).astimezone(UTC)

    @property
    def shortest(self) -> timedelta:
        """The least time between one of them and the next."""
        times = sorted({timedelta(hours=hour, minutes=minute) for hour in self.hours for minute in self.minutes})
        return min(later - earlier for earlier, later in pairwise([*times, times[0] + _DAY]))

    def _around(self, now: datetime) -> list[datetime]:
        midnight = now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
        return [
            day + timedelta(hours=hour, minutes=minute)
            for day in (midnight - _DAY, midnight, midnight + _DAY)
            for hour in self.hours
            for minute in self.minutes
        ]


READINGS: Final = Slots((15, 25))
"""At :15 the current hour is there for 97 % of the stations; at :25 for the late ones, and the first corrections."""

OPENAQ: Final = Slots((20, 50))
"""Networks of others publish when they like, and some late."""

WEATHER: Final = Slots((13, 46))
"""Observations can be asked for 12 minutes past the hour, forecasts issued at half past 15 minutes later."""

BULLETINS: Final = Slots((20,), (5, 11, 17, 23))
"""They are issued at these hours, and published within minutes."""

VALIDATION: Final = Slots((35,))
"""When both collections of the hour are in."""

COLLECTIONS: Final[Mapping[str, Slots]] = {
    "airkorea": READINGS,
    "openaq": OPENAQ,
    "kma": WEATHER,
    "bulletins": BULLETINS,
}
"""When the beat has each feed collected; a server that has not been told to collect one says so."""

UPKEEP: Final = Slots((50,), (3,))
"""When the fewest ask."""
