"""A relay stops when it is told to, also over a client that swallows a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from ingestion.relay import Relay
from mesh.cancellation import end
from tests.ingestion.assembly import Assembly


class _BusyNews:
    """Swallows the first cancellation, as `asyncio.wait_for` does in a client of Redis whose answer has just come."""

    def __init__(self) -> None:
        self.listening = asyncio.Event()
        self.closed = False

    async def tell(self, entry: bytes) -> None:
        """Nobody is told."""

    async def listen(self) -> AsyncGenerator[bytes | None, None]:
        """Nothing comes."""
        self.listening.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        yield None

    async def close(self) -> None:
        """Notes that."""
        self.closed = True


async def test_a_relay_ends_though_its_client_swallows_a_cancellation(ingestion: Assembly) -> None:
    news = _BusyNews()
    relay = asyncio.create_task(Relay(ingestion.feed, news, ingestion.bell, heartbeat_seconds=60.0).run())
    await news.listening.wait()
    async with asyncio.timeout(10):
        await end(relay)
    assert news.closed
