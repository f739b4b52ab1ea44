"""Collection and streaming over both databases, and what a kill does to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.reading import Measurement, Reading, StoredReading
from ingestion.settings import IngestionSettings
from ingestion.store.readings import ReadingStore, Saved
from ingestion.stream import StreamQuestion
from mesh.database import Database, DatabaseUnavailable
from simulation.replay import Recording, ReplayServer
from tests.backing.postgres import PostgresServer
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, recording


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """None is the embedded SQLite."""
    return cast(str, request.getfixturevalue("postgres_ingestion_url")) if request.param == "postgres" else None


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    with ReplayServer(recording([measurement_row("중구"), measurement_row("종로구")])) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, replay: ReplayServer, database_url: str | None) -> IngestionSettings:
    return quick_settings(tmp_path, replay.url, database_url=database_url, airkorea_sido="전국")


@pytest.fixture
async def ingestion(settings: IngestionSettings) -> AsyncIterator[Assembly]:
    async with assembled(settings) as parts:
        yield parts


def _readings(count: int, value: float, hour: int = 0) -> list[Reading]:
    return [
        Reading(
            Station(f"역{number}", f"역{number}", Point(37.5 + number * 1e-8, 127.12345678)),
            MEASURED_AT - timedelta(hours=hour),
            Measurement({Pollutant.PM25: value, Pollutant.SO2: 0.0031}),
        )
        for number in range(count)
    ]


async def _all(store: ReadingStore) -> list[StoredReading]:
    return list(await store.changes(0, 100_000))


async def test_what_is_stored_comes_back_to_the_last_decimal(ingestion: Assembly) -> None:
    readings = _readings(3, 12.34)
    await ingestion.store.save(readings, NOW)
    assert [stored.reading for stored in await _all(ingestion.store)] == readings


async def test_thousands_at_once_are_stored_once_corrected_once_and_counted(ingestion: Assembly) -> None:
    assert await ingestion.store.save(_readings(1700, 1.0), NOW) == Saved(new=1700)
    assert await ingestion.store.save(_readings(1700, 1.0), NOW) == Saved(unchanged=1700)
    mixed = [*_readings(800, 2.0), *_readings(1700, 1.0)[800:], *_readings(5, 1.0, hour=1)]
    assert await ingestion.store.save(mixed, NOW) == Saved(new=5, corrected=800, unchanged=900)
    stored = await _all(ingestion.store)
    assert len(stored) == 1705
    assert [s.sequence for s in stored] == [*range(801, 1701), *range(1701, 2506)]
    assert {s.revision for s in stored[900:1700]} == {2}


async def test_a_failed_write_leaves_nothing_behind(ingestion: Assembly) -> None:
    await ingestion.store.save(_readings(1, 1.0), NOW)
    before = await ingestion.store.head()
    broken = Reading(_readings(1, 1.0)[0].station, NOW, Measurement({Pollutant.PM25: cast(float, object())}))
    with pytest.raises((StatementError, TypeError)):
        await ingestion.store.save([*_readings(700, 2.0), broken], NOW)
    assert await ingestion.store.head() == before
    assert [s.revision for s in await _all(ingestion.store)] == [1]


async def test_writers_at_once_and_a_reader_among_them_see_one_order_without_gaps(
    ingestion: Assembly, settings: IngestionSettings
) -> None:
    """Several replicas write; a follower that reads all the while must not pass over what commits late."""
    other = Database.open(settings, "ingestion")
    stores = [ingestion.store, ReadingStore(other), ingestion.store, ReadingStore(other)]
    done = asyncio.Event()

    async def write(number: int, store: ReadingStore) -> None:
        for batch in range(10):
            readings = _readings(20 + 30 * number, 1.0 + number, hour=100 * number + batch)
            await store.save(readings, NOW)

    async def read() -> list[int]:
        seen: list[int] = []
        while True:
            last_look = done.is_set()
            changes = await ingestion.store.changes(seen[-1] if seen else 0, 37)
            seen += [stored.sequence for stored in changes]
            if last_look and not changes:
                return seen

    try:
        reading = asyncio.create_task(read())
        await asyncio.gather(*(write(number, store) for number, store in enumerate(stores)))
        done.set()
        seen = await reading
    finally:
        await other.close()
    assert seen == list(range(1, 10 * (20 + 50 + 80 + 110) + 1))


async def test_two_replicas_that_collect_the_same_hour_store_it_once(
    ingestion: Assembly, settings: IngestionSettings
) -> None:
    async with assembled(settings) as other:
        both = await asyncio.gather(ingestion.collector.collect(), other.collector.collect())
    assert sorted((c.saved.new, c.saved.unchanged) for c in both) == [(0, 2), (2, 0)]


async def test_a_follower_hears_of_what_another_replica_stored_within_a_heartbeat(
    ingestion: Assembly, settings: IngestionSettings
) -> None:
    async with assembled(settings) as other, aclosing(_stream(ingestion)) as stream:
        await anext(stream)
        await other.store.save(_readings(1, 1.0), NOW)
        async with asyncio.timeout(10):
            while not (count := await anext(stream)):
                pass
    assert count == 1


async def _stream(ingestion: Assembly) -> AsyncGenerator[int, None]:
    async for element in ingestion.stream.follow(StreamQuestion()):
        yield element.count


@pytest.mark.real_data
async def test_recorded_answers_of_the_country_are_collected_whole(
    ingestion: Assembly, replay: ReplayServer, real_data: Path
) -> None:
    samples = real_data / "api_samples"
    names = (
        "airkorea_getMsrstnList_items_nationwide_664.json",
        "airkorea_getCtprvnRltmMesureDnsty_ver1.0_nationwide_20260316T0800_items.json",
        "airkorea_ctprvn_seoul_2400.json",
        "airkorea_ctprvn_seoul_most_flags.json",
    )
    replay.replace(Recording.read([samples / name for name in names]))
    collected = [await ingestion.collector.collect() for _ in range(4)]
    assert [(c.saved.new, c.saved.corrected, c.saved.unchanged, c.rejected) for c in collected] == [
        (656, 0, 0, 16),
        (40, 0, 0, 0),
        (40, 0, 0, 0),
        (0, 0, 40, 0),
    ]
    stored = await _all(ingestion.store)
    assert len(stored) == 736
    assert {s.revision for s in stored} == {1}
    coverage = await ingestion.store.coverage()
    assert (coverage.stations, coverage.current_stations, coverage.simulated) == (656, 655, False)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_database_that_is_gone_for_a_while_is_an_outage_that_ends(
    ingestion: Assembly, postgres_server: PostgresServer
) -> None:
    await ingestion.collector.collect()
    postgres_server.kill()
    try:
        with pytest.raises(DatabaseUnavailable):
            await ingestion.collector.collect()
        outage = ingestion.collector.outage
    finally:
        postgres_server.start()
    assert outage is not None
    assert outage.code == "DATABASE_UNAVAILABLE"
    assert (await ingestion.collector.collect()).saved == Saved(unchanged=2)
    assert ingestion.collector.outage is None


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_the_tables_are_those_of_the_specification(ingestion: Assembly) -> None:
    async with ingestion.database.connect() as connection:
        columns = await connection.execute(
            text(
                "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable"
                " FROM information_schema.columns WHERE table_name = 'air_quality_readings' ORDER BY ordinal_position"
            )
        )
        found = [tuple(column) for column in columns][:16]
        indexes = await connection.execute(
            text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'air_quality_readings'")
        )
        definitions = {name: definition for name, definition in indexes}  # noqa: C416 - rows are no pairs to mypy
    stamp, number, letters = "timestamp with time zone", "numeric", "character varying"
    assert found == [
        ("id", "integer", None, 32, 0, "NO"),
        ("station_id", letters, 20, None, None, "NO"),
        ("station_name", letters, 100, None, None, "NO"),
        ("latitude", number, None, 10, 8, "NO"),
        ("longitude", number, None, 11, 8, "NO"),
        ("measured_at", stamp, None, None, None, "NO"),
        ("pm25", number, None, 6, 2, "YES"),
        ("pm10", number, None, 6, 2, "YES"),
        ("o3", number, None, 8, 4, "YES"),
        ("no2", number, None, 8, 4, "YES"),
        ("co", number, None, 8, 4, "YES"),
        ("so2", number, None, 8, 4, "YES"),
        ("air_quality_index", "integer", None, 32, 0, "YES"),
        ("grade", letters, 20, None, None, "YES"),
        ("created_at", stamp, None, None, None, "YES"),
        ("updated_at", stamp, None, None, None, "YES"),
    ]
    assert "(station_id, measured_at)" in definitions["idx_air_quality_station_time"]
    assert "(measured_at)" in definitions["idx_air_quality_measured_at"]
    assert "USING gist (st_point(" in definitions["idx_air_quality_location"]
