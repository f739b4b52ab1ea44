"""The part of IngestionService that takes what networks push."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import reading_pb2
from cleanair.type.v1 import pollutant_pb2

from air.index import grade_of
from air.places import Point
from air.pollutants import Pollutant
from ingestion.intake import PlacedRow
from ingestion.reading import RawMeasurement, RawValue
from ingestion.upload import UploadBatch, Uploader
from ingestion.wire import VALUE_FIELDS
from mesh.errors import InvalidInput
from mesh.interceptors.around import Context
from mesh.wire import pollutant_from_wire, station_from_wire, time_from_wire

_FLAGGED: Final = "cleanair: flagged without a word"
_NOWHERE: Final = Point(math.nan, math.nan)


class UnknownPollutant(InvalidInput):
    """A flag is about no pollutant of ours."""

    reason = "UNKNOWN_POLLUTANT"


class UploadingService:
    """Answers for uploads; a base of the whole service."""

    def __init__(self, uploader: Uploader) -> None:
        self._uploader = uploader

    async def UploadReadings(
        self, request_iterator: AsyncIterator[wire.UploadReadingsRequest], context: Context
    ) -> wire.UploadReadingsResponse:
        """Takes an upload, from where it stands."""
        async with aclosing(_batches(request_iterator)) as batches:
            uploaded = await self._uploader.take(batches)
        return wire.UploadReadingsResponse(
            acknowledged_sequence=uploaded.acknowledged,
            new_count=uploaded.new,
            corrected_count=uploaded.corrected,
            unchanged_count=uploaded.unchanged,
            rejected_count=uploaded.rejected,
            rejections=[
                wire.Rejection(sequence=one.sequence, station_id=one.station_id, reason=one.reason)
                for one in uploaded.rejections
            ],
        )

    async def GetUpload(self, request: wire.GetUploadRequest, context: Context) -> wire.GetUploadResponse:
        """Where an upload stands."""
        return wire.GetUploadResponse(acknowledged_sequence=await self._uploader.acknowledged(request.upload_id))


async def _batches(requests: AsyncIterator[wire.UploadReadingsRequest]) -> AsyncGenerator[UploadBatch, None]:
    async for request in requests:
        yield UploadBatch(
            upload_id=request.upload_id,
            sequence=request.sequence,
            feed=request.feed,
            rows=[_row(reading, f"readings[{place}]") for place, reading in enumerate(request.readings)],
            keep_known=request.conflict == wire.UploadReadingsRequest.KEEP,
        )


def _row(reading: wire.UploadedReading, field: str) -> PlacedRow:
    """A reading as any source gives it. Raises InvalidTime or UnknownPollutant, which name the field."""
    station = station_from_wire(reading.station)
    if not reading.station.HasField("location"):
        station = replace(station, location=_NOWHERE)
    flags = {_pollutant(flag, f"{field}.flags[{place}]"): flag for place, flag in enumerate(reading.flags)}
    index = reading.air_quality_index if reading.HasField("air_quality_index") else None
    row = RawMeasurement(
        station_id=station.station_id,
        measured_at=time_from_wire(reading.measured_at, f"{field}.measured_at"),
        raw={pollutant: _raw_value(reading, pollutant, flags.get(pollutant)) for pollutant in Pollutant},
        air_quality_index=index,
        grade=None if index is None else grade_of(index),
    )
    return PlacedRow(station, row)


def _raw_value(
    reading: wire.UploadedReading, pollutant: Pollutant, flag: reading_pb2.InstrumentFlag | None
) -> RawValue:
    name = VALUE_FIELDS[pollutant]
    number = float(getattr(reading, name)) if reading.HasField(name) else None
    if flag is None:
        return RawValue(number)
    if number is None and flag.HasField("raw_value"):
        number = flag.raw_value
    return RawValue(number, flag.text or _FLAGGED)


def _pollutant(flag: reading_pb2.InstrumentFlag, field: str) -> Pollutant:
    if flag.pollutant == pollutant_pb2.POLLUTANT_UNSPECIFIED or flag.pollutant not in pollutant_pb2.Pollutant.values():
        raise UnknownPollutant(f"{field} must name a pollutant", field=f"{field}.pollutant")
    return pollutant_from_wire(flag.pollutant)
