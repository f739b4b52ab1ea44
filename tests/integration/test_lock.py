"""The lock over all replicas, in a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mesh.lock import LockTaken, LockUnavailable, holding
from mesh.redis_lock import RedisLocks
from tests.backing.redis_server import RedisServer


@pytest.fixture
async def replicas(redis_url: str) -> AsyncIterator[list[RedisLocks]]:
    """Three replicas' locks."""
    locks = [RedisLocks(redis_url) for _ in range(3)]
    yield locks
    for one in locks:
        await one.close()


async def test_of_many_who_try_at_once_one_gets_it(replicas: list[RedisLocks]) -> None:
    leases = await asyncio.gather(*(locks.acquire("lock", 5.0) for locks in replicas * 5))
    (lease,) = [lease for lease in leases if lease is not None]
    assert await replicas[0].release(lease)
    assert not await replicas[1].release(lease)


async def test_a_lock_runs_out_and_its_late_holder_can_neither_keep_nor_free_it(replicas: list[RedisLocks]) -> None:
    paused = await replicas[0].acquire("lock", 0.05)
    assert paused is not None
    async with holding(replicas[1], "lock", ttl_seconds=5.0, wait_seconds=5.0) as lease:
        assert lease.token > paused.token
        assert not await replicas[0].extend(paused, 5.0)
        assert not await replicas[0].release(paused)
        assert await replicas[2].acquire("lock", 5.0) is None


async def test_a_lock_is_extended_while_it_is_held(replicas: list[RedisLocks]) -> None:
    async with holding(replicas[0], "lock", ttl_seconds=0.3):
        await asyncio.sleep(0.6)
        with pytest.raises(LockTaken):
            async with holding(replicas[1], "lock", ttl_seconds=0.3):
                pytest.fail("two hold it")


async def test_tokens_go_on_growing_when_redis_has_lost_its_memory(
    replicas: list[RedisLocks], redis_server: RedisServer
) -> None:
    tokens = []
    for _ in range(3):
        async with holding(replicas[0], "lock", ttl_seconds=5.0) as lease:
            tokens.append(lease.token)
        redis_server.clear()
    assert tokens == sorted(set(tokens))


async def test_a_redis_that_is_away_is_said_so(replicas: list[RedisLocks], redis_server: RedisServer) -> None:
    redis_server.kill()
    try:
        with pytest.raises(LockUnavailable):
            await replicas[0].acquire("lock", 5.0)
    finally:
        redis_server.start()
    assert await replicas[0].acquire("lock", 5.0) is not None
