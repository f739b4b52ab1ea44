"""After downtime, what was missed is asked for afterwards, within what the day allows, until nothing is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.catch_up import Bounds, CatchUp, Past
from ingestion.collection import Collector
from ingestion.gap import unsettled
from ingestion.quota import DailyQuota
from ingestion.run import Outcome
from ingestion.running import Runner
from ingestion.schedule import Schedule
from ingestion.settings import IngestionSettings
from ingestion.sources.airkorea import AirKorea
from ingestion.store.gaps import GapStore
from ingestion.store.quotas import QuotaStore
from mesh.lock import InProcessLocks
from simulation.feed import FeedServer, sites_of
from tests.ingestion.assembly import Assembly, SettableClock, assembled, quick_settings

_SEED = 7
_STATIONS = len(sites_of(_SEED))
_START = datetime(2026, 3, 16, 0, 26, tzinfo=UTC)
_OUT_HOURS = 9
_DAY_HOURS = 24


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(_START)


@pytest.fixture
def feed(clock: SettableClock) -> Iterator[FeedServer]:
    with FeedServer(_SEED, clock=clock) as server:
        yield server


@pytest.fixture
def settings(feed: FeedServer, tmp_path: Path) -> IngestionSettings:
    return quick_settings(tmp_path, feed.url, catch_up_days=1)


@pytest.fixture
async def ingestion(settings: IngestionSettings, clock: SettableClock) -> AsyncIterator[Assembly]:
    async with assembled(settings, clock=clock) as parts:
        yield parts


@asynccontextmanager
async def _running(ingestion: Assembly) -> AsyncIterator[None]:
    """The schedule, and the catching up that it wakes, as in the server."""
    schedule = Schedule(ingestion.jobs.due(), ingestion.clock, spread_seconds=0.0)
    tasks = [asyncio.create_task(work) for work in (schedule.run(), ingestion.catch_up.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)


async def _until_whole(ingestion: Assembly) -> None:
    """Returns when nothing of the last day is missing."""
    gaps, now = GapStore(ingestion.database), _hour(ingestion.clock.now)
    async with asyncio.timeout(30):
        while True:
            seen = ingestion.bell.rings
            is_current = (await ingestion.store.coverage()).newest_measured_at == now
            if is_current and not await gaps.gaps(ingestion.collector.reporting, now - timedelta(days=1)):
                return
            await ingestion.bell.wait(seen, 1.0)


async def _contents(ingestion: Assembly) -> dict[tuple[str, datetime], object]:
    stored = await ingestion.store.changes(0, 100_000)
    assert {one.revision for one in stored} == {1}
    return {(one.reading.station.station_id, one.reading.measured_at): one.reading.measurement.values for one in stored}


async def test_neither_a_beginning_nor_an_outage_of_hours_leaves_holes(
    ingestion: Assembly, settings: IngestionSettings, clock: SettableClock, tmp_path: Path
) -> None:
    async with _running(ingestion):
        await _until_whole(ingestion)
    clock.advance(hours=_OUT_HOURS)
    async with _running(ingestion):
        await _until_whole(ingestion)
    # One that was there all the time is the judge.
    clock.now = _START - timedelta(hours=_DAY_HOURS)
    async with assembled(settings.model_copy(update={"data_dir": tmp_path / "other"}), clock=clock) as steady:
        for _ in range(1 + _DAY_HOURS + _OUT_HOURS):
            await steady.collector.collect()
            clock.advance(hours=1)
        stored, truth = await _contents(ingestion), await _contents(steady)
        assert len(truth) == _STATIONS * (1 + _DAY_HOURS + _OUT_HOURS)
        assert {key: stored.get(key) for key in truth} == truth


def test_an_hour_that_was_not_seen_again_is_unsettled_once_it_is_over() -> None:
    midnight = datetime(2026, 3, 16, tzinfo=UTC)
    looks = [midnight + timedelta(minutes=minute) for minute in (15, 25, 75, 4 * 60 + 40)]
    hours = unsettled(looks, timedelta(minutes=25), midnight + timedelta(hours=6, minutes=15))
    # At 0 h and 4 h it was looked at late enough, at 1 h too early, at 2, 3 and 5 h not at all; 6 h is not over.
    assert [(hour - midnight) // timedelta(hours=1) for hour in hours] == [1, 2, 3, 5]
    assert unsettled([], timedelta(minutes=25), midnight) == []


async def test_a_value_that_came_while_nobody_looked_is_asked_for(
    ingestion: Assembly, settings: IngestionSettings, clock: SettableClock
) -> None:
    """Some values of an hour come at :20: who saw it at :16, and not at :25, lacks them."""
    for hour in range(_DAY_HOURS):
        clock.now = _START + timedelta(hours=hour, minutes=-10)
        await ingestion.jobs.collect_readings()
    early = len(await ingestion.store.changes(0, 100_000))
    assert 0 < (await ingestion.catch_up.fill()).saved.corrected < early / 10
    assert (await ingestion.catch_up.fill()).stations == 0


async def test_history_leaves_the_rest_of_the_day_to_the_collections(
    ingestion: Assembly, settings: IngestionSettings, clock: SettableClock
) -> None:
    await ingestion.collector.collect()
    clock.advance(hours=_OUT_HOURS)
    service = ingestion.source.history_service
    quota = DailyQuota(QuotaStore(ingestion.database), {service: 2 * _STATIONS}, clock)
    async with AirKorea(settings, quota, clock) as source:
        collector = Collector(source, ingestion.store, ingestion.stations, ingestion.bell, clock)
        await collector.collect()
        left = await quota.left(service)
        runner = Runner(ingestion.runs, InProcessLocks(), clock)
        gaps = GapStore(ingestion.database)
        past = Past(source, collector.intake, quota, timedelta(minutes=25))
        two_days = timedelta(days=2)
        catch_up = CatchUp(collector, past, gaps, runner, clock, Bounds(two_days, share=0.25, reserve=5))
        first = await catch_up.fill()
        assert first.stations == (left + 3) // 4
        assert first.waiting == _STATIONS - first.stations
        assert await quota.left(service) == left - first.stations
        # Another day, another process: what is missing is seen in the store.
        clock.advance(days=1)
        again = CatchUp(collector, past, gaps, runner, clock, Bounds(two_days, share=1.0, reserve=0))
        assert (await again.fill()).stations == _STATIONS - first.stations
    assert not await gaps.gaps(collector.reporting, _hour(clock.now - two_days))
    assert [run.outcome for run in await ingestion.runs.of_feed("airkorea-history")] == [Outcome.COLLECTED] * 2
