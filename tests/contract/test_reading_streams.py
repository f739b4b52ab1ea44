"""IngestionService's streams as a client sees them: what a subscriber may ask for, and what a sender is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc, reading_pb2
from cleanair.type.v1 import point_pb2, pollutant_pb2, station_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.quality.verdict import Check, Level, Verdict
from ingestion.reading import InstrumentFlag, Measurement, Reading
from ingestion.service import OPERATOR_METHODS, IngestionService, add_to_server
from mesh.wire import time_to_wire
from tests.contract.conftest import OPERATOR_KEY
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT, NOW

Stub: TypeAlias = "ingestion_service_pb2_grpc.IngestionServiceAsyncStub"  # known to type checkers only
Request = wire.StreamReadingsRequest
Batch = wire.UploadReadingsRequest

HOUR = timedelta(hours=1)
AS_OPERATOR = (("x-api-key", OPERATOR_KEY),)
INVALID = grpc.StatusCode.INVALID_ARGUMENT
FLAG = InstrumentFlag(Pollutant.O3, "점검및교정", 0.5)
DOUBTED = Verdict.of({Check.SPIKE: Level.SUSPECT, Check.RANGE: Level.PASS})


@pytest.fixture(scope="module")
async def ingestion(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Assembly]:
    """Ten stations in a row from west to east, each with an hour of its own; one with a flag, one in doubt."""
    async with assembled(quick_settings(tmp_path_factory.mktemp("data"), "http://127.0.0.1:9")) as parts:
        await parts.store.save([_reading(number) for number in range(10)], NOW)
        yield parts


def _reading(number: int) -> Reading:
    values = {Pollutant.PM25: 1.0 + number, Pollutant.NO2: 0.01}
    if number == 7:
        values = {Pollutant.CO: 0.3}
    measurement = Measurement(
        values,
        flags=(FLAG,) if number == 8 else (),
        verdicts={Pollutant.NO2: DOUBTED} if number == 9 else {},
    )
    place = Station(f"s{number}", f"station {number}", Point(37.0, 127.0 + number / 10))
    return Reading(place, MEASURED_AT - number * HOUR, measurement)


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[IngestionService, grpc.aio.Server], None]:
    return add_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[ingestion_service_pb2_grpc.IngestionServiceStub]:
    return ingestion_service_pb2_grpc.IngestionServiceStub


@pytest.fixture(scope="module")
def grpc_operator_methods() -> frozenset[str]:
    return OPERATOR_METHODS


@pytest.fixture(scope="module")
def grpc_servicer(ingestion: Assembly) -> IngestionService:
    return ingestion.service


async def first(stub: Stub, request: Request) -> wire.StreamReadingsResponse:
    call = stub.StreamReadings(request)
    element = await anext(aiter(call))
    call.cancel()
    return element


def ids(element: wire.StreamReadingsResponse) -> list[int]:
    return [int(reading.station.station_id.removeprefix("s")) for reading in element.readings if reading.revision]


def region(west: float, east: float) -> wire.Region:
    corners = [
        point_pb2.Point(latitude=latitude, longitude=longitude) for latitude, longitude in ((37, west), (37, east))
    ]
    return wire.Region(southwest=corners[0], northeast=corners[1])


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(), list(range(10))),
        (Request(station_ids=["s3", "s5", "unknown"]), [3, 5]),
        (Request(region=region(127.2, 127.45)), [2, 3, 4]),
        (Request(measured_after=time_to_wire(MEASURED_AT - 2 * HOUR)), [0, 1]),
        (Request(pollutants=[pollutant_pb2.CO]), [7]),
        (Request(pollutants=[pollutant_pb2.O3]), [8]),
        (Request(pollutants=[pollutant_pb2.PM10]), []),
        (Request(region=region(127.2, 127.6), station_ids=["s1", "s6"], pollutants=[pollutant_pb2.PM25]), [6]),
        (Request(start=Request.LATEST), []),
    ],
    ids=["all", "stations", "region", "hours", "one value", "one flag", "none", "all at once", "latest"],
)
async def test_a_subscriber_gets_what_it_asks_for(grpc_stub: Stub, request_: Request, expected: list[int]) -> None:
    whole = await first(grpc_stub, Request())
    element = await first(grpc_stub, request_)
    assert ids(element) == expected
    # What is left out has been passed all the same.
    assert element.resume_token == whole.resume_token


async def test_nothing_is_told_of_pollutants_that_were_not_asked_for(grpc_stub: Stub) -> None:
    element = await first(grpc_stub, Request(pollutants=[pollutant_pb2.PM25], station_ids=["s8", "s9"]))
    for reading in element.readings:
        assert reading.HasField("pm25_ug_m3")
        assert not reading.HasField("no2_ppm")
        assert (len(reading.flags), len(reading.quality)) == (0, 0)


async def test_doubt_is_told_with_the_checks_behind_it(grpc_stub: Stub) -> None:
    element = await first(grpc_stub, Request())
    assert [len(reading.quality) for reading in element.readings] == [0] * 9 + [1]
    doubted = element.readings[9].quality[0]
    assert doubted == reading_pb2.Quality(
        pollutant=pollutant_pb2.NO2,
        level=reading_pb2.Quality.SUSPECT,
        suspect=[reading_pb2.Quality.SPIKE],
    )
    listed = await grpc_stub.ListReadings(
        wire.ListReadingsRequest(start_time=time_to_wire(MEASURED_AT - 24 * HOUR), page_size=1000)
    )
    assert {r.station.station_id: r for r in listed.readings} == {r.station.station_id: r for r in element.readings}


async def test_a_stream_comes_in_batches_of_the_size_that_was_asked_for(grpc_stub: Stub) -> None:
    call = grpc_stub.StreamReadings(Request(batch_size=4))
    elements = aiter(call)
    sizes = [len((await anext(elements)).readings) for _ in range(3)]
    call.cancel()
    assert sizes == [4, 4, 2]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (Request(batch_size=2001), "batch_size"),
        (Request(station_ids=["a", "a"]), "station_ids"),
        (Request(pollutants=[pollutant_pb2.POLLUTANT_UNSPECIFIED]), "pollutants[0]"),
        (Request(region=wire.Region()), "region.southwest"),
        (Request(region=region(128, 127)), "region"),
    ],
)
async def test_a_subscription_that_makes_no_sense_names_its_field(
    grpc_stub: Stub, request_: Request, field: str
) -> None:
    refusal = await refusal_of(anext(aiter(grpc_stub.StreamReadings(request_))))
    assert refusal.code is INVALID
    assert field in refusal.fields


def uploaded(number: int, value: float = 5.0, hour: int = 0) -> wire.UploadedReading:
    station = station_pb2.Station(
        station_id=f"u{number}",
        display_name=f"sensor {number}",
        location=point_pb2.Point(latitude=36.0, longitude=128.0),
    )
    return wire.UploadedReading(station=station, measured_at=time_to_wire(MEASURED_AT - hour * HOUR), pm25_ug_m3=value)


async def upload(stub: Stub, *batches: Batch) -> wire.UploadReadingsResponse:
    return await stub.UploadReadings(iter(batches), metadata=AS_OPERATOR)


async def acknowledged(stub: Stub, upload_id: str) -> int:
    answer = await stub.GetUpload(wire.GetUploadRequest(upload_id=upload_id), metadata=AS_OPERATOR)
    return answer.acknowledged_sequence


def batches(upload_id: str, *readings: Sequence[wire.UploadedReading], first_sequence: int = 1) -> list[Batch]:
    return [
        Batch(upload_id=upload_id, sequence=sequence, feed="push", readings=some)
        for sequence, some in enumerate(readings, first_sequence)
    ]


async def test_an_upload_is_acknowledged_and_streamed(grpc_stub: Stub) -> None:
    assert await acknowledged(grpc_stub, "first") == 0
    faulty = uploaded(2)
    faulty.measured_at.seconds += 60
    answer = await upload(grpc_stub, *batches("first", [uploaded(1)], [faulty, uploaded(3)]))
    assert (answer.acknowledged_sequence, answer.new_count, answer.rejected_count) == (2, 2, 1)
    assert [(one.sequence, one.station_id) for one in answer.rejections] == [(2, "u2")]
    assert await acknowledged(grpc_stub, "first") == 2
    element = await first(grpc_stub, Request(station_ids=["u1", "u2", "u3"]))
    assert [reading.station.station_id for reading in element.readings] == ["u1", "u3"]


async def test_the_network_s_word_on_a_value_is_kept_and_the_value_not_used(grpc_stub: Stub) -> None:
    reading = uploaded(4)
    reading.flags.add(pollutant=pollutant_pb2.PM25, text="maintenance")
    await upload(grpc_stub, *batches("flagged", [reading]))
    (streamed,) = (await first(grpc_stub, Request(station_ids=["u4"]))).readings
    assert not streamed.HasField("pm25_ug_m3")
    assert [(flag.text, flag.raw_value) for flag in streamed.flags] == [("maintenance", 5.0)]


async def test_a_sender_that_lost_its_connection_goes_on_where_it_was(grpc_stub: Stub) -> None:
    sent = batches("broken", [uploaded(5)], [uploaded(6)], [uploaded(7)])
    call = grpc_stub.UploadReadings(metadata=AS_OPERATOR)
    await call.write(sent[0])
    async with asyncio.timeout(20):
        while await acknowledged(grpc_stub, "broken") == 0:
            pass
    call.cancel()
    answer = await upload(grpc_stub, *sent)
    assert (answer.acknowledged_sequence, answer.new_count) == (3, 2)


@pytest.mark.parametrize(
    ("second", "fields", "reason"),
    [
        (Batch(upload_id="x", sequence=0, feed="push"), ("sequence",), "INVALID_INPUT"),
        (Batch(upload_id="x", sequence=2, feed="Push"), ("feed",), "INVALID_INPUT"),
        (
            Batch(upload_id="x", sequence=2, feed="push", readings=[wire.UploadedReading()]),
            ("readings[0].station", "readings[0].measured_at"),
            "INVALID_INPUT",
        ),
        (Batch(upload_id="x", sequence=3, feed="push"), ("sequence",), "UPLOAD_GAP"),
        (Batch(upload_id="y", sequence=2, feed="push"), ("upload_id",), "MIXED_UPLOAD"),
        (
            Batch(
                upload_id="x",
                sequence=2,
                feed="push",
                readings=[wire.UploadedReading(station=uploaded(9).station, measured_at=Timestamp(seconds=10**15))],
            ),
            ("readings[0].measured_at",),
            "INVALID_TIME",
        ),
        (
            Batch(
                upload_id="x",
                sequence=2,
                feed="push",
                readings=[
                    wire.UploadedReading(
                        station=uploaded(9).station,
                        measured_at=uploaded(9).measured_at,
                        flags=[reading_pb2.InstrumentFlag(text="?")],
                    )
                ],
            ),
            ("readings[0].flags[0].pollutant",),
            "UNKNOWN_POLLUTANT",
        ),
    ],
    ids=["zero", "feed", "empty reading", "gap", "mixed", "no time", "no pollutant"],
)
async def test_each_message_of_an_upload_is_held_to_the_contract_and_those_before_it_stay(
    grpc_stub: Stub, request: pytest.FixtureRequest, second: Batch, fields: tuple[str, ...], reason: str
) -> None:
    upload_id = request.node.callspec.id.replace(" ", "-")
    bad = Batch()
    bad.CopyFrom(second)
    if bad.upload_id == "x":
        bad.upload_id = upload_id
    refusal = await refusal_of(upload(grpc_stub, *batches(upload_id, [uploaded(8)]), bad))
    assert (refusal.code, refusal.fields, refusal.reason) == (INVALID, fields, reason)
    assert await acknowledged(grpc_stub, upload_id) == 1


async def test_only_operators_upload(grpc_stub: Stub) -> None:
    refusal = await refusal_of(grpc_stub.UploadReadings(iter(batches("stranger", [uploaded(1)]))))
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    refusal = await refusal_of(grpc_stub.GetUpload(wire.GetUploadRequest(upload_id="stranger")))
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert await acknowledged(grpc_stub, "stranger") == 0
