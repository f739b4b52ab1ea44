"""Runs tasks for as long as they are wanted, and ends them for sure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar

_AGAIN_SECONDS: Final = 1.0

T = TypeVar("T")


async def run_together(*works: Coroutine[object, object, None]) -> None:
    """Runs works that have no end until one fails, or this is cancelled; then all have ended.

    Not a group of tasks: that hands on the first cancellation alone, and a client may swallow it.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Task[T]) -> None:
    """Cancels tasks until all have ended; what they raise stays with them.

    Once is not enough: `asyncio.wait_for`, on which clients of others rest, swallows before Python 3.12 a cancellation
    that comes just when its wait is over, and a task that goes round for ever goes round again.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_AGAIN_SECONDS)
