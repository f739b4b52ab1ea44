"""What the health report says of AirKorea."""

from __future__ import annotations

import pytest

from ingestion.server import source_health
from ingestion.source import SourceError
from mesh.health import Health, HealthState
from simulation.airkorea_server import gateway_error
from simulation.replay import Fault, ReplayServer
from tests.ingestion.assembly import Assembly


async def test_it_tells_the_last_collection_and_an_outage_with_its_code(
    ingestion: Assembly, replay: ReplayServer
) -> None:
    assert source_health(ingestion.collector) == Health(HealthState.UP, "not collected yet")
    await ingestion.collector.collect()
    assert source_health(ingestion.collector) == Health(HealthState.UP, "last collected at 2026-03-16T00:16:00+00:00")
    ingestion.clock.advance(minutes=9)
    replay.fail(Fault(gateway_error("22", "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR")))
    with pytest.raises(SourceError):
        await ingestion.collector.collect()
    assert source_health(ingestion.collector) == Health(
        HealthState.DEGRADED,
        "failing since 2026-03-16T00:25:00+00:00 with code 22; last collected at 2026-03-16T00:16:00+00:00",
    )
