"""Subscribers that stop reading cost the server next to nothing, and hold nobody up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc

from air.places import Point, Station
from air.pollutants import Pollutant
from cli.readiness import serving
from ingestion.reading import Measurement, Reading
from tests.backing.mesh_processes import MeshProcesses, mesh_processes
from tests.ingestion.assembly import assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT, NOW

_STATIONS = 500
_HOURS = 30
_STORED = _STATIONS * _HOURS
_STALLED = 30
_MEBIBYTE = 1 << 20


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[MeshProcesses]:
    """An ingestion server over more than a connection buffers."""
    stations = [Station(f"station {number}", "역" * 30, Point(37.5, 127.0)) for number in range(_STATIONS)]
    measurement = Measurement(dict.fromkeys(Pollutant, 0.5))
    async with assembled(quick_settings(tmp_path, "http://127.0.0.1:9")) as parts:
        stored = [
            Reading(station, MEASURED_AT - timedelta(hours=hour), measurement)
            for hour in range(_HOURS)
            for station in stations
        ]
        await parts.store.save(stored, NOW)
    with mesh_processes(tmp_path, {"CLEANAIR_COLLECT_ON_SCHEDULE": "false"}) as processes:
        processes.start("ingestion")
        await serving(processes.target("ingestion"))
        yield processes


def _resident_bytes(mesh: MeshProcesses) -> int:
    status = Path(f"/proc/{mesh.processes['ingestion'].pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


class _Subscriber:
    """One subscriber on a connection of its own, read when the test says."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        self._call = stub.StreamReadings(wire.StreamReadingsRequest())
        self.received = 0
        self.bytes = 0

    async def read(self) -> None:
        element = await self._call.read()
        assert isinstance(element, wire.StreamReadingsResponse)
        self.received += len(element.readings)
        self.bytes += element.ByteSize()

    async def read_all(self) -> float:
        """Seconds until all that is stored has come."""
        started = time.perf_counter()
        while self.received < _STORED:
            await self.read()
        return time.perf_counter() - started


async def test_stalled_subscribers_are_not_buffered_for_and_hold_nobody_up(mesh: MeshProcesses) -> None:
    async with asyncio.timeout(50), AsyncExitStack() as stack:

        async def subscribe() -> _Subscriber:
            # Else all of one process would share a connection, and its window.
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(mesh.target("ingestion"), options=options)
            return _Subscriber(await stack.enter_async_context(channel))

        first = await subscribe()
        alone = await first.read_all()
        before = _resident_bytes(mesh)
        stalled = [await subscribe() for _ in range(_STALLED)]
        await asyncio.gather(*(subscriber.read() for subscriber in stalled))
        beside = await (await subscribe()).read_all()
        grown = _resident_bytes(mesh) - before

        # What all of them have not read yet would be a multiple of this.
        assert first.bytes * _STALLED > 80 * _MEBIBYTE
        assert grown < 30 * _MEBIBYTE
        # The first had to wait for the database.
        assert beside < alone
        # A stalled one that reads on misses nothing.
        await stalled[0].read_all()
        assert stalled[0].received == _STORED
