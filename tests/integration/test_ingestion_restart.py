"""The server is killed in the middle of a stream and started again: the follower gets every reading once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc

from air.places import Point, Station
from air.pollutants import Pollutant
from cli.readiness import serving
from ingestion.reading import Measurement, Reading
from simulation.replay import ReplayServer
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes
from tests.ingestion.assembly import assembled, quick_settings
from tests.ingestion.follower import following
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, recording

# Three processes are started, one after the other.
pytestmark = pytest.mark.timeout(120)

_STORED = 6000
_COLLECTIONS = [
    [measurement_row("중구", pm25Value="-"), measurement_row("종로구")],
    [measurement_row("중구"), measurement_row("종로구")],
    [measurement_row("중구", "2026-03-16 10:00"), measurement_row("종로구", "2026-03-16 10:00")],
]
_NINE = int(MEASURED_AT.timestamp())
_LAST = {("중구", _NINE, 2), ("종로구", _NINE, 1), ("중구", _NINE + 3600, 1), ("종로구", _NINE + 3600, 1)}


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    with ReplayServer(recording(*_COLLECTIONS)) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
async def mesh(request: pytest.FixtureRequest, tmp_path: Path, replay: ReplayServer) -> AsyncIterator[MeshProcesses]:
    """An ingestion server to be, over a store that holds more than a stream sends at once."""
    url = cast(str, request.getfixturevalue("postgres_ingestion_url")) if request.param == "postgres" else None
    stored = [
        Reading(
            Station(f"역{number % 100}", "역", Point(37.5, 127.0)),
            MEASURED_AT - timedelta(hours=1 + number // 100),
            Measurement({Pollutant.PM25: 1.0}),
        )
        for number in range(_STORED)
    ]
    async with assembled(quick_settings(tmp_path, replay.url, database_url=url)) as parts:
        await parts.store.save(stored, NOW)
    settings = {"CLEANAIR_AIRKOREA_URL": replay.url, "CLEANAIR_COLLECT_ON_SCHEDULE": "false"}
    with mesh_processes(tmp_path, {**settings, **({"CLEANAIR_DATABASE_URL": url} if url else {})}) as processes:
        yield processes


async def _collect(mesh: MeshProcesses) -> None:
    async with grpc.aio.insecure_channel(mesh.target("ingestion")) as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        metadata = (("x-api-key", OPERATOR_KEY),)
        await stub.CollectAirQuality(
            wire.CollectAirQualityRequest(), metadata=metadata, wait_for_ready=True, timeout=40
        )


async def test_a_killed_server_loses_and_doubles_nothing_in_a_stream(mesh: MeshProcesses) -> None:
    mesh.start("ingestion")
    await serving(mesh.target("ingestion"))
    async with following(mesh.target("ingestion")) as follower:
        await follower.until(lambda: len(follower.tokens) >= 2)
        mesh.kill("ingestion")
        mesh.start("ingestion")
        await follower.until(lambda: len(follower.readings) >= _STORED)
        await _collect(mesh)
        mesh.kill("ingestion")
        mesh.start("ingestion")
        for _ in _COLLECTIONS[1:]:
            await _collect(mesh)
        await follower.until(lambda: set(follower.readings) >= _LAST)
        assert mesh.stop("ingestion") == 0

    assert len(set(follower.readings)) == len(follower.readings)
    # The first form of what was corrected may have come before the correction; once corrected, it comes no more.
    assert set(follower.readings[_STORED:]) - _LAST <= {("중구", _NINE, 1)}
