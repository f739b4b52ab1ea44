"""The part of IngestionService that collects and judges again."""

from __future__ import annotations

from datetime import datetime

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire

from ingestion.jobs import Jobs
from mesh.interceptors.around import Context
from mesh.wire import time_from_wire, time_to_wire


class CollectingService:
    """Answers for collections; a base of the whole service."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def CollectAirQuality(
        self, request: wire.CollectAirQualityRequest, context: Context
    ) -> wire.CollectAirQualityResponse:
        """Collects readings."""
        taken = await self._jobs.collect_readings(request.feed, _slot(request))
        if taken is None:
            return wire.CollectAirQualityResponse(skipped=True)
        newest = taken.newest_measured_at
        return wire.CollectAirQualityResponse(
            new_count=taken.saved.new,
            corrected_count=taken.saved.corrected,
            unchanged_count=taken.saved.unchanged,
            rejected_count=taken.rejected,
            newest_measured_at=None if newest is None else time_to_wire(newest),
        )

    async def CollectWeather(
        self, request: wire.CollectWeatherRequest, context: Context
    ) -> wire.CollectWeatherResponse:
        """Collects weather."""
        collected = await self._jobs.collect_weather(_slot(request))
        if collected is None:
            return wire.CollectWeatherResponse(skipped=True)
        newest = collected.newest_observed_at
        return wire.CollectWeatherResponse(
            new_count=collected.saved.new,
            corrected_count=collected.saved.corrected,
            unchanged_count=collected.saved.unchanged,
            failed_cell_count=collected.failed_cells,
            newest_observed_at=None if newest is None else time_to_wire(newest),
        )

    async def CollectBulletins(
        self, request: wire.CollectBulletinsRequest, context: Context
    ) -> wire.CollectBulletinsResponse:
        """Collects bulletins."""
        collected = await self._jobs.collect_bulletins(_slot(request))
        if collected is None:
            return wire.CollectBulletinsResponse(skipped=True)
        return wire.CollectBulletinsResponse(
            new_count=collected.saved.new,
            corrected_count=collected.saved.corrected,
            unchanged_count=collected.saved.unchanged,
            rejected_count=collected.rejected,
        )

    async def ValidateReadings(
        self, request: wire.ValidateReadingsRequest, context: Context
    ) -> wire.ValidateReadingsResponse:
        """Judges again."""
        validated = await self._jobs.validate(_slot(request))
        if validated is None:
            return wire.ValidateReadingsResponse(skipped=True)
        return wire.ValidateReadingsResponse(judged_count=validated.judged, corrected_count=validated.saved.corrected)


def _slot(
    request: wire.CollectAirQualityRequest
    | wire.CollectWeatherRequest
    | wire.CollectBulletinsRequest
    | wire.ValidateReadingsRequest,
) -> datetime | None:
    return time_from_wire(request.slot_time, "slot_time") if request.HasField("slot_time") else None
