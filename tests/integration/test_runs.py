"""Runs over both databases: one a slot, on record, fenced when they wake up too late, within the day's quota."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.account import Account
from ingestion.quota import DailyQuota
from ingestion.reading import Measurement, Reading
from ingestion.run import Counts, Fence, Outcome
from ingestion.running import Runner
from ingestion.shared_account import SharedAccounts
from ingestion.source import SourceError, SourceQuotaExceeded, SourceUnavailable
from ingestion.store.fences import Fenced
from ingestion.store.quotas import QuotaStore
from ingestion.store.readings import ReadingStore, Saved
from ingestion.store.runs import RunStore
from mesh.bell import Bell
from mesh.database import Database
from mesh.lock import InProcessLocks
from mesh.redis_lock import RedisLocks
from mesh.settings import MeshSettings
from tests.backing.redis_server import RedisServer
from tests.backing.tables import make_tables
from tests.ingestion.assembly import SettableClock

SLOT = datetime(2026, 3, 16, 0, 15, tzinfo=UTC)
SERVICE = "ArpltnInforInqireSvc"


@dataclass(frozen=True, slots=True)
class Brought:
    saved: Saved
    rejected: int = 0


@pytest.fixture(params=["sqlite", "postgres"])
async def databases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Database]]:
    """Three replicas' ways to one database."""
    url = cast(str, request.getfixturevalue("postgres_ingestion_url")) if request.param == "postgres" else None
    settings = MeshSettings(data_dir=tmp_path, database_url=None if url is None else SecretStr(url))
    await make_tables(settings, "ingestion")
    replicas = [Database.open(settings, "ingestion") for _ in range(3)]
    yield replicas
    for database in replicas:
        await database.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(SLOT)


@pytest.fixture
def runs(databases: list[Database]) -> RunStore:
    return RunStore(databases[0])


def _reading(value: float) -> Reading:
    return Reading(
        Station("역", "역", Point(37.5, 127.0)), SLOT.replace(minute=0), Measurement({Pollutant.PM25: value})
    )


async def test_three_replicas_collect_a_slot_once_and_the_others_say_so(
    databases: list[Database], clock: SettableClock, runs: RunStore, redis_url: str
) -> None:
    asked = 0

    async def collect(fence: Fence | None) -> Brought:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        return Brought(Saved(new=3, unchanged=1), rejected=2)

    async with AsyncExitStack() as stack:
        runners = []
        for database in databases:
            locks = RedisLocks(redis_url)
            stack.push_async_callback(locks.close)
            runners.append(Runner(RunStore(database), locks, clock))
        outcomes = await asyncio.gather(*(runner.run("airkorea", SLOT, collect) for runner in runners * 2))
        assert sorted(outcome is None for outcome in outcomes) == [False, *[True] * 5]
        assert asked == 1
        # A person who asks is not told that somebody else has asked before.
        assert await runners[0].run("airkorea", None, collect) is not None
    by_person, scheduled = await runs.of_feed("airkorea")
    assert (by_person.slot, scheduled.slot) == (None, SLOT)
    assert scheduled.outcome is Outcome.COLLECTED
    assert scheduled.counts == Counts(new=3, unchanged=1, rejected=2)
    assert scheduled.token is not None


async def test_a_holder_that_is_paused_beyond_its_lock_can_write_no_more(
    databases: list[Database], clock: SettableClock, runs: RunStore
) -> None:
    store = ReadingStore(databases[0])
    passing = 0.0
    locks = InProcessLocks(lambda: passing)
    first, second = (Runner(RunStore(database), locks, clock) for database in databases[:2])
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def paused(fence: Fence | None) -> Brought:
        reached.set()
        await go_on.wait()
        return Brought(await store.save([_reading(1.0)], clock(), fence=fence))

    async def quick(fence: Fence | None) -> Brought:
        return Brought(await store.save([_reading(2.0)], clock(), fence=fence))

    late = asyncio.create_task(first.run("airkorea", SLOT, paused))
    await reached.wait()
    passing += 3600.0
    assert await second.run("airkorea", SLOT, quick) is not None
    go_on.set()
    with pytest.raises(Fenced):
        await late
    (stored,) = await store.changes(0, 10)
    assert (stored.reading.measurement.values[Pollutant.PM25], stored.revision) == (2.0, 1)
    assert [run.outcome for run in await runs.of_feed("airkorea")] == [Outcome.COLLECTED, Outcome.ABANDONED]
    # Another feed's turn is its own.
    await store.save([_reading(3.0)], clock(), fence=Fence("openaq", 1))


