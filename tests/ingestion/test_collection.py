"""A collection stores what is new, corrects what has changed, rejects what it cannot use, and says once what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from structlog.testing import capture_logs

from air.pollutants import Pollutant
from ingestion.reading import InstrumentFlag, StoredReading
from ingestion.source import SourceError, SourceRefused
from ingestion.store.readings import Saved
from simulation.airkorea_server import Reply, gateway_error
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import Assembly
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, recording

_REFUSED = Fault(gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR"))
_BROKEN = Fault(Reply(b"oops", 503))


async def _stored(ingestion: Assembly) -> Sequence[StoredReading]:
    return await ingestion.store.changes(0, 1000)


async def _fails(ingestion: Assembly) -> None:
    with pytest.raises(SourceError):
        await ingestion.collector.collect()


def _events(logs: Sequence[Mapping[str, object]], event: str) -> list[Mapping[str, object]]:
    return [entry for entry in logs if entry["event"] == event]


async def test_what_is_new_is_stored_and_the_second_time_nothing_changes(ingestion: Assembly) -> None:
    first = await ingestion.collector.collect()
    before = await _stored(ingestion)
    second = await ingestion.collector.collect()
    assert (first.saved, first.rejected, first.newest_measured_at) == (Saved(new=2), 0, MEASURED_AT)
    assert second.saved == Saved(unchanged=2)
    assert await _stored(ingestion) == before


async def test_a_late_value_is_a_correction_with_the_next_revision(ingestion: Assembly, replay: ReplayServer) -> None:
    missing = measurement_row("중구", pm25Value="-", pm25Flag="통신장애")
    replay.replace(
        recording([missing, measurement_row("종로구")], [measurement_row("중구"), measurement_row("종로구")])
    )
    await ingestion.collector.collect()
    (before,) = [s for s in await _stored(ingestion) if s.reading.station.station_id == "중구"]
    assert before.reading.measurement.flags == (InstrumentFlag(Pollutant.PM25, "통신장애"),)

    assert (await ingestion.collector.collect()).saved == Saved(corrected=1, unchanged=1)

    unchanged, corrected = await _stored(ingestion)
    assert (unchanged.reading.station.station_id, unchanged.revision) == ("종로구", 1)
    assert (corrected.reading.station.station_id, corrected.revision) == ("중구", 2)
    assert corrected.reading.measurement.values[Pollutant.PM25] == 7.0
    assert corrected.sequence == 3


async def test_an_answer_that_mixes_hours_is_kept_by_station_and_hour(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    hours = {"중구": "2026-03-16 09:00", "종로구": "2026-03-15 18:00"}
    replay.replace(recording([measurement_row(station, hour) for station, hour in hours.items()]))
    collected = await ingestion.collector.collect()
    assert collected.newest_measured_at == MEASURED_AT
    stored = {s.reading.station.station_id: s.reading.measured_at for s in await _stored(ingestion)}
    assert {station: (MEASURED_AT - hour).total_seconds() / 3600 for station, hour in stored.items()} == {
        "중구": 0,
        "종로구": 15,
    }


async def test_of_two_rows_of_one_station_and_hour_the_last_stands(ingestion: Assembly, replay: ReplayServer) -> None:
    replay.replace(recording([measurement_row("중구", pm10Value="10"), measurement_row("중구", pm10Value="20")]))
    assert (await ingestion.collector.collect()).saved == Saved(new=1)
    (stored,) = await _stored(ingestion)
    assert stored.reading.measurement.values[Pollutant.PM10] == 20.0


async def test_rows_that_cannot_be_used_are_counted_and_told_once(ingestion: Assembly, replay: ReplayServer) -> None:
    rows = [
        measurement_row("중구"),
        measurement_row("없는역"),
        measurement_row("종로구", None),
        measurement_row("종로구", "2026-03-16 11:00"),
    ]
    replay.replace(recording(rows))
    with capture_logs() as logs:
        for _ in range(2):
            collected = await ingestion.collector.collect()
            assert collected.rejected == 3
    assert [(entry["station"], entry["reason"]) for entry in _events(logs, "row rejected")] == [
        ("종로구", "no hour"),
        ("없는역", "not in the station list"),
        ("종로구", "hour in the future"),
    ]


async def test_a_station_that_is_new_in_the_list_is_found_within_the_hour(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    replay.replace(recording([measurement_row("새역")]))
    assert (await ingestion.collector.collect()).rejected == 1
    replay.replace(recording([measurement_row("새역")], stations=("새역",)))
    assert (await ingestion.collector.collect()).rejected == 1
    ingestion.clock.advance(hours=1)
    assert (await ingestion.collector.collect()).saved == Saved(new=1)


async def test_an_old_station_list_is_better_than_none(ingestion: Assembly, replay: ReplayServer) -> None:
    await ingestion.collector.collect()
    replay.replace(recording([measurement_row("중구", "2026-03-17 09:00")], stations=()))
    ingestion.clock.advance(days=1)
    assert (await ingestion.collector.collect()).saved == Saved(new=1)


async def test_an_outage_is_told_once_with_its_code_and_its_end_once(ingestion: Assembly, replay: ReplayServer) -> None:
    with capture_logs() as logs:
        replay.fail(_REFUSED)
        for _ in range(3):
            await _fails(ingestion)
            ingestion.clock.advance(minutes=10)
        outage = ingestion.collector.outage
        replay.fail(None)
        await ingestion.collector.collect()
        await ingestion.collector.collect()
    assert outage is not None
    assert (outage.since, outage.code) == (NOW, "30")
    assert [entry["code"] for entry in _events(logs, "collection fails")] == ["30"]
    assert [entry["code"] for entry in _events(logs, "collection recovered")] == ["30"]
    assert ingestion.collector.outage is None
    assert ingestion.collector.last_success == ingestion.clock.now


async def test_an_outage_whose_cause_changes_keeps_its_start(ingestion: Assembly, replay: ReplayServer) -> None:
    replay.fail(_BROKEN)
    await _fails(ingestion)
    ingestion.clock.advance(hours=1)
    replay.fail(_REFUSED)
    with pytest.raises(SourceRefused):
        await ingestion.collector.collect()
    outage = ingestion.collector.outage
    assert outage is not None
    assert (outage.since, outage.code) == (NOW, "30")


async def test_an_outage_leaves_the_last_good_readings(ingestion: Assembly, replay: ReplayServer) -> None:
    await ingestion.collector.collect()
    before = await _stored(ingestion)
    for fault in (_BROKEN, _REFUSED, Fault(Reply(b"<html/>"))):
        replay.fail(fault)
        await _fails(ingestion)
    assert await _stored(ingestion) == before
