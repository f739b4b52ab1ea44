"""Bytes kept for a while under a key: in Redis when there is one, else in the process."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Protocol

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from mesh.errors import Unavailable
from mesh.settings import MeshSettings

_KEY_PREFIX = "cleanair:"
_TIMEOUT_SECONDS = 1.0


class CacheUnavailable(Unavailable):
    """The cache does not answer."""

    reason = "CACHE_UNAVAILABLE"


class Cache(Protocol):
    """Bytes by key, until their time is up or room is needed."""

    async def get(self, key: str) -> bytes | None:
        """What is kept under the key; None when nothing is. Raises CacheUnavailable."""

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keeps the value for that long. Raises CacheUnavailable."""

    async def ping(self) -> None:
        """Returns when the cache answers. Raises CacheUnavailable."""

    async def close(self) -> None:
        """Lets go of connections."""


class InProcessCache:
    """A cache of this process alone; the least recently used goes first when it is full."""

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """What is kept under the key."""
        expires, value = self._entries.get(key, (0.0, b""))
        if expires <= time.monotonic():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keeps the value; one larger than the whole cache is not kept."""
        self._drop(key)
        if len(value) > self._max_bytes:
            return
        self._entries[key] = (time.monotonic() + ttl_seconds, value)
        self._bytes += len(value)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def ping(self) -> None:
        """Always there."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def _drop(self, key: str) -> None:
        _, value = self._entries.pop(key, (0.0, b""))
        self._bytes -= len(value)


class RedisCache:
    """A cache shared by all replicas."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries=2),
        )

    async def get(self, key: str) -> bytes | None:
        """What is kept under the key."""
        try:
            value = await self._redis.get(_KEY_PREFIX + key)
        except RedisError as error:
            raise CacheUnavailable("the cache does not answer: try again later") from error
        return value.encode() if isinstance(value, str) else value

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keeps the value."""
        try:
            await self._redis.set(_KEY_PREFIX + key, value, px=max(1, round(ttl_seconds * 1000)))
        except RedisError as error:
            raise CacheUnavailable("the cache does not answer: try again later") from error

    async def ping(self) -> None:
        """Asks Redis."""
        try:
            await self._redis.ping()
        except RedisError as error:
            raise CacheUnavailable("the cache does not answer: try again later") from error

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


def open_cache(settings: MeshSettings) -> Cache:
    """The cache that the settings ask for."""
    if settings.redis_url is None:
        return InProcessCache()
    return RedisCache(settings.redis_url.get_secret_value())
