"""The simulated feed tells its stations' past and issues bulletins, as the client of production reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from air.index import Grade, grade_of, sub_index
from air.pollutants import Pollutant
from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.sources.airkorea import AirKorea
from simulation.air import KST, SimulatedAir, hour_number
from simulation.airkorea_server import HISTORY, Request
from simulation.bulletin import REGION, BulletinDesk
from simulation.feed import Feed, FeedServer, sites_of

_SEED: Final = 7
_HOUR: Final = timedelta(hours=1)
_NINE: Final = datetime(2026, 3, 16, 9, tzinfo=KST)
_NOW: Final = _NINE + timedelta(minutes=30)
_POLLUTANTS: Final = (Pollutant.PM10, Pollutant.PM25, Pollutant.O3)


def _clock() -> datetime:
    return _NOW


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedServer]:
    with FeedServer(_SEED, clock=_clock) as server:
        yield server


@pytest.fixture
async def source(feed: FeedServer, tmp_path: Path) -> AsyncIterator[AirKorea]:
    settings = IngestionSettings.model_validate({"airkorea_url": feed.url, "data_dir": tmp_path})
    async with AirKorea(settings, Unlimited(), _clock) as source:
        yield source


@pytest.fixture(scope="module")
def desk() -> BulletinDesk:
    return BulletinDesk(_SEED, SimulatedAir(_SEED, sites_of(_SEED)))


@pytest.mark.parametrize("hours", [5, 100, 1500], ids=["a day", "a month", "three months"])
async def test_a_station_has_a_past_as_far_back_as_it_is_asked_for(source: AirKorea, hours: int) -> None:
    station = sites_of(_SEED)[3].name
    rows = await source.history(station, _NINE - (hours - 1) * _HOUR)
    assert rows.rejected == ()
    assert {row.station_id for row in rows.readable} == {station}
    expected = [(_NINE - back * _HOUR).astimezone(UTC) for back in range(hours)]
    assert [row.measured_at for row in rows.readable] == expected


def test_the_past_is_what_was_published_hour_by_hour(feed: FeedServer) -> None:
    station = sites_of(_SEED)[0].name
    past = feed.feed.history_rows(station, 24, _NOW)
    assert past == [Feed(_SEED, _clock).measurement_rows(_NOW - back * _HOUR)[0] for back in range(24)]


async def test_an_unknown_station_has_no_past(source: AirKorea) -> None:
    assert (await source.history("없는곳", _NINE)).readable == ()


def test_a_period_that_there_is_not_is_refused(feed: FeedServer) -> None:
    assert b"INVALID_REQUEST_PARAMETER" in feed.feed(Request(HISTORY, {"stationName": "x", "dataTerm": "YEAR"})).body


async def test_bulletins_are_read_whole_and_as_simulated(source: AirKorea) -> None:
    rows = await source.bulletins(_NINE.date())
    assert rows.rejected == ()
    assert all(one.simulated and [grade.region for grade in one.grades] == [REGION] for one in rows.readable)
    assert {one.issued_at for one in rows.readable} == {(_NINE - 4 * _HOUR).astimezone(UTC)}
    told = {(one.target_date, one.pollutant) for one in rows.readable}
    assert told == {(date(2026, 3, day), pollutant) for day in (16, 17) for pollutant in _POLLUTANTS}


def test_nothing_is_issued_before_05_h_and_all_four_by_midnight(desk: BulletinDesk) -> None:
    midnight = datetime(2026, 3, 16, tzinfo=KST)
    counts = [
        len({row["dataTime"] for row in desk.rows("2026-03-16", midnight + timedelta(hours=hour, minutes=9))})
        for hour in (5, 6, 12, 18, 24)
    ]
    assert counts == [0, 1, 2, 3, 4]
    assert desk.rows("2026-03-17", midnight) == desk.rows("no day", midnight) == []
    # As of the real service, a day has more rows than it gives unless told how many are wanted.
    assert len(desk.rows("2026-03-16", midnight + timedelta(days=1))) > 10


def test_a_forecast_of_the_day_is_mostly_right_and_of_the_day_after_next_less_so(desk: BulletinDesk) -> None:
    words = {"좋음": Grade.GOOD, "보통": Grade.MODERATE, "나쁨": Grade.UNHEALTHY, "매우나쁨": Grade.VERY_UNHEALTHY}
    air = SimulatedAir(_SEED, sites_of(_SEED))
    hits: dict[int, list[bool]] = {0: [], 2: []}
    for number in range(0, 360, 5):
        day = date(2025, 1, 1) + timedelta(days=number)
        for row in desk.rows(day.isoformat(), datetime(2027, 1, 1, tzinfo=KST)):
            target = date.fromisoformat(str(row["informData"]))
            ahead = (target - day).days
            if row["informCode"] != "PM25" or ahead not in hits or "23시" not in str(row["dataTime"]):
                continue
            first = hour_number(datetime(target.year, target.month, target.day, tzinfo=KST)) + 1
            mean = float(air.concentrations(first, 24)[Pollutant.PM25].mean())
            forecast = words[str(row["informGrade"]).partition(" : ")[2]]
            hits[ahead].append(forecast is grade_of(sub_index(Pollutant.PM25, mean)))
    share = {ahead: sum(found) / len(found) for ahead, found in hits.items()}
    assert share[0] > 0.85
    assert 0.5 < share[2] < share[0]
