"""Rows judged by what is stored around them, and again when more is, over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from air.index import Grade
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from ingestion.intake import PlacedRow
from ingestion.quality.judge import JudgeInContext
from ingestion.quality.validation import Validated, Validator
from ingestion.quality.verdict import Check, Level
from ingestion.reading import RawMeasurement, RawValue, Reading, StoredReading, raw_number
from ingestion.store.quality import ContextStore
from ingestion.store.readings import ReadingStore, Saved
from mesh.database import Database
from tests.backing.postgres import PostgresServer
from tests.backing.tables import make_tables
from tests.ingestion.assembly import SettableClock, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT

_HOUR = timedelta(hours=1)
_QUIET = (20.0, 22.0, 21.0)


@dataclass(frozen=True, slots=True)
class Desk:
    """What judges, and what it judges by."""

    readings: ReadingStore
    context: ContextStore
    clock: SettableClock

    async def take(self, *rows: PlacedRow, history: bool = False) -> Saved:
        """Judges rows on arrival, and stores them."""
        judge = JudgeInContext(self.context, None if history else self.clock)
        return await self.readings.save(await judge.judge(rows), self.clock())

    async def validate(self) -> Validated:
        return await Validator(self.readings, self.context, self.clock).validate()

    async def stored(self, station: str = "중구", hour: int = 0) -> StoredReading:
        time = _hour(hour)
        (found,) = await self.readings.between(time, time + _HOUR, 10, station_ids=[station])
        return found

    async def level(self, check: Check, station: str = "중구", hour: int = 0) -> Level:
        found = await self.stored(station, hour)
        return found.reading.measurement.verdicts[Pollutant.PM25].level_of(check)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    url = None
    if request.param == "postgres":
        url = cast(PostgresServer, request.getfixturevalue("postgres_server")).new_database("ingestion")
    settings = quick_settings(tmp_path_factory.mktemp("quality"), "http://localhost", database_url=url)
    await make_tables(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    yield database
    await database.close()


@pytest.fixture
async def desk(database: Database) -> Desk:
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM air_quality_readings"))
    return Desk(ReadingStore(database), ContextStore(database), SettableClock(MEASURED_AT + timedelta(minutes=16)))


def _hour(hour: int) -> datetime:
    return MEASURED_AT + hour * _HOUR


def _row(
    hour: int, pm25: float | None, station: str = "중구", *, north: float = 0.0, flag: str | None = None, **raw: float
) -> PlacedRow:
    values = {Pollutant.PM25: RawValue(pm25, flag)} | {Pollutant(name): RawValue(value) for name, value in raw.items()}
    place = Station(station, station, Point(37.56 + north, 126.98), Network.URBAN)
    return PlacedRow(place, RawMeasurement(station, _hour(hour), values))


def _quiet(first: int, last: int) -> Sequence[PlacedRow]:
    return [_row(hour, _QUIET[hour % 3]) for hour in range(first, last + 1)]


async def test_a_spike_is_found_by_the_next_hour_and_told_once(desk: Desk) -> None:
    await desk.take(*_quiet(-5, -1), history=True)
    await desk.take(_row(0, 300.0))
    before = await desk.stored()
    assert before.reading.measurement.verdicts[Pollutant.PM25].checks(Level.SUSPECT) == (Check.STEP,)
    desk.clock.advance(hours=1)
    await desk.take(_row(1, 21.0))
    assert await desk.level(Check.STEP, hour=1) is Level.NOT_EVALUATED
    validated = await desk.validate()
    assert (validated.judged, validated.saved.corrected) == (7, 1)
    after = await desk.stored()
    assert after.reading.measurement.verdicts[Pollutant.PM25].level_of(Check.SPIKE) is Level.SUSPECT
    assert after.revision == before.revision + 1
    assert [change.sequence for change in await desk.readings.changes(before.sequence, 10)][-1] == after.sequence
    head = await desk.readings.head()
    assert await desk.validate() == Validated(judged=7)
    assert await desk.readings.head() == head


async def test_a_check_that_could_be_made_by_now_and_passed_is_no_news(desk: Desk) -> None:
    await desk.take(*_quiet(-5, 0), history=True)
    head = await desk.readings.head()
    assert await desk.level(Check.SPIKE, hour=0) is Level.NOT_EVALUATED
    desk.clock.advance(hours=1)
    await desk.take(*_quiet(1, 1))
    validated = await desk.validate()
    assert validated.saved.corrected == 0
    assert await desk.level(Check.SPIKE, hour=0) is Level.PASS
    assert (await desk.readings.head()).sequence == head.sequence + 1


async def test_a_run_repeated_later_changes_nothing(desk: Desk) -> None:
    rows = [*_quiet(-30, -2), _row(-1, 300.0), _row(0, 5000.0, flag="점검및교정")]
    assert await desk.take(*rows) == Saved(new=31)
    await desk.validate()
    head = await desk.readings.head()
    desk.clock.advance(hours=9)
    for some in (rows, rows[-1:], rows[3:9]):
        assert await desk.take(*some) == Saved(unchanged=len(some))
        await desk.validate()
    assert await desk.readings.head() == head


async def test_a_row_that_came_in_time_is_not_late_when_it_comes_again(desk: Desk) -> None:
    await desk.take(_row(0, 20.0))
    desk.clock.advance(hours=15)
    await desk.take(_row(0, 20.0), _row(-1, 21.0))
    assert await desk.level(Check.STALE) is Level.PASS
    assert await desk.level(Check.STALE, hour=-1) is Level.SUSPECT
    await desk.validate()
    assert await desk.level(Check.STALE, hour=-1) is Level.SUSPECT


async def test_the_arrival_of_history_is_not_held_against_it(desk: Desk) -> None:
    await desk.take(*_quiet(-9000, -8990), history=True)
    assert await desk.level(Check.STALE, hour=-8995) is Level.NOT_EVALUATED


async def test_a_value_that_stays_the_same_hour_by_hour_becomes_suspect_and_then_fails(desk: Desk) -> None:
    levels = []
    for hour in range(-24, 1):
        await desk.take(_row(hour, 35.0))
        levels.append(await desk.level(Check.STUCK, hour=hour))
    assert levels == sorted(levels)
    assert {Level.NOT_EVALUATED, Level.SUSPECT, Level.FAIL} == set(levels)
    stuck = (await desk.stored()).reading.measurement
    assert stuck.values == {}
    assert raw_number(stuck, Pollutant.PM25) == 35.0
    assert [flag.text for flag in stuck.flags] == ["cleanair: stuck"]


async def test_stations_around_are_read_from_the_store(desk: Desk) -> None:
    around = [_row(0, 20.0 + number, f"역{number}", north=0.01 * number) for number in range(1, 6)]
    await desk.take(*around)
    await desk.take(_row(0, 150.0))
    assert await desk.level(Check.NEIGHBOUR) is Level.SUSPECT


async def test_stations_that_come_later_are_seen_by_validation(desk: Desk) -> None:
    await desk.take(_row(0, 150.0))
    assert await desk.level(Check.NEIGHBOUR) is Level.NOT_EVALUATED
    await desk.take(*[_row(0, 20.0 + number, f"역{number}", north=0.01 * number) for number in range(1, 6)])
    assert (await desk.validate()).saved.corrected == 1
    assert await desk.level(Check.NEIGHBOUR) is Level.SUSPECT


async def test_a_failed_value_is_kept_and_judged_again_as_it_was(desk: Desk) -> None:
    await desk.take(*_quiet(-3, -1), _row(0, 5000.0, O3=5.3))
    stored = await desk.stored()
    assert raw_number(stored.reading.measurement, Pollutant.O3) == 5.3
    assert stored.reading.measurement.values == {}
    await desk.validate()
    assert (await desk.stored()).revision == stored.revision


async def test_what_the_network_corrects_is_judged_anew(desk: Desk) -> None:
    await desk.take(_row(0, 5000.0))
    assert await desk.level(Check.RANGE) is Level.FAIL
    assert await desk.take(_row(0, 50.0)) == Saved(corrected=1)
    assert (await desk.stored()).reading.measurement.values == {Pollutant.PM25: 50.0}


async def test_a_correction_that_comes_while_others_are_judged_stands(desk: Desk) -> None:
    await desk.take(_row(0, 20.0), _row(1, 21.0))
    seen = (await desk.readings.head()).sequence
    old = [(await desk.stored(hour=hour)).reading for hour in (0, 1)]
    await desk.take(_row(0, 30.0))
    changed = [_with_index(reading) for reading in old]
    assert await desk.readings.save(changed, desk.clock(), seen=seen) == Saved(corrected=1, unchanged=1)
    assert (await desk.stored()).reading.measurement.values == {Pollutant.PM25: 30.0}
    assert (await desk.stored(hour=1)).reading.measurement.air_quality_index == 77


def _with_index(reading: Reading) -> Reading:
    measurement = reading.measurement
    return Reading(
        reading.station,
        reading.measured_at,
        type(measurement)(measurement.values, (), 77, Grade.MODERATE, measurement.verdicts),
    )


async def test_the_index_is_reckoned_where_the_network_gives_none(desk: Desk) -> None:
    rows = [_row(hour, 10.0 + hour % 2, O3=0.02, NO2=0.01, PM10=20.0) for hour in range(-12, 1)]
    await desk.take(*rows[:-1], history=True)
    await desk.take(rows[-1])
    now, first = await desk.stored(), await desk.stored(hour=-12)
    assert now.reading.measurement.air_quality_index == 37  # 11 µg/m³ foreseen, 50 / 15 of it
    assert now.reading.measurement.grade is Grade.GOOD
    assert first.reading.measurement.air_quality_index is None


async def test_the_last_day_is_shown_in_figures(desk: Desk) -> None:
    stuck = [_row(hour, 35.0, "나") for hour in range(-11, 1)]
    await desk.take(*_quiet(-23, 0), *stuck, history=True)
    await desk.validate()

    def figure(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"cleanair_quality_{name}", {"pollutant": "PM25", **labels})

    assert figure("hours", level="SUSPECT") == 5 + 2  # of twelve, from the sixth of eight on
    assert figure("hours", level="PASS") == 24 + 12 - 7
    assert figure("completeness_ratio") == 36 / 48
    assert figure("faulty_stations", check="STUCK") == 1
    assert figure("fresh_stations") == 2


async def test_readings_come_in_the_order_of_their_rows(desk: Desk) -> None:
    rows = [_row(hour, 20.0, station) for hour in (0, -2000, -3, -200, 0) for station in ("나", "가")][:-2]
    judged = await JudgeInContext(desk.context).judge(rows)
    assert [(r.station.station_id, r.measured_at) for r in judged] == [
        (placed.station.station_id, placed.row.measured_at) for placed in rows
    ]
    assert await JudgeInContext(desk.context).judge([]) == []
