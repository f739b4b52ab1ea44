"""A client that follows the stream of readings through anything, as a careful one does, and keeps what came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias, cast

import grpc
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc

from mesh.channel import open_channel
from mesh.settings import MeshSettings
from mesh.subscription import StreamCall, Subscription

Seen: TypeAlias = tuple[str, int, int]
"""Station, hour in seconds since 1970, and revision."""

QUICK = MeshSettings(reconnect_seconds=0.2)


class Follower:
    """Keeps the readings that come, and the tokens that come with them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.readings: list[Seen] = []
        self.tokens: list[str] = []
        self._came = asyncio.Condition()
        self._stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        self.subscription = Subscription(
            "readings",
            open_stream=self._open,
            load_token=self._token,
            handle=self._handle,
            forget_token=self._forget,
            heartbeat_seconds=1.0,
            longest_pause_seconds=QUICK.reconnect_seconds,
        )

    def _open(self, token: str) -> StreamCall[wire.StreamReadingsResponse]:
        # The stubs of grpcio give a stream no type of its own.
        call = self._stub.StreamReadings(wire.StreamReadingsRequest(resume_token=token))
        return cast(StreamCall[wire.StreamReadingsResponse], call)

    async def _token(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    async def _forget(self) -> None:
        raise AssertionError("the store is still the same")

    async def _handle(self, element: wire.StreamReadingsResponse) -> None:
        self.readings += [(r.station.station_id, r.measured_at.seconds, r.revision) for r in element.readings]
        self.tokens.append(element.resume_token)
        async with self._came:
            self._came.notify_all()

    async def until(self, is_enough: Callable[[], bool]) -> None:
        """Returns when what has come is enough."""
        async with asyncio.timeout(60), self._came:
            await self._came.wait_for(is_enough)


@asynccontextmanager
async def following(target: str) -> AsyncIterator[Follower]:
    """A follower of the server at a target."""
    async with open_channel(target, QUICK) as channel:
        follower = Follower(channel)
        task = asyncio.create_task(follower.subscription.run())
        try:
            yield follower
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
