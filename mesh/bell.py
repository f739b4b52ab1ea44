"""Wakes those who follow a growing log, in one process, without polling."""

from __future__ import annotations

import asyncio


class Bell:
    """A bell that counts its rings, so that one rung between reading the log and waiting is not lost.

    A follower notes `rings`, reads the log to its end, then waits with what it noted: it returns at once if the bell
    has rung in between.
    """

    def __init__(self) -> None:
        self._rings = 0
        self._rung = asyncio.Event()
        self._closed = False

    @property
    def rings(self) -> int:
        """How often it has rung."""
        return self._rings

    @property
    def closed(self) -> bool:
        """True once the server drains: followers end their streams, and clients resume elsewhere."""
        return self._closed

    def ring(self) -> None:
        """Wakes all who wait."""
        self._rings += 1
        self._rung.set()
        self._rung = asyncio.Event()

    def close(self) -> None:
        """Wakes all who wait, for the last time."""
        self._closed = True
        self.ring()

    async def wait(self, seen: int, timeout_seconds: float) -> bool:
        """Waits until it has rung since `seen`; False when the time ran out first."""
        if self._rings == seen and not self._closed:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._rung.wait()
            except TimeoutError:
                return False
        return True
