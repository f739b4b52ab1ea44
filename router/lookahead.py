"""Sees to it that no request waits for the hour to turn."""

from __future__ import annotations

import asyncio
from typing import Final

from mesh.clock import Clock
from router.planner import Planner

LOOK_EVERY_SECONDS: Final = 60.0


async def look_ahead(planner: Planner, clock: Clock, *, every_seconds: float = LOOK_EVERY_SECONDS) -> None:
    """Has the planner make the next hour ready, as long as it is not cancelled."""
    while True:
        await asyncio.sleep(every_seconds)
        # Not among the requests' threads: the hour must turn while they are all taken, too.
        await asyncio.to_thread(planner.look_ahead, clock())
