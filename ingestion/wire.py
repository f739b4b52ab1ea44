"""Readings as protobuf: as messages, and as the bytes that streams are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

from cleanair.ingestion.v1 import ingestion_service_pb2, reading_pb2

from air.places import Network, Point, Station
from air.pollutants import Pollutant
from air.status import DataStatus
from ingestion.change import POLLUTANTS, Change
from ingestion.quality.verdict import Level, Verdict
from ingestion.reading import InstrumentFlag, StoredReading
from ingestion.reading_filter import ReadingFilter, Region
from ingestion.stream import READINGS_AN_ELEMENT, Element, Start, StreamQuestion
from mesh.wire import (
    point_from_wire,
    pollutant_from_wire,
    pollutant_to_wire,
    station_to_wire,
    status_to_wire,
    time_from_wire,
    time_to_wire,
)

# Of protobuf's encoding: the wire type of messages, and the bit of a number's bytes that says that another follows.
_LENGTH_DELIMITED: Final = 2
_MORE: Final = 0x80
_READINGS_KEY: Final = bytes(
    [ingestion_service_pb2.StreamReadingsResponse.READINGS_FIELD_NUMBER << 3 | _LENGTH_DELIMITED]
)
_ValueField = Literal["pm25_ug_m3", "pm10_ug_m3", "o3_ppm", "no2_ppm", "co_ppm", "so2_ppm"]

VALUE_FIELDS: Final[Mapping[Pollutant, _ValueField]] = {
    Pollutant.PM25: "pm25_ug_m3",
    Pollutant.PM10: "pm10_ug_m3",
    Pollutant.O3: "o3_ppm",
    Pollutant.NO2: "no2_ppm",
    Pollutant.CO: "co_ppm",
    Pollutant.SO2: "so2_ppm",
}
"""The field of each pollutant's value, in `Reading` and in `UploadedReading`."""


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
        grade=_grade(measurement.grade.value if measurement.grade else None),
        flags=map(_flag, measurement.flags),
        revision=stored.revision,
        quality=[
            _quality(pollutant, verdict)
            for pollutant in POLLUTANTS
            if (verdict := measurement.verdicts.get(pollutant)) is not None and verdict.level is not Level.PASS
        ],
    )


def question_from_wire(request: ingestion_service_pb2.StreamReadingsRequest) -> StreamQuestion:
    """What a subscriber asks for. Raises InvalidTime."""
    measured_after = None
    if request.HasField("measured_after"):
        measured_after = time_from_wire(request.measured_after, "measured_after")
    region = None
    if request.HasField("region"):
        region = Region(point_from_wire(request.region.southwest), point_from_wire(request.region.northeast))
    wanted = ReadingFilter(
        measured_after=measured_after,
        station_ids=frozenset(request.station_ids),
        region=region,
        pollutants=frozenset(map(pollutant_from_wire, request.pollutants)),
    )
    latest = request.start == ingestion_service_pb2.StreamReadingsRequest.LATEST
    return StreamQuestion(
        token=request.resume_token,
        start=Start.LATEST if latest else Start.OLDEST,
        wanted=wanted,
        batch_size=request.batch_size or READINGS_AN_ELEMENT,
    )


class ReadingCodec:
    """Encodes changes as the field `readings` of an element, with its key and length.

    Fields of protobuf that are written one after the other are one message: so a reading is its station's bytes, its
    hour's, and its own, of which the first two are the same for many, and an element is its readings' bytes and the
    rest's.
    """

    def encode(self, changes: Sequence[Change]) -> list[bytes]:
        """Each change by itself."""
        encoded = []
        for change in changes:
            own = reading_pb2.Reading(
                pm25_ug_m3=change.pm25,
                pm10_ug_m3=change.pm10,
                o3_ppm=change.o3,
                no2_ppm=change.no2,
                co_ppm=change.co,
                so2_ppm=change.so2,
                air_quality_index=change.air_quality_index,
                grade=_grade(change.grade),
                revision=change.revision,
            )
            # By their place: what a change begins with is what its station is made of.
            quality = _qualities(change[12:18])
            if change.flags or quality:
                own.flags.extend(map(_flag, change.flags))
                own.quality.extend(quality)
            body = _station_part(change[:6]) + _hour_part(change.measured_at) + own.SerializeToString()
            encoded.append(_READINGS_KEY + _varint(len(body)) + body)
        return encoded

    def narrow(self, readings: bytes, pollutants: frozenset[Pollutant]) -> bytes:
        """Encoded readings again, with nothing on other pollutants."""
        element = ingestion_service_pb2.StreamReadingsResponse.FromString(readings)
        others = [field for pollutant, field in VALUE_FIELDS.items() if pollutant not in pollutants]
        kept = {pollutant_to_wire(pollutant) for pollutant in pollutants}
        for reading in element.readings:
            for field in others:
                reading.ClearField(field)
            for told in (reading.flags, reading.quality):
                for place in reversed(range(len(told))):
                    if told[place].pollutant not in kept:
                        del told[place]
        return element.SerializeToString()


def element_to_wire(element: Element) -> bytes:
    """An element of the stream, encoded."""
    rest = ingestion_service_pb2.StreamReadingsResponse(resume_token=element.token.encode())
    return b"".join((*element.parts, rest.SerializeToString(), _status_part(element.status)))


@lru_cache(maxsize=16_384)
def _station_part(cells: tuple[str, str, float, float, str, bool]) -> bytes:
    station_id, name, latitude, longitude, network, simulated = cells
    station = Station(station_id, name, Point(latitude, longitude), Network(network), simulated)
    return reading_pb2.Reading(station=station_to_wire(station)).SerializeToString()


@lru_cache(maxsize=4096)
def _hour_part(measured_at: datetime) -> bytes:
    return reading_pb2.Reading(measured_at=time_to_wire(measured_at)).SerializeToString()


@lru_cache(maxsize=16)
def _status_part(status: DataStatus) -> bytes:
    return ingestion_service_pb2.StreamReadingsResponse(data_status=status_to_wire(status)).SerializeToString()


@lru_cache
def _grade(name: str | None) -> reading_pb2.Reading.Grade.ValueType:
    return reading_pb2.Reading.Grade.Value(name or "GRADE_UNSPECIFIED")


def _flag(flag: InstrumentFlag) -> reading_pb2.InstrumentFlag:
    return reading_pb2.InstrumentFlag(
        pollutant=pollutant_to_wire(flag.pollutant), text=flag.text, raw_value=flag.raw_value
    )


@lru_cache(maxsize=4096)
def _qualities(verdicts: tuple[int | None, ...]) -> tuple[reading_pb2.Quality, ...]:
    """The verdicts in the columns of a row, those left out that pass."""
    return tuple(
        _quality(pollutant, Verdict(verdict))
        for pollutant, verdict in zip(POLLUTANTS, verdicts, strict=True)
        if verdict is not None and Verdict(verdict).level is not Level.PASS
    )


def _quality(pollutant: Pollutant, verdict: Verdict) -> reading_pb2.Quality:
    return reading_pb2.Quality(
        pollutant=pollutant_to_wire(pollutant),
        level=reading_pb2.Quality.Level.Value(verdict.level.name),
        failed=[reading_pb2.Quality.Check.Value(check.name) for check in verdict.checks(Level.FAIL)],
        suspect=[reading_pb2.Quality.Check.Value(check.name) for check in verdict.checks(Level.SUSPECT)],
    )


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >= _MORE:
        digits.append(number % _MORE | _MORE)
        number //= _MORE
    digits.append(number)
    return bytes(digits)
