"""The readings by month: made ahead, made for history, dropped when too old; and what was stored before that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import ingestion
from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.quality.verdict import Verdict
from ingestion.reading import Measurement, Reading
from ingestion.settings import IngestionSettings
from ingestion.store.partitions import Partitions
from ingestion.store.readings import ReadingStore, Saved
from mesh.database import Database, upgrade
from tests.ingestion.assembly import quick_settings

NOW = datetime(2026, 3, 16, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> IngestionSettings:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    return quick_settings(tmp_path, "http://127.0.0.1:9", database_url=url)


@pytest.fixture
async def database(settings: IngestionSettings) -> AsyncIterator[Database]:
    opened = Database.open(settings, "ingestion")
    yield opened
    await opened.close()


def _reading(hour: datetime, value: float = 1.0) -> Reading:
    return Reading(Station("중구", "중구", Point(37.5, 127.0)), hour, Measurement({Pollutant.PM25: value}))


async def _months(database: Database) -> list[str]:
    async with database.connect() as connection:
        rows = await connection.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'air_quality_readings'::regclass")
        )
        return sorted(name.removeprefix("air_quality_readings_") for name in rows.scalars())


async def test_readings_of_any_month_find_room(settings: IngestionSettings, database: Database) -> None:
    await upgrade(settings, "ingestion")
    store = ReadingStore(database)
    hours = [datetime(1999, 12, 31, 23, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC), NOW]
    assert await store.save([_reading(hour) for hour in hours], NOW) == Saved(new=3)
    assert [stored.reading.measured_at for stored in await store.changes(0, 10)] == hours
    assert await store.save([_reading(hour) for hour in hours], NOW) == Saved(unchanged=3)


async def test_replicas_that_make_the_same_month_at_once_do_not_collide(
    settings: IngestionSettings, database: Database
) -> None:
    await upgrade(settings, "ingestion")
    stores = [ReadingStore(database) for _ in range(6)]
    saved = await asyncio.gather(*(store.save([_reading(NOW)], NOW) for store in stores))
    assert sum(one.new for one in saved) == 1


async def test_what_is_older_than_what_is_kept_goes_and_months_ahead_come(
    settings: IngestionSettings, database: Database
) -> None:
    await upgrade(settings, "ingestion")
    store, partitions = ReadingStore(database), Partitions(database)
    kept, dropped = datetime(2025, 12, 1, tzinfo=UTC), datetime(2025, 11, 30, 23, tzinfo=UTC)
    await store.save([_reading(kept), _reading(dropped)], NOW)
    assert await partitions.keep_up(NOW, months_ahead=2, months_kept=3) == 1
    assert [stored.reading.measured_at for stored in await store.changes(0, 10)] == [kept]
    assert await partitions.keep_up(NOW, months_ahead=2, months_kept=3) == 0
    if database.is_postgres:
        assert await _months(database) == ["2025_12", "2026_03", "2026_04", "2026_05"]
    # What was dropped may come back, by hand: the next upkeep takes it again.
    assert await ReadingStore(database).save([_reading(dropped)], NOW) == Saved(new=1)


async def test_what_was_stored_before_there_were_months_is_kept_in_its_order(
    settings: IngestionSettings, database: Database
) -> None:
    def first_revision(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(ingestion.__path__[0]) / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    async with database.begin() as connection:
        await connection.run_sync(first_revision)
        for number, hour in enumerate(("2025-12-31 23:00:00+00", "2026-01-01 00:00:00+00", "2026-03-01 00:00:00+00")):
            await connection.execute(
                text(
                    "INSERT INTO air_quality_readings (station_id, station_name, latitude, longitude, measured_at,"
                    " pm25, network, simulated, flags, revision, sequence)"
                    " VALUES ('중구', '중구', 37.5, 127, :hour, 5, 'URBAN', false, '[]', 1, :number)"
                ),
                {
                    "hour": datetime.fromisoformat(hour) if database.is_postgres else f"{hour[:19]}.000000",
                    "number": number + 1,
                },
            )
        await connection.execute(text("UPDATE reading_log SET sequence = 3"))
    await upgrade(settings, "ingestion")
    store = ReadingStore(database)
    assert [(s.sequence, s.reading.measurement.values) for s in await store.changes(0, 10)] == [
        (number, {Pollutant.PM25: 5.0}) for number in (1, 2, 3)
    ]
    again = datetime(2026, 1, 1, tzinfo=UTC)
    assert await store.save([_reading(again, 6.0), _reading(NOW)], NOW) == Saved(new=1, corrected=1)
    assert [s.sequence for s in await store.changes(0, 10)] == [1, 3, 4, 5]


async def test_a_verdict_that_says_the_same_is_no_correction(settings: IngestionSettings, database: Database) -> None:
    await upgrade(settings, "ingestion")
    store = ReadingStore(database)

    def judged(verdict: int) -> list[Reading]:
        verdicts = {Pollutant.PM25: Verdict(verdict)}
        measurement = Measurement({Pollutant.PM25: 1.0}, verdicts=verdicts)
        return [Reading(Station("중구", "중구", Point(37.5, 127.0)), NOW, measurement)]

    assert await store.save(judged(11122221), NOW) == Saved(new=1)
    # The spike can be looked for once the next hour is known; nothing is found.
    assert await store.save(judged(11112221), NOW) == Saved(unchanged=1)
    [stored] = await store.changes(0, 10)
    assert (stored.revision, stored.reading.measurement.verdicts) == (1, {Pollutant.PM25: 11112221})
    assert await store.save(judged(31132221), NOW) == Saved(corrected=1)
    [stored] = await store.changes(0, 10)
    assert (stored.revision, stored.reading.measurement.verdicts) == (2, {Pollutant.PM25: 31132221})


async def test_what_is_known_can_be_left_as_it_is(settings: IngestionSettings, database: Database) -> None:
    await upgrade(settings, "ingestion")
    store = ReadingStore(database)
    await store.save([_reading(NOW, 1.0)], NOW)
    later = datetime(2026, 3, 16, 1, tzinfo=UTC)
    assert await store.save([_reading(NOW, 2.0), _reading(later)], NOW, keep_known=True) == Saved(new=1, unchanged=1)
    assert [s.reading.measurement.values[Pollutant.PM25] for s in await store.changes(0, 10)] == [1.0, 1.0]
