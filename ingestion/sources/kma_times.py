"""When KMA issues what, and when it can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from air.korea import KST

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The times at which one product is issued each day.

    Attributes:
        hours: Hours of KST, ascending.
        minute: The minute of each.
        lag: How long after its time an issue can be asked for.
    """

    hours: tuple[int, ...]
    minute: int
    lag: timedelta

    def newest(self, now: datetime) -> datetime:
        """The newest issue that can be asked for."""
        return self._last(now - self.lag)

    def before(self, issue: datetime) -> datetime:
        """The issue before another."""
        return self._last(issue - timedelta(minutes=1))

    def _last(self, time: datetime) -> datetime:
        """The last time of issue that is not after a time."""
        local = time.astimezone(KST)
        today = local.replace(minute=self.minute, second=0, microsecond=0)
        issues = [today.replace(hour=hour) for hour in self.hours]
        issues.append(issues[-1] - _DAY)
        return max(issue for issue in issues if issue <= local).astimezone(UTC)


OBSERVATIONS: Final = Timetable(tuple(range(24)), 0, timedelta(minutes=12))
"""getUltraSrtNcst: served from ten minutes past the hour on, and not by all of its servers at once."""

ULTRA_SHORT: Final = Timetable(tuple(range(24)), 30, timedelta(minutes=15))
"""getUltraSrtFcst: issued at half past each hour, served from a quarter to the next on."""

SHORT: Final = Timetable((2, 5, 8, 11, 14, 17, 20, 23), 0, timedelta(minutes=10))
"""getVilageFcst: issued every three hours, served ten minutes later; until 02:10 yesterday's last is the newest."""
