"""Collection runs at the start and at :15 and :25, goes on after any failure, and sooner where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from air.korea import KST
from ingestion.collection import Collector
from ingestion.reading import RawMeasurement
from ingestion.schedule import Due, Schedule
from ingestion.slots import BULLETINS, READINGS, Slots
from ingestion.source import Rows, Source
from ingestion.station import ListedStation
from mesh.bell import Bell
from mesh.clock import Clock
from simulation.airkorea_server import Reply, gateway_error
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import Assembly
from tests.ingestion.wire_rows import measurement_row, recording

_HOURS = st.sets(st.integers(0, 23), min_size=1)


@pytest.mark.parametrize(
    ("slots", "now", "latest", "following"),
    [
        (READINGS, "16T09:00:00", "16T08:25", "16T09:15"),
        (READINGS, "16T09:14:59", "16T08:25", "16T09:15"),
        (READINGS, "16T09:15:00", "16T09:15", "16T09:25"),
        (READINGS, "16T09:24:59", "16T09:15", "16T09:25"),
        (READINGS, "16T09:25:00", "16T09:25", "16T10:15"),
        (READINGS, "16T00:03:00", "15T23:25", "16T00:15"),
        (READINGS, "16T23:59:59", "16T23:25", "17T00:15"),
        (BULLETINS, "16T05:19:59", "15T23:20", "16T05:20"),
        (BULLETINS, "16T12:00:00", "16T11:20", "16T17:20"),
        (BULLETINS, "16T23:20:00", "16T23:20", "17T05:20"),
    ],
)
def test_slots_are_times_of_the_day_in_korea(slots: Slots, now: str, latest: str, following: str) -> None:
    at = datetime.fromisoformat(f"2026-03-{now}+09:00")
    assert slots.latest(at) == datetime.fromisoformat(f"2026-03-{latest}:00+09:00")
    assert slots.next(at) == datetime.fromisoformat(f"2026-03-{following}:00+09:00")


@given(now=st.datetimes(timezones=st.just(UTC)), minutes=st.sets(st.integers(0, 59), min_size=1), hours=_HOURS)
def test_no_slot_lies_between_the_latest_and_the_next(now: datetime, minutes: set[int], hours: set[int]) -> None:
    slots = Slots(tuple(sorted(minutes)), tuple(sorted(hours)))
    latest, following = slots.latest(now), slots.next(now)
    assert latest <= now < following
    assert slots.next(latest) == following
    assert slots.latest(following) == following
    for slot in (latest, following):
        local = slot.astimezone(KST)
        assert (local.minute in minutes, local.hour in hours, local.second) == (True, True, 0)


@asynccontextmanager
async def _running(due: Sequence[Due], clock: Clock) -> AsyncIterator[None]:
    task = asyncio.create_task(Schedule(due, clock, spread_seconds=0.0, retry_seconds=0.05).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until_rung(bell: Bell, times: int) -> None:
    seen = bell.rings
    for number in range(times):
        assert await bell.wait(seen + number, 10)


async def test_the_first_collection_is_at_the_start(ingestion: Assembly) -> None:
    async with _running(ingestion.jobs.due(), ingestion.clock):
        await _until_rung(ingestion.bell, 1)
    assert len(await ingestion.store.changes(0, 10)) == 2


async def test_the_next_one_comes_when_it_is_time(ingestion: Assembly, replay: ReplayServer) -> None:
    replay.replace(recording([measurement_row("중구", pm25Value="-")], [measurement_row("중구")]))
    ingestion.clock.now = datetime(2026, 3, 16, 0, 14, 59, 900_000, tzinfo=UTC)
    async with _running(ingestion.jobs.due(), ingestion.clock):
        await _until_rung(ingestion.bell, 2)
    (stored,) = await ingestion.store.changes(0, 10)
    assert stored.revision == 2


async def test_a_passing_outage_is_tried_again_before_the_next_scheduled_time(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    attempts = ingestion.settings.airkorea_attempts
    replay.fail_next(*[Fault(Reply(b"", 503))] * (2 * attempts))
    async with _running(ingestion.jobs.due(), ingestion.clock):
        # Once for the outage, once for what was collected after it.
        await _until_rung(ingestion.bell, 2)
    assert ingestion.collector.outage is None
    assert len(await ingestion.store.changes(0, 10)) == 2


async def test_a_refusal_waits_for_the_next_scheduled_time(ingestion: Assembly, replay: ReplayServer) -> None:
    replay.fail(Fault(gateway_error("22", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR")))
    async with _running(ingestion.jobs.due(), ingestion.clock):
        await _until_rung(ingestion.bell, 1)
        assert not await ingestion.bell.wait(ingestion.bell.rings, 0.3)
    assert len(replay.requests) == 1


class _Defective:
    """A source with a defect that shows in the first answer."""

    def __init__(self, sound: Source) -> None:
        self._sound = sound
        self._asked = 0

    async def stations(self) -> Rows[ListedStation]:
        return await self._sound.stations()

    async def measurements(self) -> Rows[RawMeasurement]:
        self._asked += 1
        if self._asked == 1:
            raise ZeroDivisionError
        return await self._sound.measurements()


async def test_a_defect_is_logged_whole_and_does_not_end_the_schedule(ingestion: Assembly) -> None:
    clock = ingestion.clock
    clock.now = datetime(2026, 3, 16, 0, 14, 59, 900_000, tzinfo=UTC)
    collector = Collector(_Defective(ingestion.source), ingestion.store, ingestion.stations, ingestion.bell, clock)
    with capture_logs() as logs:
        async with _running([Due("airkorea", READINGS, lambda _: collector.collect())], clock):
            await _until_rung(ingestion.bell, 2)
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["work broke"]
    assert len(await ingestion.store.changes(0, 10)) == 2
