"""When to collect: at the start, then twice an hour, when the network has published."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Final

import structlog

from ingestion.collection import Collector
from ingestion.source import SourceError
from mesh.clock import Clock
from mesh.errors import CleanAirError, Unavailable

_log: Final = structlog.stdlib.get_logger("schedule")

MINUTES: Final = (15, 25)
"""At :15 the current hour is there for 97 % of the stations; at :25 for the late ones, and the first corrections."""


def next_collection(now: datetime) -> datetime:
    """The first scheduled time after `now`."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    times = [hour + timedelta(minutes=minute) for minute in (*MINUTES, 60 + MINUTES[0])]
    return next(time for time in times if time > now)


class Schedule:
    """Collects for as long as it runs. A failing collection is tried again sooner, where that may help.

    Args:
        collector: What collects.
        clock: What time it is.
        spread_seconds: The longest delay after a scheduled time, so that not all who collect ask in the same second.
        retry_seconds: The longest wait before a failed collection is first tried again; it doubles with each failure.
    """

    def __init__(
        self, collector: Collector, clock: Clock, *, spread_seconds: float = 20.0, retry_seconds: float = 5.0
    ) -> None:
        self._collector = collector
        self._clock = clock
        self._spread_seconds = spread_seconds
        self._retry_seconds = retry_seconds

    async def run(self) -> None:
        """Runs until cancelled."""
        failures = 0
        while True:
            failures = 0 if await self._collect() else failures + 1
            await asyncio.sleep(self._pause(failures))

    async def _collect(self) -> bool:
        """True when there is no reason to try before the next scheduled time."""
        try:
            await self._collector.collect()
        except SourceError as error:
            return not isinstance(error, Unavailable)
        except CleanAirError:
            return False
        except Exception:  # noqa: BLE001 - a defect met in one hour's rows must not end the collection of all later ones
            _log.exception("collection broke")
        return True

    def _pause(self, failures: int) -> float:
        now = self._clock()
        spread = random.uniform(0.0, self._spread_seconds)  # noqa: S311 - spreads requests, guards nothing
        scheduled = (next_collection(now) - now).total_seconds() + spread
        if not failures:
            return scheduled
        longest = self._retry_seconds * 2.0 ** min(failures - 1, 10)
        return min(scheduled, random.uniform(0.5, 1.0) * longest)  # noqa: S311 - likewise
