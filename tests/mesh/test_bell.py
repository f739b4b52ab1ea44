"""A bell loses no ring, and lets followers go when it closes."""

from __future__ import annotations

import asyncio

from mesh.bell import Bell


async def test_a_ring_before_the_wait_is_not_lost() -> None:
    bell = Bell()
    seen = bell.rings
    bell.ring()
    assert await bell.wait(seen, timeout_seconds=5)


async def test_all_who_wait_are_woken() -> None:
    bell = Bell()
    waits = [asyncio.create_task(bell.wait(bell.rings, timeout_seconds=5)) for _ in range(3)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waits) == [True, True, True]


async def test_silence_is_told_from_a_ring() -> None:
    bell = Bell()
    assert not await bell.wait(bell.rings, timeout_seconds=0.01)


async def test_a_closed_bell_holds_nobody() -> None:
    bell = Bell()
    bell.close()
    assert await bell.wait(bell.rings, timeout_seconds=5)
    assert bell.closed
