"""Locks that run out, and whose every holder has a token: over all replicas in Redis, or within one process.

A lock runs out by itself, so that a holder that died does not keep it for ever; hence one that was merely paused may
wake up after another has taken it. What such a holder must not do, is refused by its token, where it would do it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from mesh.cancellation import end
from mesh.errors import Unavailable

_log: Final = structlog.stdlib.get_logger("lock")

_LOOK_SECONDS: Final = (0.05, 0.2)
_EXTENSIONS_A_TTL: Final = 3


class LockTaken(Unavailable):
    """Another holds the lock, and has not let go of it in time."""

    reason = "LOCK_TAKEN"


class LockUnavailable(Unavailable):
    """Who holds the lock cannot be found out."""

    reason = "LOCK_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Lease:
    """A lock held for a while: `token` is greater than that of every holder before."""

    name: str
    token: int


class Locks(Protocol):
    """Locks by name. All methods raise LockUnavailable when nobody can tell who holds them."""

    async def acquire(self, name: str, ttl_seconds: float) -> Lease | None:
        """Takes the lock for that long; None while another holds it."""

    async def extend(self, lease: Lease, ttl_seconds: float) -> bool:
        """Holds it for that long from now on; False when it is held no more."""

    async def release(self, lease: Lease) -> bool:
        """Lets go of it; False when it was held no more."""

    async def close(self) -> None:
        """Lets go of connections."""


class InProcessLocks:
    """Locks within this process alone, for one that has no replicas.

    Args:
        monotonic: Seconds that pass, from any start.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: dict[str, int] = {}
        self._expiry: dict[Lease, float] = {}

    async def acquire(self, name: str, ttl_seconds: float) -> Lease | None:
        """Takes the lock unless it is held."""
        last = self._last.get(name, 0)
        if self._is_held(Lease(name, last)):
            return None
        self._expiry.pop(Lease(name, last), None)
        lease = Lease(name, max(last + 1, time.time_ns() // 1000))
        self._last[name] = lease.token
        self._expiry[lease] = self._monotonic() + ttl_seconds
        return lease

    async def extend(self, lease: Lease, ttl_seconds: float) -> bool:
        """Holds it for longer."""
        if not self._is_held(lease):
            return False
        self._expiry[lease] = self._monotonic() + ttl_seconds
        return True

    async def release(self, lease: Lease) -> bool:
        """Lets go of it."""
        was_held = self._is_held(lease)
        self._expiry.pop(lease, None)
        return was_held

    async def close(self) -> None:
        """Nothing to let go of."""

    def _is_held(self, lease: Lease) -> bool:
        expiry = self._expiry.get(lease)
        return expiry is not None and expiry > self._monotonic()


@asynccontextmanager
async def holding(locks: Locks, name: str, *, ttl_seconds: float, wait_seconds: float = 0.0) -> AsyncIterator[Lease]:
    """Holds a lock, extended for as long as the process runs, and lets go of it at the end.

    A holder whose lock has run out all the same is not stopped: its token tells.
    Raises LockTaken when another still holds it after `wait_seconds`, or LockUnavailable.
    """
    lease = await _acquired(locks, name, ttl_seconds, wait_seconds)
    keeper = asyncio.create_task(_keep(locks, lease, ttl_seconds))
    try:
        yield lease
    finally:
        try:
            await end(keeper)
        finally:
            # What cannot be let go of runs out.
            with suppress(LockUnavailable):
                await locks.release(lease)


async def _acquired(locks: Locks, name: str, ttl_seconds: float, wait_seconds: float) -> Lease:
    deadline = time.monotonic() + wait_seconds
    while True:
        lease = await locks.acquire(name, ttl_seconds)
        if lease is not None:
            return lease
        if time.monotonic() >= deadline:
            raise LockTaken(f"another holds {name}: try again later")
        await asyncio.sleep(random.uniform(*_LOOK_SECONDS))  # noqa: S311 - spreads looks, guards nothing


async def _keep(locks: Locks, lease: Lease, ttl_seconds: float) -> None:
    while True:
        await asyncio.sleep(ttl_seconds / _EXTENSIONS_A_TTL)
        try:
            if not await locks.extend(lease, ttl_seconds):
                _log.warning("lock ran out", name=lease.name, token=lease.token)
                return
        except LockUnavailable as error:
            _log.warning("lock not extended", name=lease.name, cause=repr(error.__cause__))
