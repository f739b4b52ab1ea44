"""Threads for what would hold the event loop up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from mesh.errors import ResourceExhausted

T = TypeVar("T")


class Overloaded(ResourceExhausted):
    """More requests wait than may."""

    reason = "OVERLOADED"


class Workers:
    """A bounded pool of threads behind a bounded queue."""

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._most: Final = threads + most_waiting
        self._in_hand = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="router")

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns, done in a thread. Raises Overloaded at once when the queue is full."""
        if self._in_hand >= self._most:
            raise Overloaded("The router has more requests than it can take; try again in a second.")
        self._in_hand += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._in_hand -= 1

    def close(self) -> None:
        """Waits for what is being done, and drops what waits."""
        self._pool.shutdown(cancel_futures=True)
