"""Runs a collection: one of a feed at a time over all replicas, each slot once, all of them on record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Final, Protocol, TypeVar

import structlog

from ingestion.account import code_of
from ingestion.run import Counts, Fence, Outcome
from ingestion.store.readings import Saved
from ingestion.store.runs import RunStore
from mesh.clock import Clock
from mesh.errors import CleanAirError, Unavailable
from mesh.lock import Locks, LockUnavailable, holding

_log: Final = structlog.stdlib.get_logger("runs")


class Brought(Protocol):
    """What a collection brought, as its run is remembered by."""

    @property
    def saved(self) -> Saved:
        """What became of what was to be stored."""

    @property
    def rejected(self) -> int:
        """How much could not be used."""


_Brought = TypeVar("_Brought", bound=Brought)


class Runner:
    """Runs collections.

    Correctness does not rest on the lock, for what a collection writes is idempotent: when the lock cannot be had
    because whoever keeps it is away, the collection goes on without it.

    Args:
        runs: Where runs are kept.
        locks: What keeps collections of a feed apart.
        clock: What time it is.
        ttl_seconds: After which time the lock of one that died is free.
        wait_seconds: How long to wait for the lock: longer than it outlives one that died.
    """

    def __init__(
        self, runs: RunStore, locks: Locks, clock: Clock, *, ttl_seconds: float = 15.0, wait_seconds: float = 40.0
    ) -> None:
        self._runs = runs
        self._locks = locks
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._wait_seconds = wait_seconds

    async def run(
        self,
        feed: str,
        slot: datetime | None,
        collect: Callable[[Fence | None], Awaitable[_Brought]],
        *,
        waits: bool = True,
    ) -> _Brought | None:
        """Collects, unless the slot has been collected already: then None.

        Args:
            feed: What is collected; no two at a time.
            slot: The scheduled time that this stands for. Without one, it is collected in any case.
            collect: Collects, and has the store refuse what comes after the fence.
            waits: Waits for another who is at it to end; raises LockTaken at once if not.

        Raises:
            LockTaken: Another was still at it when the time to wait ran out.
            DatabaseUnavailable: Nobody can tell whether the slot has been collected.
            CleanAirError: What `collect` raised.
        """
        async with self._fence(feed, self._wait_seconds if waits else 0.0) as fence:
            number = await self._runs.begin(feed, slot, fence, self._clock())
            if number is None:
                _log.info("slot collected before", feed=feed, slot=slot and slot.isoformat())
                return None
            try:
                brought = await collect(fence)
            except Exception as error:
                # Put on record, and let through: a run that broke on a defect has ended all the same.
                code = code_of(error) if isinstance(error, CleanAirError) else "INTERNAL"
                await self._finish(number, Outcome.FAILED, error_code=code)
                raise
            saved = brought.saved
            counts = Counts(saved.new, saved.corrected, saved.unchanged, brought.rejected)
            await self._finish(number, Outcome.COLLECTED, counts=counts)
            return brought

    @asynccontextmanager
    async def _fence(self, feed: str, wait_seconds: float) -> AsyncIterator[Fence | None]:
        lock = holding(self._locks, f"collection:{feed}", ttl_seconds=self._ttl_seconds, wait_seconds=wait_seconds)
        async with AsyncExitStack() as stack:
            try:
                fence = Fence(feed, (await stack.enter_async_context(lock)).token)
            except LockUnavailable as error:
                _log.warning("collecting without a lock", feed=feed, cause=repr(error.__cause__))
                fence = None
            yield fence

    async def _finish(
        self, number: int, outcome: Outcome, *, counts: Counts | None = None, error_code: str | None = None
    ) -> None:
        try:
            await self._runs.finish(number, outcome, self._clock(), counts=counts, error_code=error_code)
        except Unavailable:
            # The next run abandons it on record; what was collected is collected.
            _log.warning("end of a run not noted", outcome=outcome.value)
