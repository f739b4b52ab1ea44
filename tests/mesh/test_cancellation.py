"""A task ends also where a client of others swallows its cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from mesh.cancellation import end
from mesh.lock import InProcessLocks, Lease, holding


async def _for_ever(deaf: int) -> None:
    """Swallows so many cancellations."""
    for _ in range(deaf):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
    await asyncio.sleep(3600)


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    tasks = [asyncio.create_task(_for_ever(deaf)) for deaf in (0, 1, 2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(*tasks)
    assert all(task.cancelled() for task in tasks)


async def test_there_may_be_nothing_to_end() -> None:
    await end()


class _OverBusyClient(InProcessLocks):
    """Swallows the first cancellation, as `asyncio.wait_for` does in one that has just sent its request."""

    def __init__(self) -> None:
        super().__init__()
        self.extending = asyncio.Event()

    async def extend(self, lease: Lease, ttl_seconds: float) -> bool:
        if not self.extending.is_set():
            self.extending.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        return await super().extend(lease, ttl_seconds)


async def test_a_lock_is_let_go_of_though_its_client_swallows_a_cancellation() -> None:
    locks = _OverBusyClient()
    async with asyncio.timeout(10):
        async with holding(locks, "lock", ttl_seconds=0.3):
            await locks.extending.wait()
        assert await locks.acquire("lock", 1.0) is not None
