"""What time it is: now, or as far after `CLEANAIR_NOW` as the process has run, to replay recorded days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time, aware, in UTC."""


def system_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def clock_from(now: datetime | None) -> Clock:
    """A clock that shows `now` at this moment and runs on from there; the machine's own when None."""
    if now is None:
        return system_clock
    shift = now.astimezone(UTC) - system_clock()
    return lambda: system_clock() + shift
