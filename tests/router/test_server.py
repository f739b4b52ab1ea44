"""The router as a process: from its start, with what it kept, to its stop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2, route_service_pb2_grpc
from cleanair.type.v1 import data_status_pb2

from air.pollutants import Pollutant
from cli.readiness import serving
from mesh.settings import MeshSettings
from mesh.wire import point_to_wire
from router.prepared import prepare, save
from tests.backing.mesh_processes import MeshProcesses, mesh_processes
from tests.router.air_plan import NOW, forecast
from tests.router.scripted_predictor import ScriptedPredictor, served
from tests.router.street_plan import Edge, at, plan

HEALTH = mesh_service_pb2.HealthLine


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[MeshProcesses]:
    """A router to be, over a town of one street."""
    graph = tmp_path / "town.graph"
    save(prepare(plan([(0, 0), (1000, 0)], [Edge(0, 1)])), graph)
    settings = {"CLEANAIR_GRAPH_PATH": str(graph), "CLEANAIR_NOW": NOW.isoformat(), "CLEANAIR_HEARTBEAT_SECONDS": "1"}
    with mesh_processes(tmp_path, settings) as processes:
        yield processes


@asynccontextmanager
async def router(mesh: MeshProcesses) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the process, once it serves; at the end the process is told to stop, and must."""
    mesh.start("router")
    async with asyncio.timeout(50):
        await serving(mesh.target("router"))
    async with grpc.aio.insecure_channel(mesh.target("router")) as channel:
        yield channel
    assert await asyncio.to_thread(mesh.stop, "router") == 0


async def routes(channel: grpc.aio.Channel) -> route_service_pb2.CalculateRoutesResponse:
    return await route_service_pb2_grpc.RouteServiceStub(channel).CalculateRoutes(
        route_service_pb2.CalculateRoutesRequest(origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(900, 0)))
    )


async def health(channel: grpc.aio.Channel) -> dict[tuple[str, str], mesh_service_pb2.HealthLine]:
    answer = await mesh_service_pb2_grpc.MeshServiceStub(channel).GetHealth(mesh_service_pb2.GetHealthRequest())
    return {(line.service, line.part): line for line in answer.lines}


async def test_from_start_to_stop_and_again(mesh: MeshProcesses, tmp_path: Path) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(forecast({Pollutant.NO2: 40.0, Pollutant.PM25: 20.0}))
    settings = MeshSettings(data_dir=tmp_path, lame_duck_seconds=0, stop_grace_seconds=0, heartbeat_seconds=1)
    async with served(predictor, settings, mesh.ports["predictor"]), router(mesh) as channel:
        async with asyncio.timeout(20):
            while not (first := await routes(channel)).routes[0].doses:  # noqa: ASYNC110 - as its users would see it
                await asyncio.sleep(0.05)
        assert first.data_status.state == data_status_pb2.DataStatus.FRESH
        lines = await health(channel)
        assert {part: line.state for (service, part), line in lines.items() if service == "router"} == dict.fromkeys(
            ("server", "graph", "database", "cache", "forecast stream"), HEALTH.UP
        )
        assert lines["router", "graph"].detail == first.graph
        assert lines["predictor", "server"].state == HEALTH.UP

    async with router(mesh) as channel:
        again = await routes(channel)
        assert [way.doses for way in again.routes] == [way.doses for way in first.routes]
        lines = await health(channel)
        assert lines["router", "server"].state == HEALTH.DEGRADED
        assert lines["router", "forecast stream"].state == HEALTH.DEGRADED
        assert lines["predictor", "server"].state == HEALTH.DOWN


async def test_without_any_forecast_routes_come_all_the_same(mesh: MeshProcesses) -> None:
    async with router(mesh) as channel:
        answer = await routes(channel)
    assert len(answer.routes) == 3
    assert answer.data_status.state == data_status_pb2.DataStatus.DEGRADED
    assert "No forecast has come yet" in answer.data_status.reasons[0]
    assert not any(way.doses for way in answer.routes)


async def test_without_a_graph_it_says_what_to_do(mesh: MeshProcesses) -> None:
    del mesh.environment["CLEANAIR_GRAPH_PATH"]
    mesh.start("router")
    assert await asyncio.to_thread(mesh.ended, "router", 50) == 2
    assert "cleanair graph import FILE.osm.pbf" in mesh.log("router").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_compiled_kernels_are_kept_in_the_data_folder(mesh: MeshProcesses, tmp_path: Path) -> None:
    environment = os.environ | mesh.environment
    del environment["NUMBA_CACHE_DIR"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "cli", "serve", "router", env=environment)
    try:
        async with asyncio.timeout(200):
            await serving(mesh.target("router"))
    finally:
        process.terminate()
        assert await process.wait() == 0
    assert list((tmp_path / "numba").rglob("kernel.search-*.nbi"))
