"""News that replicas of a service tell each other, through a Redis Stream: soon, but not surely.

Redis may be away, restarted empty, or have dropped what is old: whoever listens must find what is missing elsewhere.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from typing import Final, cast

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from mesh.errors import Unavailable

_log: Final = structlog.stdlib.get_logger("news")

_TIMEOUT_SECONDS: Final = 1.0
_BLOCK_MS: Final = 5000
_LISTEN_TIMEOUT_SECONDS: Final = _BLOCK_MS / 1000 + 5
_ENTRIES_A_READ: Final = 16
_FIRST_DELAY_S: Final = 0.1
_LONGEST_DELAY_S: Final = 5.0
_FIELD: Final = b"news"

_Entry = tuple[bytes, dict[bytes, bytes]]


class NewsUnavailable(Unavailable):
    """Redis does not take the news."""

    reason = "NEWS_UNAVAILABLE"


class RedisStream:
    """One stream of entries.

    Args:
        url: Where Redis is.
        key: The stream's name.
        max_entries: How many entries are kept, about.
    """

    def __init__(self, url: str, key: str, *, max_entries: int) -> None:
        self._url = url
        self._key = f"cleanair:{key}"
        self._max_entries = max_entries
        self._writer = _client(url, _TIMEOUT_SECONDS)

    async def tell(self, entry: bytes) -> None:
        """Adds an entry. Raises NewsUnavailable."""
        try:
            await self._writer.xadd(self._key, {_FIELD: entry}, maxlen=self._max_entries, approximate=True)
        except RedisError as error:
            raise NewsUnavailable("Redis does not answer: replicas hear of it from the database") from error

    async def listen(self) -> AsyncGenerator[bytes | None, None]:
        """Every entry from now on, for ever; None at the start and whenever entries may have been missed."""
        failures = 0
        while True:
            # A connection of its own: a read that waits for news would hold up whoever writes.
            reader = _client(self._url, _LISTEN_TIMEOUT_SECONDS)
            try:
                last = await self._newest(reader)
                yield None
                while True:
                    entries = await self._next(reader, last)
                    for number, fields in entries:
                        last = number
                        yield fields.get(_FIELD, b"")
                    if not entries and (newest := await self._newest(reader)) != last:
                        # The stream was emptied, or its numbers set back with the clock that they are taken from.
                        last = newest
                        yield None
                    if failures:
                        _log.info("news heard again")
                    failures = 0
            except RedisError as error:
                failures += 1
                if failures == 1:
                    _log.warning("news not heard: this replica looks at the database", cause=repr(error))
            finally:
                await reader.aclose()
            await asyncio.sleep(_delay(failures))

    async def close(self) -> None:
        """Closes the connections."""
        await self._writer.aclose()

    async def _newest(self, reader: redis.asyncio.Redis) -> bytes:
        entries = cast(Sequence[_Entry] | None, await reader.xrevrange(self._key, count=1))
        return entries[0][0] if entries else b"0-0"

    async def _next(self, reader: redis.asyncio.Redis, last: bytes) -> Sequence[_Entry]:
        """The entries after one; none when there were none for a while."""
        answer = await reader.xread({self._key: last}, count=_ENTRIES_A_READ, block=_BLOCK_MS)
        streams = cast(Sequence[tuple[bytes, Sequence[_Entry]]], answer)
        return streams[0][1] if streams else ()


def _client(url: str, timeout_seconds: float) -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), retries=0),
    )


def _delay(failures: int) -> float:
    longest = min(_FIRST_DELAY_S * 2.0 ** min(failures, 16), _LONGEST_DELAY_S)
    return random.uniform(0, longest)  # noqa: S311 - jitter is no secret
