"""Runs several things at once until the first of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


async def first_of(*steps: Coroutine[object, object, object]) -> None:
    """Returns when one step has ended, the others cancelled and awaited; raises what that one raised."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
