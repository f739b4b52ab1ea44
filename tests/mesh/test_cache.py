"""The cache in the process; tests/integration holds Redis to the same."""

from __future__ import annotations

from mesh.cache import InProcessCache


async def test_what_is_set_is_got_until_its_time_is_up() -> None:
    cache = InProcessCache()
    await cache.set("route", b"way", ttl_seconds=60)
    await cache.set("gone", b"way", ttl_seconds=-1)
    assert await cache.get("route") == b"way"
    assert await cache.get("gone") is None
    assert await cache.get("never") is None


async def test_when_it_is_full_the_least_recently_used_goes_first() -> None:
    cache = InProcessCache(max_bytes=20)
    await cache.set("a", b"0" * 8, ttl_seconds=60)
    await cache.set("b", b"0" * 8, ttl_seconds=60)
    await cache.get("a")
    await cache.set("c", b"0" * 8, ttl_seconds=60)
    assert [await cache.get(key) is not None for key in "abc"] == [True, False, True]


async def test_a_value_larger_than_the_cache_empties_nothing() -> None:
    cache = InProcessCache(max_bytes=20)
    await cache.set("a", b"0" * 8, ttl_seconds=60)
    await cache.set("big", b"0" * 30, ttl_seconds=60)
    assert await cache.get("big") is None
    assert await cache.get("a") is not None


async def test_a_value_set_again_counts_once() -> None:
    cache = InProcessCache(max_bytes=20)
    for _ in range(10):
        await cache.set("a", b"0" * 9, ttl_seconds=60)
    await cache.set("b", b"0" * 9, ttl_seconds=60)
    assert await cache.get("a") is not None
