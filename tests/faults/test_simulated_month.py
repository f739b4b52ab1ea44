"""A month of a troubled network, and of our own troubles: at the end the store holds what was measured, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from air.pollutants import Pollutant
from ingestion.collecting import Collecting, Workshop
from ingestion.feeds import chosen, opened
from ingestion.quota import DailyQuota
from ingestion.reading import raw_number
from ingestion.run import Outcome
from ingestion.settings import IngestionSettings
from ingestion.slots import READINGS
from ingestion.source import SourceError
from ingestion.store.quotas import QuotaStore
from ingestion.store.readings import ReadingStore
from ingestion.store.runs import RunStore
from mesh.bell import Bell
from mesh.database import Database
from mesh.errors import Unavailable
from mesh.redis_lock import open_locks
from simulation.airkorea_server import AirKoreaServer
from tests.backing.tables import make_tables
from tests.faults.troubled_network import HOUR, Month, TroubledNetwork
from tests.ingestion.assembly import SettableClock, quick_settings

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
RETRIES: Final = (0, 1, 4)
"""The minutes after a slot at which what failed is tried again, about as the schedule does."""
_LAST_LOOK: Final = timedelta(minutes=max(READINGS.minutes))


@asynccontextmanager
async def collecting(settings: IngestionSettings, clock: SettableClock) -> AsyncIterator[Collecting]:
    """What collects, put together as the server does."""
    await make_tables(settings, "ingestion")
    database, locks = Database.open(settings, "ingestion"), open_locks(settings)
    quota = DailyQuota(QuotaStore(database), {}, clock)
    try:
        async with opened(chosen(settings), settings, quota, clock) as feeds:
            yield Workshop(settings, database, quota, locks, Bell(), clock).collecting(feeds)
    finally:
        await locks.close()
        await database.close()


async def live_through(network: TroubledNetwork, month: Month, settings: IngestionSettings) -> None:
    """Collects twice an hour and catches up, as the schedule has it, but for the times when the server is down."""
    clock = SettableClock(START)
    slots = [hour * HOUR + timedelta(minutes=minute) for hour in range(month.hours) for minute in READINGS.minutes]
    for is_down, some in groupby(slots, lambda slot: any(down.holds(slot / HOUR) for down in month.downtimes)):
        if is_down:
            continue
        async with collecting(settings, clock) as parts:
            for slot in some:
                await collect(parts, network, clock, month, START + slot)
                for catch_up in parts.catch_ups if slot % HOUR >= _LAST_LOOK else ():
                    await catch_up.fill()


async def collect(
    parts: Collecting, network: TroubledNetwork, clock: SettableClock, month: Month, slot: datetime
) -> None:
    for minutes in RETRIES:
        network.now = slot + timedelta(minutes=minutes)
        passed = (network.now - START) / HOUR
        skew = sum(skew.minutes for skew in month.skews if skew.holds(passed))
        clock.now = network.now + timedelta(minutes=skew)
        try:
            await parts.jobs.collect_readings(slot=READINGS.latest(clock.now))
        except SourceError as error:
            if not isinstance(error, Unavailable):
                return
        else:
            return


@pytest.mark.parametrize("days", [3, pytest.param(30, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
async def test_at_the_end_of_the_month_the_store_equals_the_truth(days: int, tmp_path: Path) -> None:
    month = Month.of(24 * days)
    network = TroubledNetwork(START, month)
    with AirKoreaServer(network) as server:
        settings = quick_settings(tmp_path, server.url, airkorea_attempts=2)
        await live_through(network, month, settings)

    database = Database.open(settings, "ingestion")
    stored = await ReadingStore(database).changes(0, 100_000)
    outcomes = Counter(run.outcome for run in await RunStore(database).of_feed("airkorea", 10_000))
    await database.close()
    rows = {(one.reading.station.station_id, one.reading.measured_at): one for one in stored}
    assert len(rows) == len(stored)
    found = {
        key: {p: number for p in Pollutant if (number := raw_number(one.reading.measurement, p)) is not None}
        for key, one in rows.items()
    }
    truth = network.truth
    assert not truth.keys() - found.keys(), "lost"
    assert not found.keys() - truth.keys(), "never measured"
    assert {key: (found[key], truth[key]) for key in truth if found[key] != truth[key]} == {}
    # There was trouble, and it left its marks: failures on record, and values that were filled in later.
    assert network.troubles > days * 20
    assert outcomes[Outcome.FAILED] > days * 3
    assert outcomes[Outcome.COLLECTED] > days * 30
    assert sum(one.revision > 1 for one in stored) > days * 5
