"""The router as a process: from its start, with what it kept, to its stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from cleanair.mesh.v1 import mesh_service_pb2, mesh_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2, route_service_pb2_grpc
from cleanair.type.v1 import data_status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from air.pollutants import Pollutant
from mesh.settings import MeshSettings
from mesh.wire import point_to_wire
from router.graph.file import save
from tests.backing.ports import free_port
from tests.router.air_plan import NOW, forecast
from tests.router.scripted_predictor import ScriptedPredictor, served
from tests.router.street_plan import Edge, at, plan

ROOT = Path(__file__).resolve().parents[2]
HEALTH = mesh_service_pb2.HealthLine


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    graph = tmp_path / "town.graph"
    save(plan([(0, 0), (1000, 0)], [Edge(0, 1)]), graph)
    return {
        **os.environ,
        "CLEANAIR_DATA_DIR": str(tmp_path),
        "CLEANAIR_GRAPH_PATH": str(graph),
        "CLEANAIR_ROUTER_PORT": str(free_port()),
        "CLEANAIR_PREDICTOR_TARGET": f"127.0.0.1:{free_port()}",
        "CLEANAIR_NOW": NOW.isoformat(),
        "CLEANAIR_LAME_DUCK_SECONDS": "0",
        "CLEANAIR_HEARTBEAT_SECONDS": "1",
    }


@asynccontextmanager
async def router(environment: dict[str, str]) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the process, once it serves; at the end the process is told to stop, and must."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import router.server; router.server.start()", env=environment, cwd=ROOT
    )
    try:
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{environment['CLEANAIR_ROUTER_PORT']}", options=[("grpc.max_reconnect_backoff_ms", 200)]
        ) as channel:
            # The stubs of grpcio-health-checking know Check alone.
            watch = health_pb2_grpc.HealthStub(channel).Watch(  # type: ignore[attr-defined]
                health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=50
            )
            async for answer in watch:
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    break
            yield channel
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def routes(channel: grpc.aio.Channel) -> route_service_pb2.CalculateRoutesResponse:
    return await route_service_pb2_grpc.RouteServiceStub(channel).CalculateRoutes(
        route_service_pb2.CalculateRoutesRequest(origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(900, 0)))
    )


async def health(channel: grpc.aio.Channel) -> dict[tuple[str, str], mesh_service_pb2.HealthLine]:
    answer = await mesh_service_pb2_grpc.MeshServiceStub(channel).GetHealth(mesh_service_pb2.GetHealthRequest())
    return {(line.service, line.part): line for line in answer.lines}


async def test_from_start_to_stop_and_again(environment: dict[str, str], tmp_path: Path) -> None:
    predictor = ScriptedPredictor()
    predictor.issue(forecast({Pollutant.NO2: 40.0, Pollutant.PM25: 20.0}))
    port = int(environment["CLEANAIR_PREDICTOR_TARGET"].rpartition(":")[2])
    settings = MeshSettings(data_dir=tmp_path, lame_duck_seconds=0, stop_grace_seconds=0, heartbeat_seconds=1)
    async with served(predictor, settings, port), router(environment) as channel:
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

    async with router(environment) as channel:
        again = await routes(channel)
        assert [way.doses for way in again.routes] == [way.doses for way in first.routes]
        lines = await health(channel)
        assert lines["router", "server"].state == HEALTH.DEGRADED
        assert lines["router", "forecast stream"].state == HEALTH.DEGRADED
        assert lines["predictor", "server"].state == HEALTH.DOWN


async def test_without_any_forecast_routes_come_all_the_same(environment: dict[str, str]) -> None:
    async with router(environment) as channel:
        answer = await routes(channel)
    assert len(answer.routes) == 3
    assert answer.data_status.state == data_status_pb2.DataStatus.DEGRADED
    assert "No forecast has come yet" in answer.data_status.reasons[0]
    assert not any(way.doses for way in answer.routes)


@pytest.mark.slow
async def test_compiled_kernels_are_kept_in_the_data_folder(environment: dict[str, str], tmp_path: Path) -> None:
    del environment["NUMBA_CACHE_DIR"]
    async with router(environment):
        assert list((tmp_path / "numba").rglob("kernel.search-*.nbi"))


async def test_without_a_graph_it_says_what_to_do(environment: dict[str, str]) -> None:
    del environment["CLEANAIR_GRAPH_PATH"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import router.server; router.server.start()",
        env=environment,
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode != 0
    assert "cleanair graph import FILE.osm.pbf" in said.decode()
