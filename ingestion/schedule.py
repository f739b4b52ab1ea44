"""The schedule in the process: does what is due, when it is due, for as long as it runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ingestion.slots import Slots
from ingestion.source import SourceError
from mesh.cancellation import run_together
from mesh.clock import Clock
from mesh.errors import CleanAirError, Unavailable

_log: Final = structlog.stdlib.get_logger("schedule")


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to be done at certain times.

    Attributes:
        name: What it is, for the log.
        slots: When.
        work: Does it for a slot, or sees that it has been done.
    """

    name: str
    slots: Slots
    work: Callable[[datetime], Awaitable[object]]


class Schedule:
    """Does all that is due: at the start for the slot that was last, then at each to come.

    What fails is tried again sooner than the next slot, where that may help.

    Args:
        due: What is to be done.
        clock: What time it is.
        spread_seconds: The longest delay after a scheduled time, so that not all who collect ask in the same second.
        retry_seconds: The longest wait before failed work is first tried again; it doubles with each failure.
    """

    def __init__(
        self, due: Sequence[Due], clock: Clock, *, spread_seconds: float = 20.0, retry_seconds: float = 5.0
    ) -> None:
        self._due = due
        self._clock = clock
        self._spread_seconds = spread_seconds
        self._retry_seconds = retry_seconds

    async def run(self) -> None:
        """Runs until cancelled."""
        await run_together(*(self._keep(due) for due in self._due))

    async def _keep(self, due: Due) -> None:
        slot = due.slots.latest(self._clock())
        failures = 0
        while True:
            failures = 0 if await self._do(due, slot) else failures + 1
            now = self._clock()
            following = due.slots.next(now)
            until_next = (following - now).total_seconds() + self._up_to(self._spread_seconds)
            pause = min(until_next, self._wait(failures)) if failures else until_next
            await asyncio.sleep(pause)
            # What slept over a slot does the last one: the source tells no more of those before.
            slot = max(due.slots.latest(self._clock()), following if pause == until_next else slot)

    async def _do(self, due: Due, slot: datetime) -> bool:
        """True when there is no reason to try again before the next slot."""
        try:
            await due.work(slot)
        except SourceError as error:
            return not isinstance(error, Unavailable)
        except CleanAirError as error:
            _log.warning("work failed", work=due.name, reason=error.reason, message=error.message)
            return False
        except Exception:  # noqa: BLE001 - a defect met in one hour's rows must not end the collection of all later ones
            _log.exception("work broke", work=due.name)
        return True

    def _wait(self, failures: int) -> float:
        longest = self._retry_seconds * 2.0 ** min(failures - 1, 10)
        return longest / 2.0 + self._up_to(longest / 2.0)

    def _up_to(self, seconds: float) -> float:
        return random.uniform(0.0, seconds)  # noqa: S311 - spreads requests, guards nothing
