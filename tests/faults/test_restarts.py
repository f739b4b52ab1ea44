"""Any server may be killed at any time: the streams go on where they were, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, TypeVar

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2, ingestion_service_pb2_grpc
from cleanair.predictor.v1 import prediction_service_pb2, prediction_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2, route_service_pb2_grpc
from cleanair.type.v1 import point_pb2

from cli.readiness import serving
from mesh.channel import open_channel
from mesh.settings import MeshSettings
from mesh.subscription import StreamCall, Subscription
from mesh.wire import time_from_wire
from router.importing import import_file
from simulation.city import districts
from simulation.feed import FeedServer
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes
from tests.backing.street_extract import write_street_grid

pytestmark = pytest.mark.timeout(180)

SEED: Final = 7
FIRST: Final = datetime(2026, 5, 4, 0, 30, tzinfo=UTC)
HOURS: Final = 12
STATIONS: Final = 25
QUICK: Final = MeshSettings(reconnect_seconds=0.2)


@dataclass
class World:
    """A feed whose hour the test turns, and a mesh that collects from it when told."""

    mesh: MeshProcesses
    hour: int = 0

    def now(self) -> datetime:
        return FIRST + timedelta(hours=self.hour)

    async def collect(self) -> None:
        """One more hour passes, and ingestion collects it."""
        self.hour += 1
        async with grpc.aio.insecure_channel(self.mesh.target("ingestion")) as channel:
            answer = await ingestion_service_pb2_grpc.IngestionServiceStub(channel).CollectAirQuality(
                ingestion_service_pb2.CollectAirQualityRequest(),
                metadata=(("x-api-key", OPERATOR_KEY),),
                timeout=20,
            )
        assert answer.new_count == STATIONS

    async def begin(self, *names: str) -> None:
        self.mesh.start(*names)
        async with asyncio.timeout(60):
            await asyncio.gather(*(serving(self.mesh.target(name)) for name in names))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    centre = districts(SEED)[0].station
    extract, graph = tmp_path / "streets.osm.pbf", tmp_path / "streets.graph"
    write_street_grid(extract, centre.latitude, centre.longitude)
    import_file(extract, graph)
    settings = {
        "CLEANAIR_COLLECT_ON_SCHEDULE": "false",
        "CLEANAIR_GRAPH_PATH": str(graph),
        "CLEANAIR_NOW": (FIRST + timedelta(hours=HOURS)).isoformat(),
    }
    with mesh_processes(tmp_path, settings) as mesh:
        world = World(mesh)
        with FeedServer(SEED, clock=world.now) as feed:
            mesh.environment["CLEANAIR_AIRKOREA_URL"] = feed.url
            yield world


@dataclass
class Follower:
    """Follows a stream through restarts, as a careful client does, and keeps what came."""

    kept: list[tuple[str, datetime, int]] = field(default_factory=list)
    token: str = ""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def load(self) -> str:
        return self.token

    async def forget(self) -> None:
        pytest.fail("the store behind the stream was replaced")

    async def keep(self, token: str, items: list[tuple[str, datetime, int]]) -> None:
        self.kept += items
        self.token = token
        async with self.arrived:
            self.arrived.notify_all()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(done)


Item = tuple[str, datetime, int]


class Element(Protocol):
    """What the two streams have in common."""

    resume_token: str


E = TypeVar("E", bound=Element)


@asynccontextmanager
async def following(
    follower: Follower,
    target: str,
    open_stream: Callable[[grpc.aio.Channel, str], StreamCall[E]],
    items: Callable[[E], list[Item]],
) -> AsyncIterator[None]:
    async def handle(element: E) -> None:
        await follower.keep(element.resume_token, items(element))

    async with open_channel(target, QUICK) as channel:
        subscription = Subscription(
            "test",
            open_stream=lambda token: open_stream(channel, token),
            load_token=follower.load,
            handle=handle,
            forget_token=follower.forget,
            heartbeat_seconds=2,
            longest_pause_seconds=QUICK.reconnect_seconds,
        )
        task = asyncio.create_task(subscription.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def readings(channel: grpc.aio.Channel, token: str) -> StreamCall[ingestion_service_pb2.StreamReadingsResponse]:
    return ingestion_service_pb2_grpc.IngestionServiceStub(channel).StreamReadings(
        ingestion_service_pb2.StreamReadingsRequest(resume_token=token)
    )


def readings_in(element: ingestion_service_pb2.StreamReadingsResponse) -> list[Item]:
    return [(one.station.station_id, time_from_wire(one.measured_at), one.revision) for one in element.readings]


def forecasts(channel: grpc.aio.Channel, token: str) -> StreamCall[prediction_service_pb2.StreamForecastsResponse]:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel).StreamForecasts(
        prediction_service_pb2.StreamForecastsRequest(resume_token=token)
    )


def forecasts_in(element: prediction_service_pb2.StreamForecastsResponse) -> list[Item]:
    return [(one.station.station_id, time_from_wire(one.issue_time), 0) for one in element.forecasts]


def rows(world: World, service: str, statement: str) -> list[tuple[object, ...]]:
    """What a service has stored."""
    with closing(sqlite3.connect(world.mesh.folder / f"{service}.db")) as database:
        return database.execute(statement).fetchall()


async def test_readings_survive_the_death_of_ingestion(world: World) -> None:
    await world.begin("ingestion")
    follower = Follower()
    async with following(follower, world.mesh.target("ingestion"), readings, readings_in):
        for hour in range(1, 7):
            await world.collect()
            if hour % 2 == 0:
                world.mesh.kill("ingestion")
                await world.begin("ingestion")
        await follower.until(lambda: len(follower.kept) >= 6 * STATIONS)
    assert set(Counter(follower.kept).values()) == {1}
    stored = rows(world, "ingestion", "SELECT station_id, measured_at FROM air_quality_readings")
    assert len(stored) == len(follower.kept) == 6 * STATIONS


async def test_forecasts_survive_the_death_of_either_side(world: World) -> None:
    await world.begin("ingestion", "predictor")
    follower = Follower()
    async with following(follower, world.mesh.target("predictor"), forecasts, forecasts_in):

        async def until_forecast_of(hour: int) -> None:
            issue_time = (FIRST + timedelta(hours=hour)).replace(minute=0)
            await follower.until(lambda: sum(time == issue_time for _, time, _ in follower.kept) >= STATIONS)

        await world.collect()
        await until_forecast_of(1)
        # The predictor dies, and misses two hours.
        world.mesh.kill("predictor")
        await world.collect()
        await world.collect()
        await world.begin("predictor")
        await until_forecast_of(3)
        # Ingestion dies, and comes back with an hour more.
        world.mesh.kill("ingestion")
        await world.begin("ingestion")
        await world.collect()
        await until_forecast_of(4)
        # Both die at once.
        world.mesh.kill("predictor")
        world.mesh.kill("ingestion")
        await world.begin("ingestion", "predictor")
        await world.collect()
        await until_forecast_of(5)
    assert set(Counter(follower.kept).values()) == {1}
    taken = rows(world, "predictor", "SELECT station_id, measured_at FROM reading_window")
    assert len(taken) == len(set(taken)) == 5 * STATIONS
    made = rows(world, "predictor", "SELECT station_id, predicted_at, prediction_horizon FROM predictions")
    assert len(made) == len(set(made))
    assert len(made) % (72 * STATIONS) == 0


async def test_the_router_has_the_newest_field_after_any_death(world: World) -> None:
    await world.begin("ingestion", "predictor", "router")
    await world.collect()
    await _until_routes_rest_on(world, hour=1)
    world.mesh.kill("router")
    await world.collect()
    await world.begin("router")
    await _until_routes_rest_on(world, hour=2)
    # A predictor that is away leaves the last field in use; when it is back, so is what was missed.
    world.mesh.kill("predictor")
    await _until_routes_rest_on(world, hour=2)
    await world.collect()
    await world.begin("predictor")
    await _until_routes_rest_on(world, hour=3)
    # A router that starts alone serves what it had.
    world.mesh.kill("predictor")
    world.mesh.kill("router")
    await world.begin("router")
    await _until_routes_rest_on(world, hour=3)
    stored = rows(world, "router", "SELECT count(*), count(DISTINCT station_id) FROM station_forecasts")
    assert stored == [(STATIONS, STATIONS)]


async def _until_routes_rest_on(world: World, hour: int) -> None:
    """Asks for routes until they rest on the hour: there is no stream to a client of routes that could be awaited."""
    corner = districts(SEED)[0].station
    request = route_service_pb2.CalculateRoutesRequest(
        origin=point_pb2.Point(latitude=corner.latitude, longitude=corner.longitude),
        destination=point_pb2.Point(latitude=corner.latitude + 0.005, longitude=corner.longitude + 0.006),
    )
    expected = (FIRST + timedelta(hours=hour)).replace(minute=0)
    async with asyncio.timeout(30), grpc.aio.insecure_channel(world.mesh.target("router")) as channel:
        stub = route_service_pb2_grpc.RouteServiceStub(channel)
        while True:
            answer = await stub.CalculateRoutes(request, timeout=20)
            assert len(answer.routes) == 3
            if time_from_wire(answer.data_status.newest_measured_at) == expected:
                assert answer.routes[0].doses
                return
            await asyncio.sleep(0.05)
