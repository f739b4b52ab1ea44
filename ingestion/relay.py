"""Replicas tell each other of changes, encoded, so that all but the one that wrote them are spared the database."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Protocol

import structlog

from ingestion.change import Batch, UnreadableBatch
from ingestion.change_feed import ChangeFeed
from mesh.bell import Bell
from mesh.cancellation import run_together
from mesh.errors import CleanAirError, Unavailable

_log: Final = structlog.stdlib.get_logger("relay")

_EPOCH: Final = struct.Struct("<16s")

MOST_ENTRIES: Final = 256
"""Of 500 readings at most each: some 40 MB in Redis. Who was away for longer reads the database."""


class News(Protocol):
    """A way to all replicas, quick but not sure."""

    async def tell(self, entry: bytes) -> None:
        """Tells all who listen, this replica too. Raises Unavailable."""

    def listen(self) -> AsyncGenerator[bytes | None, None]:
        """What is told from now on; None whenever something may have been missed."""

    async def close(self) -> None:
        """Lets go of connections."""


class Relay:
    """Tells others what was written here, and takes up what they tell.

    The store stays the log: what is not told, for its writer died or the way was shut, each replica finds there, at the
    next change that leaves a gap or at the next heartbeat of a follower.

    Args:
        feed: What followers read.
        news: The way to the others.
        bell: Rung when something was written here.
        heartbeat_seconds: How often at least to look for what was written here.
    """

    def __init__(self, feed: ChangeFeed, news: News, bell: Bell, heartbeat_seconds: float) -> None:
        self._feed = feed
        self._news = news
        self._bell = bell
        self._heartbeat_seconds = heartbeat_seconds
        self._told = 0
        self._is_shut = False

    async def run(self) -> None:
        """Runs until cancelled, and closes the way to the others."""
        try:
            await run_together(self._tell(), self._listen())
        finally:
            await self._news.close()

    async def _tell(self) -> None:
        rings = self._bell.rings
        while not self._bell.closed:
            if await self._bell.wait(rings, self._heartbeat_seconds):
                rings = self._bell.rings
                try:
                    await self._feed.catch_up(rings)
                    await self._tell_news()
                except Unavailable as error:
                    self._shut(error)

    async def _tell_news(self) -> None:
        log = self._feed.log
        for batch in log.batches_after(min(self._told, log.head)):
            self._told = batch.last
            await self._news.tell(_EPOCH.pack(log.epoch.encode()) + batch.pack())
        self._is_shut = False

    async def _listen(self) -> None:
        async with aclosing(self._news.listen()) as entries:
            async for entry in entries:
                try:
                    await self._take(entry)
                except Unavailable as error:
                    self._shut(error)

    async def _take(self, entry: bytes | None) -> None:
        if entry is None:
            await self._feed.look()
            self._told = max(self._told, self._feed.log.head)
            return
        try:
            (epoch,) = _EPOCH.unpack_from(entry)
            batch = Batch.unpack(entry[_EPOCH.size :])
        except (struct.error, UnreadableBatch):
            # Of another version, while replicas are being replaced.
            await self._feed.look()
            return
        await self._feed.receive(epoch.decode(errors="replace"), batch)
        self._told = max(self._told, min(batch.last, self._feed.log.head))

    def _shut(self, error: CleanAirError) -> None:
        if not self._is_shut:
            _log.warning("news not told", reason=error.reason, message=error.message)
        self._is_shut = True
