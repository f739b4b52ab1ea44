"""Collection runs at the start and at :15 and :25, goes on after any failure, and sooner where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from ingestion.collection import Collector
from ingestion.reading import RawMeasurement
from ingestion.schedule import Schedule, next_collection
from ingestion.source import Rows, Source
from ingestion.station import ListedStation
from mesh.bell import Bell
from mesh.clock import Clock
from simulation.airkorea_server import Reply, gateway_error
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import Assembly
from tests.ingestion.wire_rows import measurement_row, recording


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("09:00:00", "09:15:00"),
        ("09:14:59", "09:15:00"),
        ("09:15:00", "09:25:00"),
        ("09:24:59", "09:25:00"),
        ("09:25:00", "10:15:00"),
        ("23:59:59", "00:15:00"),
    ],
)
def test_the_next_collection_is_a_quarter_or_25_minutes_past(now: str, then: str) -> None:
    at = next_collection(datetime.fromisoformat(f"2026-03-16T{now}+00:00"))
    assert f"{at:%H:%M:%S}" == then
    assert at > datetime.fromisoformat(f"2026-03-16T{now}+00:00")


@asynccontextmanager
async def _running(collector: Collector, clock: Clock) -> AsyncIterator[None]:
    task = asyncio.create_task(Schedule(collector, clock, spread_seconds=0.0, retry_seconds=0.05).run())
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
    async with _running(ingestion.collector, ingestion.clock):
        await _until_rung(ingestion.bell, 1)
    assert len(await ingestion.store.changes(0, 10)) == 2


async def test_the_next_one_comes_when_it_is_time(ingestion: Assembly, replay: ReplayServer) -> None:
    replay.replace(recording([measurement_row("중구", pm25Value="-")], [measurement_row("중구")]))
    ingestion.clock.now = datetime(2026, 3, 16, 0, 14, 59, 900_000, tzinfo=UTC)
    async with _running(ingestion.collector, ingestion.clock):
        await _until_rung(ingestion.bell, 2)
    (stored,) = await ingestion.store.changes(0, 10)
    assert stored.revision == 2


async def test_a_passing_outage_is_tried_again_before_the_next_scheduled_time(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    attempts = ingestion.settings.airkorea_attempts
    replay.fail_next(*[Fault(Reply(b"", 503))] * (2 * attempts))
    async with _running(ingestion.collector, ingestion.clock):
        # Once for the outage, once for what was collected after it.
        await _until_rung(ingestion.bell, 2)
    assert ingestion.collector.outage is None
    assert len(await ingestion.store.changes(0, 10)) == 2


async def test_a_refusal_waits_for_the_next_scheduled_time(ingestion: Assembly, replay: ReplayServer) -> None:
    replay.fail(Fault(gateway_error("22", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR")))
    async with _running(ingestion.collector, ingestion.clock):
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
        async with _running(collector, clock):
            await _until_rung(ingestion.bell, 2)
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["collection broke"]
    assert len(await ingestion.store.changes(0, 10)) == 2
