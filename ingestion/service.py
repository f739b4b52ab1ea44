"""IngestionService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc, reading_pb2

from air.pollutants import Pollutant
from ingestion.collection import Collector
from ingestion.listing import Question, list_readings
from ingestion.reading import StoredReading
from ingestion.store.readings import ReadingStore
from ingestion.stream import ReadingStream, StatusBoard
from mesh.access import operator_methods
from mesh.clock import Clock
from mesh.interceptors.around import Context
from mesh.wire import pollutant_to_wire, station_to_wire, status_to_wire, time_from_wire, time_to_wire

_SERVICE: Final = wire.DESCRIPTOR.services_by_name["IngestionService"]
FULL_NAME: Final = _SERVICE.full_name
OPERATOR_METHODS: Final = operator_methods(_SERVICE)


class IngestionService(ingestion_service_pb2_grpc.IngestionServiceServicer):
    """Answers for the readings."""

    def __init__(
        self, collector: Collector, store: ReadingStore, stream: ReadingStream, board: StatusBoard, clock: Clock
    ) -> None:
        self._collector = collector
        self._store = store
        self._stream = stream
        self._board = board
        self._clock = clock

    async def CollectAirQuality(
        self,
        request: wire.CollectAirQualityRequest,
        context: Context,
    ) -> wire.CollectAirQualityResponse:
        """Collects now."""
        collected = await self._collector.collect()
        newest = collected.newest_measured_at
        return wire.CollectAirQualityResponse(
            new_count=collected.saved.new,
            corrected_count=collected.saved.corrected,
            unchanged_count=collected.saved.unchanged,
            rejected_count=collected.rejected,
            newest_measured_at=None if newest is None else time_to_wire(newest),
        )

    async def ListReadings(
        self,
        request: wire.ListReadingsRequest,
        context: Context,
    ) -> wire.ListReadingsResponse:
        """A page of readings."""
        question = Question(
            station_ids=tuple(request.station_ids),
            start=time_from_wire(request.start_time, "start_time") if request.HasField("start_time") else None,
            end=time_from_wire(request.end_time, "end_time") if request.HasField("end_time") else None,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        page = await list_readings(self._store, question, self._clock)
        return wire.ListReadingsResponse(
            readings=map(reading_to_wire, page.readings),
            next_page_token=page.next_page_token,
            data_status=status_to_wire(await self._board.status()),
        )

    async def StreamReadings(
        self,
        request: wire.StreamReadingsRequest,
        context: Context,
    ) -> AsyncIterator[wire.StreamReadingsResponse]:
        """The stream, from the token on."""
        measured_after = None
        if request.HasField("measured_after"):
            measured_after = time_from_wire(request.measured_after, "measured_after")
        async for element in self._stream.follow(request.resume_token, measured_after):
            yield wire.StreamReadingsResponse(
                resume_token=element.token.encode(),
                readings=map(reading_to_wire, element.readings),
                data_status=status_to_wire(element.status),
            )


def reading_to_wire(stored: StoredReading) -> reading_pb2.Reading:
    """A stored reading as its message."""
    reading, measurement = stored.reading, stored.reading.measurement
    values = measurement.values
    return reading_pb2.Reading(
        station=station_to_wire(reading.station),
        measured_at=time_to_wire(reading.measured_at),
        pm25_ug_m3=values.get(Pollutant.PM25),
        pm10_ug_m3=values.get(Pollutant.PM10),
        o3_ppm=values.get(Pollutant.O3),
        no2_ppm=values.get(Pollutant.NO2),
        co_ppm=values.get(Pollutant.CO),
        so2_ppm=values.get(Pollutant.SO2),
        air_quality_index=measurement.air_quality_index,
        grade=reading_pb2.Reading.Grade.Value(measurement.grade.value if measurement.grade else "GRADE_UNSPECIFIED"),
        flags=[
            reading_pb2.InstrumentFlag(
                pollutant=pollutant_to_wire(flag.pollutant), text=flag.text, raw_value=flag.raw_value
            )
            for flag in measurement.flags
        ],
        revision=stored.revision,
    )
