"""The stations of a feed outlive a restart, and a station that moves is followed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from air.places import Point
from ingestion.settings import IngestionSettings
from ingestion.source import SourceError
from ingestion.store.readings import Saved
from simulation.airkorea_server import gateway_error
from simulation.replay import Fault, Recording, ReplayServer
from tests.ingestion.assembly import Assembly, assembled
from tests.ingestion.wire_rows import NOW, measurement_row, recording, station_row


@pytest.fixture
async def restarted(ingestion: Assembly, settings: IngestionSettings) -> AsyncIterator[Assembly]:
    """The same service, started again over what the first has stored."""
    await ingestion.collector.collect()
    async with assembled(settings, NOW) as parts:
        yield parts


def _at(dm_x: str, dm_y: str) -> Recording:
    return Recording([station_row("중구", dmX=dm_x, dmY=dm_y)], [[measurement_row("중구", "2026-03-17 09:00")]])


async def test_with_no_list_to_be_had_the_last_known_stations_serve_after_a_restart(
    restarted: Assembly, replay: ReplayServer
) -> None:
    replay.replace(recording([measurement_row("중구", "2026-03-16 08:00")], stations=()))
    assert (await restarted.collector.collect()).saved == Saved(new=1)


async def test_a_restart_with_the_source_away_still_knows_its_stations(
    restarted: Assembly, replay: ReplayServer
) -> None:
    replay.fail(Fault(gateway_error("30", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR")))
    with pytest.raises(SourceError):
        await restarted.collector.collect()
    assert set(await restarted.collector.stations.covering([])) == {"중구", "종로구"}


async def test_a_station_that_moves_is_read_at_its_new_place_and_keeps_the_old_in_its_history(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    await ingestion.collector.collect()
    replay.replace(_at("37.59", "126.99"))
    ingestion.clock.advance(days=1)
    with capture_logs() as logs:
        await ingestion.collector.collect()
    (moved,) = [entry for entry in logs if entry["event"] == "station moved"]
    assert moved["station"] == "중구"
    # On the ellipsoid of WGS 84, as geopy has it, 3,076 m.
    assert moved["meters"] == pytest.approx(3076, rel=0.003)
    places = [
        (stored.reading.measured_at.day, stored.reading.station.location)
        for stored in await ingestion.store.changes(0, 10)
        if stored.reading.station.station_id == "중구"
    ]
    assert places == [(16, Point(37.564639, 126.975961)), (17, Point(37.59, 126.99))]
    assert len(await ingestion.stations.history("중구")) == 2


async def test_coordinates_that_are_written_the_other_way_round_are_no_move(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    await ingestion.collector.collect()
    replay.replace(_at("126.975961", "37.564639"))
    ingestion.clock.advance(days=1)
    await ingestion.collector.collect()
    assert len(await ingestion.stations.history("중구")) == 1
