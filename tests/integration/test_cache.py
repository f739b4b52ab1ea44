"""The Redis cache keeps what the in-process one keeps, and says so when Redis is gone."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from mesh.cache import CacheUnavailable, RedisCache, open_cache
from mesh.settings import MeshSettings


async def test_redis_keeps_values_for_their_time(redis_url: str) -> None:
    cache = open_cache(MeshSettings(redis_url=SecretStr(redis_url)))
    assert isinstance(cache, RedisCache)
    await cache.ping()
    await cache.set("route", "길".encode(), ttl_seconds=60)
    await cache.set("brief", b"x", ttl_seconds=0.001)
    assert await cache.get("route") == "길".encode()
    assert await cache.get("never") is None
    await cache.close()


async def test_a_redis_that_is_not_there_is_unavailable_not_a_stack_trace() -> None:
    cache = RedisCache("redis://127.0.0.1:1/0")
    with pytest.raises(CacheUnavailable):
        await cache.ping()
    await cache.close()
