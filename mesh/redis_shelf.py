"""A shelf in Redis, where there is one, else in the process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final, cast

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from mesh.settings import MeshSettings
from mesh.shelf import InProcessShelf, Shelf, ShelfUnavailable

_TIMEOUT_SECONDS: Final = 1.0


class RedisShelf:
    """A shelf that all replicas share: values, each under a key of its own, and a sorted set of their names by end."""

    def __init__(self, url: str, name: str, room: int) -> None:
        self._room: Final = room
        self._index: Final = f"cleanair:{name}"
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries=1),
        )

    async def get(self, names: Sequence[str]) -> list[bytes | None]:
        """See `Shelf`."""
        if not names:
            return []
        try:
            return cast(list[bytes | None], await self._redis.mget([self._key(name) for name in names]))
        except RedisError as error:
            raise ShelfUnavailable from error

    async def put(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """See `Shelf`."""
        lasts_ms, now = max(1, round(ttl_seconds * 1000)), time.time()
        try:
            async with self._redis.pipeline(transaction=True) as steps:
                for name, value in values.items():
                    steps.set(self._key(name), value, px=lasts_ms)
                steps.zadd(self._index, dict.fromkeys(values, now + ttl_seconds))
                steps.zremrangebyscore(self._index, "-inf", now)
                steps.zrange(self._index, 0, -(self._room + 1))
                *_, surplus = cast(list[list[bytes]], await steps.execute())
            if surplus:
                async with self._redis.pipeline(transaction=True) as steps:
                    steps.zrem(self._index, *surplus)
                    steps.delete(*(self._key(name.decode()) for name in surplus))
                    await steps.execute()
        except RedisError as error:
            raise ShelfUnavailable from error

    async def names(self) -> list[str]:
        """See `Shelf`."""
        try:
            found = await self._redis.zrangebyscore(self._index, time.time(), "+inf")
        except RedisError as error:
            raise ShelfUnavailable from error
        return [name.decode() for name in cast(list[bytes], found)]

    async def ping(self) -> None:
        """Asks Redis."""
        try:
            await self._redis.ping()
        except RedisError as error:
            raise ShelfUnavailable from error

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    def _key(self, name: str) -> str:
        return f"{self._index}:{name}"


def open_shelf(settings: MeshSettings, name: str, room: int) -> Shelf:
    """The shelf of that name that the settings ask for, with room for so many values."""
    if settings.redis_url is None:
        return InProcessShelf(room)
    return RedisShelf(settings.redis_url.get_secret_value(), name, room)