async def test_a_failed_slot_is_on_record_and_is_collected_when_it_is_tried_again(
    databases: list[Database], clock: SettableClock, runs: RunStore
) -> None:
    runner = Runner(runs, InProcessLocks(), clock)
    errors: list[SourceError] = [SourceUnavailable("away", code="HTTP_503"), SourceUnavailable("away", code="TIMEOUT")]

    async def collect(fence: Fence | None) -> Brought:
        clock.advance(minutes=1)
        if errors:
            raise errors.pop(0)
        return Brought(Saved(new=1))

    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            await runner.run("airkorea", SLOT, collect)
    (account,) = await runs.accounts()
    assert (account.last_success, account.failing_since) == (None, SLOT + timedelta(minutes=1))
    assert account.error_code == "TIMEOUT"
    assert await runner.run("airkorea", SLOT, collect) is not None
    assert await runner.run("airkorea", SLOT, collect) is None
    (account,) = await runs.accounts()
    assert (account.last_success, account.failing_since) == (SLOT + timedelta(minutes=3), None)
    assert [run.error_code for run in await runs.of_feed("airkorea")] == [None, "TIMEOUT", "HTTP_503"]
    assert await runs.prune(SLOT + timedelta(minutes=2)) == 2
    assert len(await runs.of_feed("airkorea")) == 1


async def test_an_outage_that_one_replica_sees_is_seen_by_all_and_ended_by_any(
    databases: list[Database], clock: SettableClock
) -> None:
    bell, locks = Bell(), InProcessLocks()
    seen = [Account("airkorea", clock) for _ in databases]
    replicas = [Runner(RunStore(database), locks, clock) for database in databases]
    shared = [
        SharedAccounts({"airkorea": account}, RunStore(database), bell, 1.0)
        for account, database in zip(seen, databases, strict=True)
    ]

    async def collect(number: int, error: SourceError | None) -> None:
        async def work(fence: Fence | None) -> Brought:
            with seen[number].attempt():
                if error is not None:
                    raise error
            seen[number].succeeded(Saved(new=1), rejected=0, newest=None)
            return Brought(Saved(new=1))

        clock.advance(minutes=1)
        await replicas[number].run("airkorea", None, work)

    async def told() -> list[str | None]:
        rings = bell.rings
        for one in shared:
            await one.read()
        outages = [one.by_feed["airkorea"].outage for one in shared]
        # Those who did not see it themselves heard of it now.
        assert bell.rings > rings
        return [None if outage is None else outage.code for outage in outages]

    for number in (0, 1):
        with pytest.raises(SourceUnavailable):
            await collect(number, SourceUnavailable("away", code="HTTP_503"))
    assert await told() == ["HTTP_503"] * 3
    await collect(2, None)
    assert await told() == [None] * 3
    assert {one.by_feed["airkorea"].last_success for one in shared} == {clock()}
    with pytest.raises(SourceUnavailable):
        await collect(1, SourceUnavailable("away", code="TIMEOUT"))
    assert await told() == ["TIMEOUT"] * 3


async def test_without_the_lock_a_slot_is_collected_all_the_same(
    databases: list[Database], clock: SettableClock, runs: RunStore, redis_server: RedisServer
) -> None:
    locks = RedisLocks(redis_server.url)
    redis_server.kill()
    try:
        fences = []

        async def collect(fence: Fence | None) -> Brought:
            fences.append(fence)
            return Brought(Saved(new=1))

        assert await Runner(runs, locks, clock).run("airkorea", SLOT, collect) is not None
        assert await Runner(runs, locks, clock).run("airkorea", SLOT, collect) is None
    finally:
        redis_server.start()
        await locks.close()
    assert fences == [None]
    (run,) = await runs.of_feed("airkorea")
    assert (run.token, run.outcome) == (None, Outcome.COLLECTED)


async def test_a_quota_is_kept_by_all_replicas_together_and_warned_of_once(
    databases: list[Database], clock: SettableClock
) -> None:
    quotas = [DailyQuota(QuotaStore(database), {SERVICE: 20}, clock) for database in databases]
    with capture_logs() as logs:
        outcomes = await asyncio.gather(*(q.take(SERVICE) for q in quotas * 10), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 20
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(refused) == 10
    assert all(isinstance(outcome, SourceQuotaExceeded) for outcome in refused)
    assert [(log["log_level"], log["used"], log["limit"]) for log in logs] == [("warning", 16, 20)]
    assert await quotas[0].left(SERVICE) == 0


async def test_a_quota_begins_anew_at_midnight_in_korea_and_not_at_a_restart(
    databases: list[Database], clock: SettableClock
) -> None:
    clock.now = datetime(2026, 3, 16, 14, 59, tzinfo=UTC)
    await DailyQuota(QuotaStore(databases[0]), {SERVICE: 1}, clock).take(SERVICE)
    with pytest.raises(SourceQuotaExceeded):
        await DailyQuota(QuotaStore(databases[1]), {SERVICE: 1}, clock).take(SERVICE)
    clock.advance(minutes=1)
    await DailyQuota(QuotaStore(databases[1]), {SERVICE: 1}, clock).take(SERVICE)
