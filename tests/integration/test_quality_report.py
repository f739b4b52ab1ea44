"""The report against counts made by hand from the same readings, over both databases."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import text

from air.korea import KST
from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.quality.report import DayQuality, ReportQuestion, quality_report
from ingestion.quality.verdict import ABSENT, Check, Level, Verdict
from ingestion.reading import InstrumentFlag, Measurement, Reading
from ingestion.store.quality_report import QualityReportStore
from ingestion.store.readings import ReadingStore
from mesh.database import Database
from mesh.page_token import InvalidPageToken
from tests.backing.postgres import PostgresServer
from tests.backing.tables import make_tables
from tests.ingestion.assembly import SettableClock, quick_settings

_NOW = datetime(2026, 3, 16, 9, 16, tzinfo=KST).astimezone(UTC)
_STATIONS = ("가", "나", "다", "라", "마")


@dataclass(frozen=True, slots=True)
class Desk:
    readings: ReadingStore
    report: QualityReportStore

    async def page(self, now: datetime = _NOW, **question: object) -> tuple[Sequence[DayQuality], str]:
        asked = ReportQuestion(**question)  # type: ignore[arg-type]
        page = await quality_report(self.report, asked, SettableClock(now))
        return page.rows, page.next_page_token


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
    return Desk(ReadingStore(database), QualityReportStore(database))


def _reading(station: str, hour: datetime, verdicts: dict[Pollutant, Verdict]) -> Reading:
    usable = {p: 20.0 for p, verdict in verdicts.items() if verdict.level in {Level.PASS, Level.SUSPECT}}
    failed = tuple(InstrumentFlag(p, "cleanair: range", 9e3) for p, v in verdicts.items() if v.level is Level.FAIL)
    place = Station(station, station, Point(37.5, 127.0))
    return Reading(place, hour, Measurement(usable, failed, verdicts=verdicts))


def _some_verdict(chance: random.Random) -> Verdict:
    if chance.random() < 0.1:
        return ABSENT
    levels = (Level.PASS, Level.NOT_EVALUATED, Level.SUSPECT, Level.FAIL)
    return Verdict.of({check: chance.choices(levels, (20, 5, 1, 1))[0] for check in Check})


async def test_every_count_is_that_made_by_hand(desk: Desk) -> None:
    chance = random.Random(1)  # noqa: S311 - makes data, guards nothing
    midnight = datetime(2026, 3, 14, tzinfo=KST)
    readings = [
        _reading(station, midnight + timedelta(hours=hour), {p: _some_verdict(chance) for p in Pollutant})
        for station in _STATIONS
        for hour in range(-5, 58)
        if chance.random() < 0.9
    ]
    await desk.readings.save(readings, _NOW)
    rows, token = await desk.page(days=3)
    assert token == ""
    assert [(row.counts.station_id, row.counts.day, row.counts.pollutant) for row in rows] == [
        (station, date(2026, 3, day), pollutant)
        for station in _STATIONS
        for day in (14, 15, 16)
        for pollutant in Pollutant
    ]
    for row in rows:
        counts = row.counts
        # 24:00 is the last hour of its day, 00:00 none.
        start = datetime.combine(counts.day, datetime.min.time(), KST)
        own = [
            reading
            for reading in readings
            if reading.station.station_id == counts.station_id
            and start < reading.measured_at <= start + timedelta(days=1)
        ]
        verdicts = [(reading, reading.measurement.verdicts[counts.pollutant]) for reading in own]
        levels = [verdict.level for _, verdict in verdicts]
        assert counts.measured == len(levels) - levels.count(Level.MISSING)
        assert counts.passed == levels.count(Level.PASS)
        assert counts.suspect == levels.count(Level.SUSPECT)
        assert counts.failed == levels.count(Level.FAIL)
        assert counts.usable == counts.passed + counts.suspect
        spoken = [check for _, v in verdicts for level in (Level.SUSPECT, Level.FAIL) for check in v.checks(level)]
        assert counts.checks == {check: spoken.count(check) for check in Check if check in spoken}
        measured = [reading.measured_at for reading, verdict in verdicts if verdict.level is not Level.MISSING]
        assert counts.newest_measured_at == max(measured, default=None)
        assert row.expected == (9 if counts.day == date(2026, 3, 16) else 24)
        assert row.completeness == pytest.approx(counts.usable / row.expected)


async def test_pages_go_by_station_and_stay_in_the_days_of_the_first(desk: Desk) -> None:
    passed = {Pollutant.PM25: Verdict.of({Check.RANGE: Level.PASS})}
    await desk.readings.save([_reading(station, _NOW.replace(minute=0), passed) for station in _STATIONS], _NOW)
    seen: list[list[str]] = []
    token = ""
    while True:
        rows, token = await desk.page(_NOW + timedelta(days=len(seen)), page_size=2, page_token=token)
        seen.append([row.counts.station_id for row in rows if row.counts.measured])
        assert {row.counts.day for row in rows} == {date(2026, 3, 16)}
        if not token:
            break
    assert seen == [["가", "나"], ["다", "라"], ["마"]]
    with pytest.raises(InvalidPageToken):
        await desk.page(page_token="AAAA")


async def test_a_silent_station_that_is_asked_for_has_nothing_of_what_should_be_there(desk: Desk) -> None:
    rows, _ = await desk.page(station_ids=["없음"], days=2)
    assert {(row.completeness, row.counts.newest_measured_at) for row in rows} == {(0.0, None)}
    assert len(rows) == 2 * len(Pollutant)


async def test_before_the_first_hour_is_published_nothing_is_missing(desk: Desk) -> None:
    rows, _ = await desk.page(datetime(2026, 3, 16, 1, 5, tzinfo=KST), station_ids=["가"])
    assert {(row.expected, row.completeness) for row in rows} == {(0, 1.0)}
