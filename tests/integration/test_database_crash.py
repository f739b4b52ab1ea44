"""PostgreSQL dies in the middle of a batch: nothing of it is there, and once written again nothing is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import asyncpg
import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc

from air.places import Point, Station
from air.pollutants import Pollutant
from cli.readiness import serving
from ingestion.reading import Measurement, Reading
from ingestion.run import Outcome, Run
from ingestion.schedule import Schedule
from ingestion.store.readings import Saved
from mesh.database import DatabaseUnavailable
from simulation.replay import ReplayServer
from tests.backing.mesh_processes import OPERATOR_KEY, MeshProcesses, mesh_processes
from tests.backing.postgres import PostgresServer
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.follower import following
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, recording

_STATIONS = tuple(f"역{number}" for number in range(40))
_NEXT_HOUR = "2026-03-16 10:00"
_BEFORE = [measurement_row(station, pm25Value="5") for station in _STATIONS]
# What is corrected comes last: everything else of the batch has been written by then.
_AFTER = [
    *(measurement_row(station, _NEXT_HOUR) for station in _STATIONS),
    measurement_row(_STATIONS[0], pm25Value="6"),
]


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    with ReplayServer(recording(_BEFORE, _AFTER, stations=_STATIONS)) as server:
        yield server


@pytest.fixture
async def ingestion(tmp_path: Path, replay: ReplayServer, postgres_ingestion_url: str) -> AsyncIterator[Assembly]:
    settings = quick_settings(tmp_path, replay.url, database_url=postgres_ingestion_url)
    async with assembled(settings, NOW + timedelta(hours=1)) as parts:
        yield parts


@asynccontextmanager
async def _dies_midway(server: PostgresServer, url: str, station_id: str) -> AsyncIterator[None]:
    """What is begun within meets, at its end, a server that dies while the batch waits for the row of a station."""
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await other.execute("BEGIN")
        await other.execute("SELECT 1 FROM air_quality_readings WHERE station_id = $1 FOR UPDATE", station_id)
        yield
        async with asyncio.timeout(20):
            # A server tells nobody that a transaction waits: it has to be asked.
            while not await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
    finally:
        other.terminate()


def _readings(stations: range, value: float) -> list[Reading]:
    measurement = Measurement({Pollutant.PM25: value})
    return [Reading(Station(f"역{n}", "역", Point(37.5, 127.0)), MEASURED_AT, measurement) for n in stations]


async def test_a_batch_that_was_being_saved_is_there_whole_or_not_at_all(
    ingestion: Assembly, postgres_server: PostgresServer, postgres_ingestion_url: str
) -> None:
    await ingestion.store.save(_readings(range(10), 1.0), NOW)
    before = await ingestion.store.head(), await ingestion.store.changes(0, 10_000)
    batch = [*_readings(range(10, 3000), 2.0), *_readings(range(10), 2.0)]
    async with _dies_midway(postgres_server, postgres_ingestion_url, "역3"):
        saving = asyncio.create_task(ingestion.store.save(batch, NOW))
    with pytest.raises(DatabaseUnavailable):
        await saving
    postgres_server.start()
    assert (await ingestion.store.head(), await ingestion.store.changes(0, 10_000)) == before
    assert await ingestion.store.save(batch, NOW) == Saved(new=2990, corrected=10)
    assert await ingestion.store.save(batch, NOW) == Saved(unchanged=3000)
    stored = await ingestion.store.changes(0, 10_000)
    assert [one.sequence for one in stored] == list(range(11, 3011))
    assert {one.reading.station.station_id for one in stored} == {f"역{n}" for n in range(3000)}


async def test_a_scheduled_collection_that_was_cut_is_done_again(
    ingestion: Assembly, postgres_server: PostgresServer, postgres_ingestion_url: str
) -> None:
    await ingestion.collector.collect()
    schedule = Schedule(ingestion.jobs.due(), ingestion.clock, spread_seconds=0.0, retry_seconds=0.1)
    async with _dies_midway(postgres_server, postgres_ingestion_url, _STATIONS[0]):
        running = asyncio.create_task(schedule.run())
    try:
        await asyncio.sleep(0.3)  # some attempts meet a database that is away
        postgres_server.start()
        async with asyncio.timeout(30):
            while not (runs := await _collected(ingestion)):  # noqa: ASYNC110 - a run's end rings no bell
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert [run.counts.new + run.counts.corrected for run in runs] == [len(_AFTER)]
    stored = await ingestion.store.changes(0, 1000)
    expected = {(station, hour): 1 for station in _STATIONS for hour in (9, 10)} | {(_STATIONS[0], 9): 2}
    hours = {(one.reading.station.station_id, one.reading.measured_at.hour + 9): one.revision for one in stored}
    assert len(stored) == len(hours)
    assert hours == expected


async def _collected(ingestion: Assembly) -> list[Run]:
    return [run for run in await ingestion.runs.of_feed("airkorea") if run.outcome is Outcome.COLLECTED]


async def test_a_stream_goes_on_after_it_with_every_reading_once(
    ingestion: Assembly,
    replay: ReplayServer,
    postgres_server: PostgresServer,
    postgres_ingestion_url: str,
    tmp_path: Path,
) -> None:
    settings = {
        "CLEANAIR_AIRKOREA_URL": replay.url,
        "CLEANAIR_DATABASE_URL": postgres_ingestion_url,
        "CLEANAIR_COLLECT_ON_SCHEDULE": "false",
    }
    with mesh_processes(tmp_path, settings) as mesh:
        mesh.start("ingestion")
        await serving(mesh.target("ingestion"))
        async with following(mesh.target("ingestion")) as follower:
            assert await _collect(mesh) == len(_BEFORE)
            await follower.until(lambda: len(follower.readings) == len(_BEFORE))
            async with _dies_midway(postgres_server, postgres_ingestion_url, _STATIONS[0]):
                cut = asyncio.create_task(_collect(mesh))
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await cut
            assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
            postgres_server.start()
            assert await _collect(mesh) == len(_AFTER)
            assert await _collect(mesh) == 0
            await follower.until(lambda: len(follower.readings) >= len(_BEFORE) + len(_AFTER))
            assert mesh.stop("ingestion") == 0
    nine = int(MEASURED_AT.timestamp())
    expected = {(station, hour, 1) for station in _STATIONS for hour in (nine, nine + 3600)} | {(_STATIONS[0], nine, 2)}
    assert sorted(follower.readings) == sorted(expected)


async def _collect(mesh: MeshProcesses) -> int:
    """How many readings were new or corrected."""
    async with grpc.aio.insecure_channel(mesh.target("ingestion")) as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        metadata = (("x-api-key", OPERATOR_KEY),)
        answer = await stub.CollectAirQuality(wire.CollectAirQualityRequest(), metadata=metadata, timeout=40)
    return answer.new_count + answer.corrected_count
