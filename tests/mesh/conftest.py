"""A server of the mesh with one method whose behaviour a test chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as ingestion
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.router.v1 import route_service_pb2_grpc

from mesh.channel import open_channel
from mesh.health import HealthBoard
from mesh.interceptors.around import Context
from mesh.server import GrpcServer, serving
from mesh.settings import MeshSettings

Behaviour = Callable[[Context], Awaitable[None]]
OPERATOR_METHODS = (
    "/cleanair.router.v1.RouteService/GetRoute",
    "/cleanair.ingestion.v1.IngestionService/CollectAirQuality",
)


class Probe(route_service_pb2_grpc.RouteServiceServicer):
    """Does what the test says."""

    def __init__(self) -> None:
        self.behaviour: Behaviour | None = None

    async def CalculateRoutes(
        self, request: wire.CalculateRoutesRequest, context: Context
    ) -> wire.CalculateRoutesResponse:
        assert request.HasField("origin")
        if self.behaviour is not None:
            await self.behaviour(context)
        return wire.CalculateRoutesResponse(graph="probe")

    async def GetRoute(self, request: wire.GetRouteRequest, context: Context) -> wire.GetRouteResponse:
        return wire.GetRouteResponse(graph=request.route_id)


class Counter(ingestion_service_pb2_grpc.IngestionServiceServicer):
    """Streams its count: up to where it is told to fail, from the number in the token on. Collects as it is told."""

    def __init__(self) -> None:
        self.elements = 3
        self.collecting: Behaviour | None = None
        self.failure: Behaviour | None = None
        self.asked: list[str] = []

    async def StreamReadings(
        self, request: ingestion.StreamReadingsRequest, context: Context
    ) -> AsyncIterator[ingestion.StreamReadingsResponse]:
        self.asked.append(request.resume_token)
        start = int(request.resume_token or 0)
        for number in range(start + 1, start + self.elements + 1):
            yield ingestion.StreamReadingsResponse(resume_token=str(number))
        if self.failure is not None:
            await self.failure(context)

    async def CollectAirQuality(
        self, request: ingestion.CollectAirQualityRequest, context: Context
    ) -> ingestion.CollectAirQualityResponse:
        assert self.collecting is not None
        await self.collecting(context)
        return ingestion.CollectAirQualityResponse(new_count=25)

    async def ListReadings(
        self, request: ingestion.ListReadingsRequest, context: Context
    ) -> ingestion.ListReadingsResponse:
        raise AssertionError


@dataclass
class Mesh:
    """A running server and a channel to it."""

    settings: MeshSettings
    channel: grpc.aio.Channel
    port: int
    probe: Probe = field(default_factory=Probe)
    counter: Counter = field(default_factory=Counter)
    board: HealthBoard = field(default_factory=lambda: HealthBoard("probe"))


@asynccontextmanager
async def run_mesh(settings: MeshSettings, port: int = 0) -> AsyncIterator[Mesh]:
    """Serves the probe and the counter."""
    # The counter answers what these tests call.
    probe, counter, board = Probe(), Counter(), HealthBoard("probe")  # type: ignore[abstract]
    server = GrpcServer(settings, port=port, board=board, operator_methods=OPERATOR_METHODS)
    server.add(route_service_pb2_grpc.add_RouteServiceServicer_to_server, probe, "cleanair.router.v1.RouteService")
    server.add(
        ingestion_service_pb2_grpc.add_IngestionServiceServicer_to_server,
        counter,
        "cleanair.ingestion.v1.IngestionService",
    )
    async with serving(server) as bound, open_channel(f"127.0.0.1:{bound}", settings) as channel:
        yield Mesh(settings, channel, bound, probe, counter, board)


@pytest.fixture
def settings(tmp_path: Path) -> MeshSettings:
    return MeshSettings(
        data_dir=tmp_path,
        operator_api_key="an operator's key",
        lame_duck_seconds=0,
        stop_grace_seconds=1,
        reconnect_seconds=0.1,
        default_deadline_seconds=0.5,
    )


@pytest.fixture
async def mesh(settings: MeshSettings) -> AsyncIterator[Mesh]:
    async with run_mesh(settings) as running:
        yield running
