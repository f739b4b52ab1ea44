"""Bulletins are collected from the newest that is known on, and every hour of the day has one to show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from air.korea import KST
from ingestion.bulletin import Bulletin
from ingestion.bulletin_collection import BulletinCollector
from ingestion.quota import Unlimited
from ingestion.source import SourceRefused
from ingestion.sources.airkorea import AirKorea
from ingestion.store.bulletins import BulletinStore
from ingestion.store.readings import Saved
from mesh.database import Database
from simulation.airkorea_server import gateway_error
from simulation.replay import Fault, Recording, ReplayServer
from tests.backing.tables import make_tables
from tests.ingestion.assembly import SettableClock, quick_settings
from tests.ingestion.wire_rows import bulletin_row, measurement_row, station_row

_DAY = date(2026, 3, 16)
_ALWAYS = date(2000, 1, 1), date(2100, 1, 1)


def _issued(*times: str) -> Recording:
    """One bulletin a time, about that day."""
    rows = [bulletin_row(dataTime=f"{time}시 발표", informData=time.split()[0]) for time in times]
    return Recording([station_row()], [[measurement_row()]], rows)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 3, 16, 11, 20, tzinfo=KST))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BulletinStore]:
    settings = quick_settings(tmp_path, "http://localhost")
    await make_tables(settings, "ingestion")
    database = Database.open(settings, "ingestion")
    yield BulletinStore(database)
    await database.close()


@pytest.fixture
async def collector(
    tmp_path: Path, replay: ReplayServer, store: BulletinStore, clock: SettableClock
) -> AsyncIterator[BulletinCollector]:
    async with AirKorea(quick_settings(tmp_path, replay.url), Unlimited(), clock) as source:
        yield BulletinCollector(source, store, clock)


def _asked(replay: ReplayServer) -> list[str]:
    return [request.query["searchDate"] for request in replay.requests]


async def _known(store: BulletinStore) -> Sequence[Bulletin]:
    return await store.between(*_ALWAYS, include_superseded=True)


async def test_all_rows_of_a_day_come_though_a_page_has_ten_unless_told_otherwise(
    replay: ReplayServer, collector: BulletinCollector, store: BulletinStore
) -> None:
    days = [(_DAY + timedelta(days=ahead)).isoformat() for ahead in range(28)]
    rows = [bulletin_row(informData=day) for day in days]
    replay.replace(Recording([station_row()], [[measurement_row()]], rows))
    collected = await collector.collect()
    assert (collected.saved, collected.rejected) == (Saved(new=28), 0)
    assert len(await _known(store)) == 28
    assert "InformCode" not in replay.requests[0].query


async def test_a_second_collection_changes_nothing_and_asks_for_today_alone(
    replay: ReplayServer, collector: BulletinCollector
) -> None:
    replay.replace(_issued("2026-03-16 11", "2026-03-16 05"))
    assert (await collector.collect()).saved == Saved(new=2)
    assert (await collector.collect()).saved == Saved(unchanged=2)
    assert _asked(replay) == ["2026-03-15", "2026-03-16", "2026-03-16"]


async def test_before_05_h_yesterdays_is_what_there_is(
    replay: ReplayServer, collector: BulletinCollector, store: BulletinStore, clock: SettableClock
) -> None:
    clock.now = datetime(2026, 3, 16, 4, 30, tzinfo=KST)
    replay.replace(_issued("2026-03-15 23"))
    assert (await collector.collect()).saved == Saved(new=1)
    assert [one.issued_at for one in await _known(store)] == [datetime(2026, 3, 15, 14, tzinfo=UTC)]
    # Nothing of today is no fault: it is not asked for again at once.
    assert _asked(replay) == ["2026-03-15", "2026-03-16"]
    assert collector.outage is None


async def test_the_last_issue_of_a_day_is_not_lost_when_it_is_fetched_the_day_after(
    replay: ReplayServer, collector: BulletinCollector, store: BulletinStore, clock: SettableClock
) -> None:
    replay.replace(_issued("2026-03-16 17"))
    await collector.collect()
    replay.replace(_issued("2026-03-17 05", "2026-03-16 23", "2026-03-16 17"))
    clock.now = datetime(2026, 3, 17, 6, tzinfo=KST)
    assert (await collector.collect()).saved == Saved(new=2, unchanged=1)
    assert len(await _known(store)) == 3


async def test_after_days_of_silence_all_of_them_are_asked_for_but_a_week_at_most(
    replay: ReplayServer, collector: BulletinCollector, clock: SettableClock
) -> None:
    replay.replace(_issued("2026-03-16 11"))
    await collector.collect()
    clock.advance(days=3)
    await collector.collect()
    assert _asked(replay)[2:] == ["2026-03-16", "2026-03-17", "2026-03-18", "2026-03-19"]
    clock.advance(days=100)
    before = len(replay.requests)
    await collector.collect()
    assert len(replay.requests) - before == 8


async def test_what_cannot_be_read_is_counted_and_told(replay: ReplayServer, collector: BulletinCollector) -> None:
    rows = [bulletin_row(), bulletin_row(informCode="O3", informGrade="서울 : 최고")]
    replay.replace(Recording([station_row()], [[measurement_row()]], rows))
    with capture_logs() as logs:
        collected = await collector.collect()
    assert (collected.saved.new, collected.rejected) == (1, 1)
    told = [(entry["subject"], entry["reason"]) for entry in logs if entry["event"] == "bulletin rejected"]
    assert told == [("O3 2026-03-16", "unreadable grades")]


async def test_an_outage_is_known_until_it_ends(replay: ReplayServer, collector: BulletinCollector) -> None:
    replay.replace(_issued("2026-03-16 11"))
    replay.fail(Fault(gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR")))
    with pytest.raises(SourceRefused):
        await collector.collect()
    assert collector.outage is not None
    assert collector.outage.code == "30"
    replay.fail(None)
    await collector.collect()
    assert collector.outage is None
