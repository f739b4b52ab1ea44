"""IngestionService as a client sees it: its answers, and a status, a reason and a field for each bad input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import grpc
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc, reading_pb2
from cleanair.type.v1 import data_status_pb2, pollutant_pb2, station_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.reading import Measurement, Reading
from ingestion.service import OPERATOR_METHODS, IngestionService, add_to_server
from mesh.resume_token import ResumeToken
from mesh.wire import time_from_wire, time_to_wire
from simulation.airkorea_server import Reply, gateway_error
from simulation.replay import Fault, Recording, ReplayServer
from tests.contract.conftest import OPERATOR_KEY
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, station_row

Stub: TypeAlias = "ingestion_service_pb2_grpc.IngestionServiceAsyncStub"  # known to type checkers only

HOUR = timedelta(hours=1)
AS_OPERATOR = (("x-api-key", OPERATOR_KEY),)
INVALID = grpc.StatusCode.INVALID_ARGUMENT

# Long before what is collected, so that no question about the last day finds it.
HISTORY = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def replay() -> Iterator[ReplayServer]:
    stations = [
        station_row("중구"),
        station_row("종로구", mangName="도로변대기"),
        station_row("모의", mangName="모의 항만"),
    ]
    rows = [
        measurement_row("중구"),
        measurement_row("종로구", pm25Value="-", pm25Flag="통신장애", coFlag="자료이상", khaiValue="-", khaiGrade=None),
        measurement_row("모르는역"),
    ]
    with ReplayServer(Recording(stations, [rows])) as server:
        yield server


@pytest.fixture(scope="module")
async def ingestion(replay: ReplayServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Assembly]:
    """The recorded hour has been collected, and there is a history of two stations over ten hours."""
    async with assembled(quick_settings(tmp_path_factory.mktemp("data"), replay.url)) as parts:
        await parts.collector.collect()
        history = [
            Reading(Station(name, name, Point(37.5, 127.0)), HISTORY + hour * HOUR, Measurement({Pollutant.PM10: hour}))
            for hour in range(10)
            for name in ("나", "가")
        ]
        await parts.store.save(history, NOW)
        yield parts


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


def between(start: datetime, end: datetime, station_ids: Sequence[str] = ()) -> wire.ListReadingsRequest:
    return wire.ListReadingsRequest(start_time=time_to_wire(start), end_time=time_to_wire(end), station_ids=station_ids)


def history(page_size: int = 0, page_token: str = "", station_ids: Sequence[str] = ()) -> wire.ListReadingsRequest:
    request = between(HISTORY, HISTORY + 10 * HOUR, station_ids)
    request.page_size, request.page_token = page_size, page_token
    return request


def places(answer: wire.ListReadingsResponse) -> list[tuple[int, str]]:
    return [((time_from_wire(r.measured_at) - HISTORY) // HOUR, r.station.station_id) for r in answer.readings]


async def test_a_reading_says_all_that_the_network_said(grpc_stub: Stub) -> None:
    answer = await grpc_stub.ListReadings(wire.ListReadingsRequest())
    flagged, whole = answer.readings
    assert whole.station.station_id == "중구"
    assert whole.station.network == station_pb2.Station.URBAN
    assert (whole.station.location.latitude, whole.station.location.longitude) == (37.564639, 126.975961)
    assert time_from_wire(whole.measured_at) == MEASURED_AT
    assert (whole.pm25_ug_m3, whole.pm10_ug_m3) == (7.0, 10.0)
    assert (whole.o3_ppm, whole.no2_ppm, whole.co_ppm, whole.so2_ppm) == (0.047, 0.015, 0.3, 0.003)
    assert (whole.air_quality_index, whole.grade) == (65, reading_pb2.Reading.MODERATE)
    assert (list(whole.flags), whole.revision) == ([], 1)

    assert flagged.station.network == station_pb2.Station.ROADSIDE
    assert not any(flagged.HasField(name) for name in ("pm25_ug_m3", "co_ppm", "air_quality_index"))
    assert flagged.grade == reading_pb2.Reading.GRADE_UNSPECIFIED
    assert [(flag.pollutant, flag.text, flag.HasField("raw_value")) for flag in flagged.flags] == [
        (pollutant_pb2.PM25, "통신장애", False),
        (pollutant_pb2.CO, "자료이상", True),
    ]
    assert flagged.flags[1].raw_value == 0.3


async def test_the_status_says_how_current_they_are(grpc_stub: Stub) -> None:
    status = (await grpc_stub.ListReadings(wire.ListReadingsRequest())).data_status
    assert status.state == data_status_pb2.DataStatus.FRESH
    assert time_from_wire(status.newest_measured_at) == MEASURED_AT
    assert not status.simulated


async def test_pages_are_in_order_and_together_are_the_whole(grpc_stub: Stub) -> None:
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        answer = await grpc_stub.ListReadings(history(page_size=7, page_token=token))
        seen += places(answer)
        token, pages = answer.next_page_token, pages + 1
    assert seen == [(hour, name) for hour in range(10) for name in ("가", "나")]
    assert pages == 3


async def test_the_start_belongs_to_the_range_and_the_end_does_not(grpc_stub: Stub) -> None:
    answer = await grpc_stub.ListReadings(between(HISTORY + 2 * HOUR, HISTORY + 4 * HOUR, ["가"]))
    assert places(answer) == [(2, "가"), (3, "가")]
    assert answer.next_page_token == ""


async def test_a_station_that_is_not_there_has_no_readings(grpc_stub: Stub) -> None:
    assert not (await grpc_stub.ListReadings(history(station_ids=["없는역"]))).readings


@pytest.mark.parametrize(
    ("request_", "field", "reason"),
    [
        (history(page_size=1001), "page_size", "INVALID_INPUT"),
        (history(page_size=-1), "page_size", "INVALID_INPUT"),
        (history(station_ids=[""]), "station_ids[0]", "INVALID_INPUT"),
        (history(station_ids=["가", "가"]), "station_ids", "INVALID_INPUT"),
        (history(station_ids=[str(n) for n in range(101)]), "station_ids", "INVALID_INPUT"),
        (history(page_token="no token"), "page_token", "INVALID_PAGE_TOKEN"),
        (wire.ListReadingsRequest(start_time=time_to_wire(NOW + HOUR)), "start_time", "EMPTY_TIME_RANGE"),
        (wire.ListReadingsRequest(start_time=Timestamp(seconds=10**15)), "start_time", "INVALID_TIME"),
        (wire.ListReadingsRequest(end_time=Timestamp(nanos=-5)), "end_time", "INVALID_TIME"),
    ],
)
async def test_a_bad_question_names_its_field(
    grpc_stub: Stub, request_: wire.ListReadingsRequest, field: str, reason: str
) -> None:
    refusal = await refusal_of(grpc_stub.ListReadings(request_))
    assert (refusal.code, refusal.fields, refusal.reason) == (INVALID, (field,), reason)


async def test_a_range_that_ends_before_it_starts_is_refused(grpc_stub: Stub) -> None:
    assert (await refusal_of(grpc_stub.ListReadings(between(NOW, NOW)))).code is INVALID


async def test_the_ends_of_time_are_no_internal_error(grpc_stub: Stub) -> None:
    first, last = Timestamp(seconds=-62_135_596_800), Timestamp(seconds=253_402_300_799, nanos=999_999_000)
    assert (await refusal_of(grpc_stub.ListReadings(wire.ListReadingsRequest(end_time=first)))).code is INVALID
    assert not (await grpc_stub.ListReadings(wire.ListReadingsRequest(end_time=last))).readings
    assert (await grpc_stub.ListReadings(wire.ListReadingsRequest(start_time=first, end_time=last))).readings


async def test_a_page_token_is_good_for_its_own_question_only(grpc_stub: Stub) -> None:
    token = (await grpc_stub.ListReadings(history(page_size=1))).next_page_token
    refusal = await refusal_of(grpc_stub.ListReadings(history(station_ids=["가"], page_token=token)))
    assert (refusal.code, refusal.fields, refusal.reason) == (INVALID, ("page_token",), "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize("metadata", [(), (("x-api-key", "a guess"),)], ids=["no key", "wrong key"])
async def test_only_operators_collect(
    grpc_stub: Stub, replay: ReplayServer, metadata: tuple[tuple[str, str], ...]
) -> None:
    asked = len(replay.requests)
    refusal = await refusal_of(grpc_stub.CollectAirQuality(wire.CollectAirQualityRequest(), metadata=metadata))
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert len(replay.requests) == asked


async def test_collecting_again_changes_nothing(grpc_stub: Stub) -> None:
    answer = await grpc_stub.CollectAirQuality(wire.CollectAirQualityRequest(), metadata=AS_OPERATOR)
    counts = (answer.new_count, answer.corrected_count, answer.unchanged_count, answer.rejected_count)
    assert counts == (0, 0, 2, 1)
    assert time_from_wire(answer.newest_measured_at) == MEASURED_AT


@pytest.mark.parametrize(
    ("reply", "code", "reason", "source_code"),
    [
        (gateway_error("30", "X"), grpc.StatusCode.FAILED_PRECONDITION, "SOURCE_REFUSED", "30"),
        (gateway_error("22", "X"), grpc.StatusCode.RESOURCE_EXHAUSTED, "SOURCE_QUOTA_EXCEEDED", "22"),
        (Reply(b"", 503), grpc.StatusCode.UNAVAILABLE, "SOURCE_UNAVAILABLE", "HTTP_503"),
        (Reply(b"<html/>"), grpc.StatusCode.UNAVAILABLE, "SOURCE_UNREADABLE", "UNREADABLE"),
    ],
    ids=["30", "22", "503", "html"],
)
async def test_an_outage_is_told_to_the_operator_and_the_last_good_readings_are_served_as_stale(
    grpc_stub: Stub, replay: ReplayServer, reply: Reply, code: grpc.StatusCode, reason: str, source_code: str
) -> None:
    replay.fail(Fault(reply))
    collect = grpc_stub.CollectAirQuality(wire.CollectAirQualityRequest(), metadata=AS_OPERATOR)
    refusal = await refusal_of(collect)
    during = await grpc_stub.ListReadings(wire.ListReadingsRequest())
    replay.fail(None)
    await grpc_stub.CollectAirQuality(wire.CollectAirQualityRequest(), metadata=AS_OPERATOR)
    after = await grpc_stub.ListReadings(wire.ListReadingsRequest())

    assert (refusal.code, refusal.reason, refusal.metadata["source_code"]) == (code, reason, source_code)
    assert during.data_status.state == data_status_pb2.DataStatus.STALE
    assert source_code in during.data_status.reasons[0]
    assert len(during.readings) == 2
    assert after.data_status.state == data_status_pb2.DataStatus.FRESH


async def test_a_stream_resumes_after_its_token(grpc_stub: Stub, ingestion: Assembly) -> None:
    call = grpc_stub.StreamReadings(wire.StreamReadingsRequest())
    first = await anext(aiter(call))
    call.cancel()
    assert len(first.readings) == 22
    assert first.data_status.state == data_status_pb2.DataStatus.FRESH

    place = Station("다", "다", Point(37.5, 127.0))
    await ingestion.store.save([Reading(place, HISTORY, Measurement({Pollutant.O3: 0.01}))], NOW)
    resumed = grpc_stub.StreamReadings(wire.StreamReadingsRequest(resume_token=first.resume_token))
    second = await anext(aiter(resumed))
    resumed.cancel()
    assert [reading.station.station_id for reading in second.readings] == ["다"]


async def test_a_stream_leaves_out_hours_that_are_not_asked_for(grpc_stub: Stub) -> None:
    call = grpc_stub.StreamReadings(wire.StreamReadingsRequest(measured_after=time_to_wire(HISTORY + 24 * HOUR)))
    element = await anext(aiter(call))
    call.cancel()
    assert {time_from_wire(reading.measured_at) for reading in element.readings} == {MEASURED_AT}


async def test_a_silent_stream_beats(grpc_stub: Stub, ingestion: Assembly) -> None:
    head = await ingestion.store.head()
    token = ResumeToken(head.epoch, head.sequence).encode()
    call = grpc_stub.StreamReadings(wire.StreamReadingsRequest(resume_token=token))
    elements = aiter(call)
    beats = [await anext(elements) for _ in range(3)]
    call.cancel()
    assert {(beat.resume_token, len(beat.readings)) for beat in beats} == {(token, 0)}


async def test_a_stream_from_no_time_at_all_is_refused(grpc_stub: Stub) -> None:
    call = grpc_stub.StreamReadings(wire.StreamReadingsRequest(measured_after=Timestamp(seconds=10**15)))
    assert (await refusal_of(anext(aiter(call)))).fields == ("measured_after",)


@pytest.mark.parametrize(
    ("token", "code", "reason"),
    [
        ("no token", INVALID, "INVALID_RESUME_TOKEN"),
        (ResumeToken("0123456789abcdef", 1).encode(), grpc.StatusCode.FAILED_PRECONDITION, "RESUME_TOKEN_UNKNOWN"),
    ],
    ids=["no token", "another store"],
)
async def test_a_token_that_leads_nowhere_is_refused(
    grpc_stub: Stub, token: str, code: grpc.StatusCode, reason: str
) -> None:
    call = grpc_stub.StreamReadings(wire.StreamReadingsRequest(resume_token=token))
    refusal = await refusal_of(anext(aiter(call)))
    assert (refusal.code, refusal.reason, refusal.fields) == (code, reason, ("resume_token",))
