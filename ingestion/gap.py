"""What may be missing of a station: hours between one before and one after, or values of an hour not seen again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Too little is known of a station after one hour, and until another."""

    station_id: str
    after: datetime
    until: datetime


def unsettled(looks: Sequence[datetime], settles_after: timedelta, now: datetime) -> list[datetime]:
    """The hours, since the first look, that are over and were not looked at when all that is late had come.

    Args:
        looks: When collections succeeded, ascending.
        settles_after: How long after an hour that is; an answer shows an hour until the next.
        now: What time it is.
    """
    if not looks:
        return []
    settled = {_hour_of(look) for look in looks if look - _hour_of(look) >= settles_after}
    first, over = _hour_of(looks[0]), _hour_of(now)
    hours = [first + number * _HOUR for number in range((over - first) // _HOUR)]
    return [hour for hour in hours if hour not in settled]


def _hour_of(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
