"""A subscription loses nothing and doubles nothing, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc

from mesh import errors
from mesh.channel import open_channel
from mesh.interceptors.around import Context
from mesh.resume_token import UnknownResumeToken
from mesh.settings import MeshSettings
from mesh.subscription import Subscription
from tests.mesh.conftest import Mesh, run_mesh

Element = ingestion.StreamReadingsResponse


class Follower:
    """Keeps what it is handed, and its token with it; can be told to fail."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.token = ""
        self.forgot = asyncio.Event()
        self.failures = 0
        self.failures_to_forget = 0
        self._arrived = asyncio.Condition()

    async def load(self) -> str:
        return self.token

    async def forget(self) -> None:
        if self.failures_to_forget:
            self.failures_to_forget -= 1
            raise errors.Unavailable("the store is away")
        self.token = ""
        self.forgot.set()

    async def handle(self, element: Element) -> None:
        if self.failures:
            self.failures -= 1
            raise errors.Unavailable("the store is away")
        self.kept.append(element.resume_token)
        self.token = element.resume_token
        async with self._arrived:
            self._arrived.notify_all()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(lambda: len(self.kept) >= count)


@asynccontextmanager
async def following(
    follower: Follower, port: int, settings: MeshSettings, heartbeat_seconds: float = 5
) -> AsyncIterator[Subscription[Element]]:
    async with open_channel(f"127.0.0.1:{port}", settings) as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        subscription = Subscription(
            "readings",
            open_stream=lambda token: stub.StreamReadings(ingestion.StreamReadingsRequest(resume_token=token)),
            load_token=follower.load,
            handle=follower.handle,
            forget_token=follower.forget,
            heartbeat_seconds=heartbeat_seconds,
            longest_pause_seconds=settings.reconnect_seconds,
        )
        running = asyncio.create_task(subscription.run())
        try:
            yield subscription
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_stream_that_ends_is_resumed_where_it_ended(mesh: Mesh) -> None:
    follower = Follower()
    async with following(follower, mesh.port, mesh.settings):
        await follower.until(9)
    assert follower.kept[:9] == [str(number) for number in range(1, 10)]
    assert mesh.counter.asked[:3] == ["", "3", "6"]


async def test_a_server_that_goes_away_and_comes_back_is_found_again(settings: MeshSettings) -> None:
    follower = Follower()
    async with AsyncExitStack() as first_life:
        port = (await first_life.enter_async_context(run_mesh(settings))).port
        async with following(follower, port, settings) as subscription:
            await follower.until(3)
            await first_life.aclose()
            assert subscription.trouble
            async with run_mesh(settings, port=port):
                await follower.until(len(follower.kept) + 3)
    assert follower.kept == [str(number) for number in range(1, len(follower.kept) + 1)]


async def test_an_element_that_could_not_be_kept_comes_again(mesh: Mesh) -> None:
    follower = Follower()
    follower.failures = 2
    async with following(follower, mesh.port, mesh.settings):
        await follower.until(6)
    assert follower.kept[:6] == ["1", "2", "3", "4", "5", "6"]


async def test_a_token_that_the_neighbour_does_not_know_is_forgotten(mesh: Mesh) -> None:
    follower = Follower()
    follower.token = "40"

    async def refuse(_: Context) -> None:
        if mesh.counter.asked[-1] == "40":
            raise UnknownResumeToken

    mesh.counter.elements, mesh.counter.failure = 0, refuse
    async with following(follower, mesh.port, mesh.settings):
        await asyncio.wait_for(follower.forgot.wait(), 20)
        mesh.counter.elements = 3
        await follower.until(3)
    assert follower.kept[:3] == ["1", "2", "3"]


async def test_a_token_is_forgotten_also_when_the_store_is_away_at_that_moment(mesh: Mesh) -> None:
    follower = Follower()
    follower.token, follower.failures_to_forget = "40", 2

    async def refuse(_: Context) -> None:
        if mesh.counter.asked[-1] == "40":
            raise UnknownResumeToken

    mesh.counter.failure = refuse
    mesh.counter.elements = 0
    async with following(follower, mesh.port, mesh.settings):
        await asyncio.wait_for(follower.forgot.wait(), 20)
        mesh.counter.elements = 3
        await follower.until(3)
    assert follower.kept[:3] == ["1", "2", "3"]


async def test_a_silent_neighbour_is_taken_for_dead(mesh: Mesh) -> None:
    follower = Follower()
    hung = asyncio.Event()

    async def hang(_: Context) -> None:
        if not hung.is_set():
            hung.set()
            await asyncio.Event().wait()

    mesh.counter.failure = hang
    async with following(follower, mesh.port, mesh.settings, heartbeat_seconds=0.05):
        await follower.until(6)
    assert follower.kept[:6] == ["1", "2", "3", "4", "5", "6"]
