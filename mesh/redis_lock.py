"""Locks over all replicas, in Redis."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, cast

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from mesh.lock import InProcessLocks, Lease, Locks, LockUnavailable
from mesh.settings import MeshSettings

_KEY_PREFIX: Final = "cleanair:lock:"
_TIMEOUT_SECONDS: Final = 1.0

# A token is never lower than the time in microseconds: a Redis that has lost its memory, or a process that was started
# again, goes on above every token that it has given before.
_ACQUIRE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
return tonumber(token)
"""
_EXTEND: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLocks:
    """Locks over all replicas."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries=2),
        )

    async def acquire(self, name: str, ttl_seconds: float) -> Lease | None:
        """Takes the lock unless it is held."""
        token = await self._run(_ACQUIRE, 2, _key(name), _key(name) + ":token", _milliseconds(ttl_seconds))
        return Lease(name, token) if token else None

    async def extend(self, lease: Lease, ttl_seconds: float) -> bool:
        """Holds it for longer."""
        return bool(await self._run(_EXTEND, 1, _key(lease.name), str(lease.token), _milliseconds(ttl_seconds)))

    async def release(self, lease: Lease) -> bool:
        """Lets go of it."""
        return bool(await self._run(_RELEASE, 1, _key(lease.name), str(lease.token)))

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def _run(self, script: str, keys: int, *arguments: str) -> int:
        try:
            return int(await cast(Awaitable[int], self._redis.eval(script, keys, *arguments)))
        except RedisError as error:
            raise LockUnavailable("the lock cannot be asked for: try again later") from error


def open_locks(settings: MeshSettings) -> Locks:
    """The locks that the settings ask for."""
    if settings.redis_url is None:
        return InProcessLocks()
    return RedisLocks(settings.redis_url.get_secret_value())


def _key(name: str) -> str:
    return _KEY_PREFIX + name


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))
