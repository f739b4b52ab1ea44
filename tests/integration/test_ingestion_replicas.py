"""Two ingestion servers share the tail of the stream; either may be killed, and Redis as well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from pydantic import SecretStr

from cli.readiness import serving
from ingestion.settings import IngestionSettings
from mesh.channel import open_channel
from mesh.database import upgrade
from mesh.settings import MeshSettings
from mesh.subscription import StreamCall, Subscription
from simulation.replay import ReplayServer
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes
from tests.backing.redis_server import RedisServer
from tests.ingestion.wire_rows import measurement_row, recording

pytestmark = pytest.mark.timeout(120)

_HOURS = 6
# News that come sooner than this have not waited for a heartbeat.
_HEARTBEAT_SECONDS = 4
_QUICK = MeshSettings(reconnect_seconds=0.2)


class _Follower:
    """Keeps what it gets, and says when something has come."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.hours: list[int] = []
        self.token = ""
        self._came = asyncio.Condition()
        self._stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)

    def open(self, token: str) -> StreamCall[wire.StreamReadingsResponse]:
        # The stubs of grpcio give a stream no type of its own.
        call = self._stub.StreamReadings(wire.StreamReadingsRequest(resume_token=token))
        return cast(StreamCall[wire.StreamReadingsResponse], call)

    async def load(self) -> str:
        return self.token

    async def forget(self) -> None:
        raise AssertionError("the store is still the same")

    async def handle(self, element: wire.StreamReadingsResponse) -> None:
        self.hours += [reading.measured_at.ToDatetime().hour for reading in element.readings]
        self.token = element.resume_token
        async with self._came:
            self._came.notify_all()

    async def until(self, count: int) -> None:
        """Returns when so many readings have come; at 0 already when the stream has begun."""
        async with asyncio.timeout(40), self._came:
            await self._came.wait_for(lambda: bool(self.token) and len(self.hours) >= count)


@asynccontextmanager
async def _following(mesh: MeshProcesses) -> AsyncIterator[_Follower]:
    async with open_channel(mesh.target("ingestion"), _QUICK) as channel:
        follower = _Follower(channel)
        subscription = Subscription(
            "readings",
            open_stream=follower.open,
            load_token=follower.load,
            handle=follower.handle,
            forget_token=follower.forget,
            heartbeat_seconds=_HEARTBEAT_SECONDS,
            longest_pause_seconds=_QUICK.reconnect_seconds,
        )
        task = asyncio.create_task(subscription.run())
        try:
            await follower.until(0)
            yield follower
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    """Each answer is of an hour more."""
    answers = [[measurement_row("중구", f"2026-03-16 {10 + hour}:00")] for hour in range(_HOURS)]
    with ReplayServer(recording(*answers)) as server:
        yield server


@pytest.fixture
async def replicas(
    tmp_path: Path, replay: ReplayServer, postgres_url: str, redis_url: str
) -> AsyncIterator[tuple[MeshProcesses, MeshProcesses]]:
    """Two that serve, over one database and one Redis."""
    await upgrade(IngestionSettings(data_dir=tmp_path, database_url=SecretStr(postgres_url)), "ingestion")
    settings = {
        "CLEANAIR_AIRKOREA_URL": replay.url,
        "CLEANAIR_COLLECT_ON_SCHEDULE": "false",
        "CLEANAIR_DATABASE_URL": postgres_url,
        "CLEANAIR_REDIS_URL": redis_url,
        "CLEANAIR_HEARTBEAT_SECONDS": str(_HEARTBEAT_SECONDS),
        "CLEANAIR_NOW": "2026-03-16T09:00:00Z",
    }
    with ExitStack() as stack:
        folders = tmp_path / "one", tmp_path / "other"
        for folder in folders:
            folder.mkdir()
        one, other = (stack.enter_context(mesh_processes(folder, settings)) for folder in folders)
        for replica in (one, other):
            replica.start("ingestion")
        await asyncio.gather(*(serving(replica.target("ingestion")) for replica in (one, other)))
        yield one, other


async def _collect(mesh: MeshProcesses) -> None:
    async with grpc.aio.insecure_channel(mesh.target("ingestion")) as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        answer = await stub.CollectAirQuality(
            wire.CollectAirQualityRequest(), metadata=(("x-api-key", OPERATOR_KEY),), wait_for_ready=True, timeout=40
        )
        assert answer.new_count == 1


async def test_killing_a_replica_or_redis_loses_nothing_and_news_do_not_wait_for_a_heartbeat(
    replicas: tuple[MeshProcesses, MeshProcesses], redis_server: RedisServer
) -> None:
    one, other = replicas
    async with _following(one) as here, _following(other) as there:

        async def both_have(count: int) -> float:
            started = time.perf_counter()
            for follower in (here, there):
                await follower.until(count)
            return time.perf_counter() - started

        await _collect(one)
        assert await both_have(1) < _HEARTBEAT_SECONDS / 2
        await _collect(other)
        assert await both_have(2) < _HEARTBEAT_SECONDS / 2
        # The writer dies right after it has answered; whether it had told or not, nothing is lost.
        await _collect(one)
        one.kill("ingestion")
        await _collect(other)
        one.start("ingestion")
        await both_have(4)
        redis_server.kill()
        try:
            await _collect(one)
            await both_have(5)
        finally:
            redis_server.start()
        await _collect(other)
        await both_have(6)
        assert other.stop("ingestion") == 0
    # Korea is nine hours ahead.
    assert here.hours == there.hours == [1, 2, 3, 4, 5, 6]
