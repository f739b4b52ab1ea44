"""PredictionService keeps its contract: answers, statuses, and errors that name the field."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
from cleanair.predictor.v1 import prediction_service_pb2 as wire
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from cleanair.type.v1.data_status_pb2 import DataStatus
from cleanair.type.v1.point_pb2 import Point
from cleanair.type.v1.pollutant_pb2 import Pollutant

from mesh.interceptors.errors import reason_of
from mesh.resume_token import ResumeToken
from mesh.wire import time_from_wire
from predictor.service import OPERATOR_METHODS, PredictionService
from tests.contract.conftest import OPERATOR_KEY
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import BUSAN, CHEONGGYE, HOUR, JONGNO, JUNG, NOON, hours_of_air, plain_model_file, reading
from tests.predictor.assembly import (
    HEARTBEAT_SECONDS,
    Predictor,
    Upstream,
    open_predictor,
    predictor_settings,
    run_ingestion,
)

Stub: TypeAlias = "prediction_service_pb2_grpc.PredictionServiceAsyncStub"  # known to type checkers only

KEY = (("x-api-key", OPERATOR_KEY),)


@pytest.fixture(scope="module")
async def ingestion(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upstream]:
    async with run_ingestion(tmp_path_factory.mktemp("ingestion"), NOON) as upstream:
        await upstream.measure([r for s in (JONGNO, JUNG, CHEONGGYE) for r in hours_of_air(s, NOON, 48)])
        yield upstream


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("predictor")


@pytest.fixture(scope="module")
async def predictor(ingestion: Upstream, folder: Path) -> AsyncIterator[Predictor]:
    settings = predictor_settings(folder, ingestion_target=ingestion.target, model_path=plain_model_file(folder))
    async with open_predictor(settings, SettableClock(NOON)) as parts:
        await parts.until_connected()
        await parts.until_issued(NOON, stations=3)
        yield parts


@pytest.fixture(scope="module")
def grpc_operator_methods() -> frozenset[str]:
    return OPERATOR_METHODS


@pytest.fixture(scope="module")
def grpc_servicer(predictor: Predictor) -> PredictionService:
    return predictor.service


@pytest.fixture(scope="module")
def grpc_add_to_server() -> Callable[[PredictionService, grpc.aio.Server], None]:
    return prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[prediction_service_pb2_grpc.PredictionServiceStub]:
    return prediction_service_pb2_grpc.PredictionServiceStub


@pytest.fixture(autouse=True)
def _noon(predictor: Predictor) -> Iterator[None]:
    predictor.clock.now = NOON
    yield
    predictor.clock.now = NOON


async def test_stations_are_forecast_for_a_day_in_all_pollutants_by_default(grpc_stub: Stub) -> None:
    answer = await grpc_stub.PredictAirQuality(
        wire.PredictAirQualityRequest(station_ids=[JUNG.station_id, JONGNO.station_id])
    )
    first, second = answer.forecasts
    assert first.station.station_id == JUNG.station_id
    assert second.station.display_name == JONGNO.display_name
    assert time_from_wire(first.issue_time) == NOON
    assert list(first.horizon_hours) == list(range(1, 25))
    assert [one.pollutant for one in first.series] == [Pollutant.PM25, Pollutant.PM10, Pollutant.O3, Pollutant.NO2]
    assert first.model_version.startswith("damped-persistence-1+")
    for series in (*first.series, *second.series):
        assert len(series.lower) == len(series.median) == len(series.upper) == 24
        for low, middle, high in zip(series.lower, series.median, series.upper, strict=True):
            assert 0 <= low <= middle <= high
    assert answer.data_status.state == DataStatus.FRESH
    assert time_from_wire(answer.data_status.newest_measured_at) == NOON


async def test_only_what_is_asked_for_is_answered(grpc_stub: Stub) -> None:
    answer = await grpc_stub.PredictAirQuality(
        wire.PredictAirQualityRequest(
            points=[Point(latitude=37.57, longitude=126.99)],
            horizon_hours=72,
            pollutants=[Pollutant.NO2, Pollutant.PM25],
        )
    )
    (forecast,) = answer.forecasts
    assert (forecast.point.latitude, forecast.point.longitude) == (37.57, 126.99)
    assert not forecast.HasField("station")
    assert list(forecast.horizon_hours) == list(range(1, 73))
    assert [one.pollutant for one in forecast.series] == [Pollutant.PM25, Pollutant.NO2]


async def test_hours_begin_with_the_next_one(grpc_stub: Stub, predictor: Predictor) -> None:
    predictor.clock.advance(hours=3, minutes=10)
    answer = await grpc_stub.PredictAirQuality(
        wire.PredictAirQualityRequest(station_ids=[JONGNO.station_id], horizon_hours=2)
    )
    assert list(answer.forecasts[0].horizon_hours) == [4, 5]
    assert answer.data_status.state == DataStatus.STALE
    assert "2026-03-16T03:00Z" in answer.data_status.reasons[0]


@pytest.mark.parametrize(
    ("request_", "code", "reason", "fields"),
    [
        (
            wire.PredictAirQualityRequest(station_ids=[JONGNO.station_id, "Atlantis"]),
            grpc.StatusCode.NOT_FOUND,
            "UNKNOWN_STATION",
            ["station_ids[1]"],
        ),
        (
            wire.PredictAirQualityRequest(points=[Point(latitude=36, longitude=124)]),
            grpc.StatusCode.OUT_OF_RANGE,
            "POINT_TOO_FAR",
            ["points[0]"],
        ),
    ],
    ids=["unknown station", "far point"],
)
async def test_what_cannot_be_answered_is_named(
    grpc_stub: Stub,
    request_: wire.PredictAirQualityRequest,
    code: grpc.StatusCode,
    reason: str,
    fields: list[str],
) -> None:
    refusal = await refusal_of(grpc_stub.PredictAirQuality(request_))
    assert (refusal.code, refusal.reason, list(refusal.fields)) == (code, reason, fields)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (wire.PredictAirQualityRequest(), ""),
        (wire.PredictAirQualityRequest(station_ids=["a"], points=[Point(latitude=1, longitude=1)]), ""),
        (wire.PredictAirQualityRequest(station_ids=["a"], horizon_hours=0), "horizon_hours"),
        (wire.PredictAirQualityRequest(station_ids=["a"], horizon_hours=-1), "horizon_hours"),
        (wire.PredictAirQualityRequest(station_ids=["a"], horizon_hours=73), "horizon_hours"),
        (wire.PredictAirQualityRequest(station_ids=["a"], pollutants=[Pollutant.CO]), "pollutants[0]"),
        (wire.PredictAirQualityRequest(station_ids=["a", "a"]), "station_ids"),
        (wire.PredictAirQualityRequest(station_ids=[""]), "station_ids[0]"),
        (wire.PredictAirQualityRequest(points=[Point(latitude=91, longitude=1)]), "points[0].latitude"),
        (wire.PredictAirQualityRequest(points=[Point(latitude=float("nan"), longitude=1)]), "points[0].latitude"),
        (wire.PredictAirQualityRequest(points=[Point(longitude=1)]), "points[0].latitude"),
    ],
)
async def test_a_request_that_makes_no_sense_names_its_field(
    grpc_stub: Stub, request_: wire.PredictAirQualityRequest, field: str
) -> None:
    refusal = await refusal_of(grpc_stub.PredictAirQuality(request_))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == (field,)


async def test_the_stream_begins_with_the_newest_of_every_station(grpc_stub: Stub) -> None:
    call = grpc_stub.StreamForecasts(wire.StreamForecastsRequest())
    element = await call.read()
    call.cancel()
    assert isinstance(element, wire.StreamForecastsResponse)
    assert {one.station.station_id for one in element.forecasts} == {s.station_id for s in (JONGNO, JUNG, CHEONGGYE)}
    assert all(list(one.horizon_hours) == list(range(1, 73)) for one in element.forecasts)
    assert all(len(one.series) == 4 for one in element.forecasts)
    assert element.data_status.state == DataStatus.FRESH


async def test_a_stream_at_rest_keeps_saying_that_it_is_there(grpc_stub: Stub) -> None:
    token = await newest_token(grpc_stub)
    call = grpc_stub.StreamForecasts(wire.StreamForecastsRequest(resume_token=token))
    async with asyncio.timeout(20 * HEARTBEAT_SECONDS):
        elements = [await call.read() for _ in range(3)]
    call.cancel()
    for element in elements:
        assert isinstance(element, wire.StreamForecastsResponse)
        assert (element.resume_token, len(element.forecasts)) == (token, 0)


async def test_a_client_that_was_away_gets_the_newest_of_what_it_missed_and_nothing_twice(
    grpc_stub: Stub, ingestion: Upstream, predictor: Predictor
) -> None:
    token = await newest_token(grpc_stub)
    for hour in (1, 2):
        predictor.clock.now = ingestion.parts.clock.now = NOON + hour * HOUR
        await ingestion.measure([reading(JUNG, NOON + hour * HOUR)])
        await predictor.until_issued(NOON + hour * HOUR)
    call = grpc_stub.StreamForecasts(wire.StreamForecastsRequest(resume_token=token))
    element = await call.read()
    assert isinstance(element, wire.StreamForecastsResponse)
    assert {f.station.station_id for f in element.forecasts} == {s.station_id for s in (JONGNO, JUNG, CHEONGGYE)}
    assert [time_from_wire(f.issue_time) for f in element.forecasts] == [NOON + 2 * HOUR] * 3
    # And, while it listens, the next one as it is made.
    predictor.clock.now = ingestion.parts.clock.now = NOON + 3 * HOUR
    await ingestion.measure([reading(JUNG, NOON + 3 * HOUR)])
    async with asyncio.timeout(10):
        while not element.forecasts or element.forecasts[0].issue_time.seconds != (NOON + 3 * HOUR).timestamp():
            element = await call.read()
            assert isinstance(element, wire.StreamForecastsResponse)
    call.cancel()
    assert len(element.forecasts) == 3


@pytest.mark.parametrize(
    ("token", "code", "reason"),
    [
        ("nonsense", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN"),
        (ResumeToken("ab" * 8, 1).encode(), grpc.StatusCode.FAILED_PRECONDITION, "RESUME_TOKEN_UNKNOWN"),
    ],
)
async def test_a_token_of_another_log_is_refused(
    grpc_stub: Stub, token: str, code: grpc.StatusCode, reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await anext(aiter(grpc_stub.StreamForecasts(wire.StreamForecastsRequest(resume_token=token))))
    assert (raised.value.code(), reason_of(raised.value)) == (code, reason)


async def test_a_token_from_the_future_of_a_database_set_back_is_refused(grpc_stub: Stub, predictor: Predictor) -> None:
    ahead = ResumeToken(predictor.issuer.board.epoch, predictor.issuer.board.sequence + 1).encode()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await anext(aiter(grpc_stub.StreamForecasts(wire.StreamForecastsRequest(resume_token=ahead))))
    assert reason_of(raised.value) == "RESUME_TOKEN_UNKNOWN"


async def test_the_model_is_described_to_operators_alone(grpc_stub: Stub) -> None:
    status = await grpc_stub.GetModelStatus(wire.GetModelStatusRequest(), metadata=KEY)
    assert len(status.model.sha256) == 64
    assert status.model.name == "damped-persistence"
    assert status.model.version == f"damped-persistence-1+{status.model.sha256[:8]}"
    assert list(status.model.pollutants) == [Pollutant.PM25, Pollutant.PM10, Pollutant.O3, Pollutant.NO2]
    assert status.station_count == 3
    assert time_from_wire(status.newest_issue_time) >= NOON
    assert time_from_wire(status.model.loaded_at) == NOON
    for call in (
        grpc_stub.GetModelStatus(wire.GetModelStatusRequest()),
        grpc_stub.ReloadModels(wire.ReloadModelsRequest(), metadata=(("x-api-key", "a guess"),)),
    ):
        refusal = await refusal_of(call)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, "OPERATOR_KEY_REQUIRED")


async def test_a_station_that_no_reading_has_named_is_unknown_and_a_silent_one_is_not(
    grpc_stub: Stub, ingestion: Upstream, predictor: Predictor
) -> None:
    await ingestion.measure([reading(BUSAN, NOON + 3 * HOUR)])
    await predictor.until_issued(NOON + 3 * HOUR, stations=4)
    predictor.clock.now = NOON + 100 * HOUR
    refusal = await refusal_of(
        grpc_stub.PredictAirQuality(wire.PredictAirQualityRequest(station_ids=[BUSAN.station_id]))
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "NO_FORECAST_YET")
    assert refusal.fields == ("station_ids[0]",)


async def test_how_good_forecasts_were_is_a_page_for_any_browser(grpc_stub: Stub) -> None:
    ask = wire.GetPerformancePageRequest(station_id=JONGNO.station_id, days=7)
    page = await grpc_stub.GetPerformancePage(ask, metadata=(("accept-language", "ko-KR,ko;q=0.9"),))
    assert page.content_type == "text/html; charset=utf-8"
    text = page.data.decode()
    assert text.startswith('<!doctype html><html lang="ko">')
    assert f'<option value="{JONGNO.station_id}" selected>' in text
    assert '<html lang="en">' in (await grpc_stub.GetPerformancePage(wire.GetPerformancePageRequest())).data.decode()
    refusal = await refusal_of(grpc_stub.GetPerformancePage(wire.GetPerformancePageRequest(station_id="Atlantis")))
    assert (refusal.code, refusal.reason, refusal.fields) == (
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_STATION",
        ("station_id",),
    )


async def newest_token(stub: Stub) -> str:
    """The token after all that there is."""
    call = stub.StreamForecasts(wire.StreamForecastsRequest())
    element = await call.read()
    call.cancel()
    assert isinstance(element, wire.StreamForecastsResponse)
    return element.resume_token
