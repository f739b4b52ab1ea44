"""What an answer of PredictionService says, how it is kept ready, and what becomes of questions that make no sense."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from statistics import NormalDist, fmean
from typing import TypeAlias

import grpc
import pytest
from cleanair.predictor.v1 import prediction_service_pb2 as wire
from cleanair.predictor.v1 import prediction_service_pb2_grpc
from cleanair.predictor.v1.forecast_pb2 import Forecast
from cleanair.type.v1.data_status_pb2 import DataStatus
from cleanair.type.v1.point_pb2 import Point
from cleanair.type.v1.pollutant_pb2 import Pollutant

from mesh.wire import time_from_wire
from predictor.service import OPERATOR_METHODS, PredictionService
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import SettableClock
from tests.predictor.air import BUSAN, HOUR, JONGNO, JUNG, NOON, hours_of_air, plain_model_file, reading
from tests.predictor.assembly import Predictor, open_predictor, predictor_settings

Stub: TypeAlias = "prediction_service_pb2_grpc.PredictionServiceAsyncStub"  # known to type checkers only

BETWEEN = Point(latitude=37.568, longitude=126.99)
NORMAL_90 = NormalDist().inv_cdf(0.9)
ENDS = {
    Pollutant.PM25: (15.5, 35.5, 75.5),
    Pollutant.PM10: (30.5, 80.5, 150.5),
    Pollutant.O3: (0.03, 0.09, 0.15),
    Pollutant.NO2: (0.03, 0.06, 0.2),
}


@pytest.fixture(scope="module")
async def predictor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Predictor]:
    """It has two stations with two days of air, and one that has never measured anything."""
    folder = tmp_path_factory.mktemp("predictor")
    settings = predictor_settings(folder, model_path=plain_model_file(folder))
    async with open_predictor(settings, SettableClock(NOON), follow=False) as parts:
        measured = [r for station in (JONGNO, JUNG) for r in hours_of_air(station, NOON, 48)]
        await parts.issuer.take([*measured, reading(BUSAN, NOON, (None,) * 4)], "t1")
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


async def at(stub: Stub, *station_ids: str, hours: int = 24) -> wire.PredictAirQualityResponse:
    return await stub.PredictAirQuality(wire.PredictAirQualityRequest(station_ids=station_ids, horizon_hours=hours))


async def test_it_says_how_likely_each_grade_is_and_how_likely_the_told_one(grpc_stub: Stub) -> None:
    (forecast,) = (await at(grpc_stub, JONGNO.station_id)).forecasts
    for series in forecast.series:
        for hour, (low, middle, high) in enumerate(zip(series.lower, series.median, series.upper, strict=True)):
            told = (series.above_good[hour], series.above_moderate[hour], series.above_unhealthy[hour])
            for limit, probability in zip(ENDS[series.pollutant], told, strict=True):
                side = high - middle if limit >= middle else middle - low
                expected = NormalDist(middle, max(side / NORMAL_90, 1e-9)).cdf(limit)
                assert probability == pytest.approx(1 - expected, abs=0.0006)
        assert len(series.mean) == 24
    pm25 = forecast.series[0]
    for hour, confidence in enumerate(forecast.confidence_scores):
        bounds = (1, pm25.above_good[hour], pm25.above_moderate[hour], pm25.above_unhealthy[hour], 0)
        grades = [better - worse for better, worse in itertools.pairwise(bounds)]
        assert confidence == pytest.approx(max(grades), abs=0.0011)
    assert forecast.confidence_score == pytest.approx(fmean(forecast.confidence_scores), abs=0.001)


async def test_between_stations_it_says_that_it_is_interpolated_and_is_less_sure(grpc_stub: Stub) -> None:
    points = [BETWEEN, Point(latitude=JONGNO.location.latitude, longitude=JONGNO.location.longitude)]
    answer = await grpc_stub.PredictAirQuality(wire.PredictAirQualityRequest(points=points))
    between, there = answer.forecasts
    assert Forecast.INTERPOLATED in between.limitations
    assert Forecast.INTERPOLATED in there.limitations
    station = (await at(grpc_stub, JONGNO.station_id)).forecasts[0]
    assert Forecast.INTERPOLATED not in station.limitations
    for apart, here, own in zip(between.series, there.series, station.series, strict=True):
        assert apart.upper[0] - apart.lower[0] > own.upper[0] - own.lower[0]
        assert here.upper[0] == pytest.approx(own.upper[0], rel=0.01)
        assert len(apart.mean) == len(apart.above_good) == 24


async def test_a_station_without_any_history_is_forecast_all_the_same_and_says_so(grpc_stub: Stub) -> None:
    answer = await at(grpc_stub, BUSAN.station_id, hours=72)
    (forecast,) = answer.forecasts
    assert {Forecast.STATION_SILENT, Forecast.MEASUREMENTS_MISSING} <= set(forecast.limitations)
    assert all(math.isfinite(value) for series in forecast.series for value in series.upper)
    assert answer.data_status.state >= DataStatus.STALE
    assert "Nothing has been measured yet." in answer.data_status.reasons


async def test_a_thousand_who_ask_a_cold_cache_at_once_cost_one_computation(
    grpc_stub: Stub, predictor: Predictor
) -> None:
    before = await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest())
    request = wire.PredictAirQualityRequest(
        points=[Point(latitude=37.51, longitude=127.01)], horizon_hours=1, pollutants=[Pollutant.PM25]
    )
    answers = await asyncio.gather(*(grpc_stub.PredictAirQuality(request) for _ in range(1000)))
    after = await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest())
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 999)
    assert {answer.forecasts[0].SerializeToString() for answer in answers} == {
        answers[0].forecasts[0].SerializeToString()
    }


async def test_what_is_ready_is_listed_newest_first_in_pages(grpc_stub: Stub, predictor: Predictor) -> None:
    await grpc_stub.PredictAirQuality(wire.PredictAirQualityRequest(points=[BETWEEN]))
    whole = await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest())
    assert whole.total_size == len(whole.predictions) >= 4
    assert whole.next_page_token == ""
    found: list[wire.CachedPrediction] = []
    token = ""
    while True:
        page = await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest(page_size=1, page_token=token))
        found += page.predictions
        token = page.next_page_token
        if not token:
            break
    assert found == list(whole.predictions)
    issued = [one.issue_time.seconds for one in found]
    assert issued == sorted(issued, reverse=True)
    places: Mapping[str, list[wire.CachedPrediction]] = {
        kind: [one for one in found if one.WhichOneof("place") == kind] for kind in ("station", "point")
    }
    assert {one.station.station_id for one in places["station"]} == {s.station_id for s in (JONGNO, JUNG, BUSAN)}
    (kept,) = (one for one in places["point"] if one.point == BETWEEN)
    assert (time_from_wire(kept.issue_time), time_from_wire(kept.end_time)) == (NOON, NOON + 72 * HOUR)
    assert time_from_wire(kept.cached_at) == NOON
    assert kept.model_version == predictor.issuer.model.loaded.version
    assert 0 < kept.confidence_score <= 1


async def test_one_stations_forecast_is_found_in_the_list(grpc_stub: Stub) -> None:
    (only,) = (await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest(station_id="중구"))).predictions
    assert only.station.station_id == JUNG.station_id
    nothing = await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest(station_id="Atlantis"))
    assert (len(nothing.predictions), nothing.total_size) == (0, 0)


async def test_a_page_token_of_another_question_is_refused(grpc_stub: Stub) -> None:
    page = await grpc_stub.ListCachedPredictions(wire.ListCachedPredictionsRequest(page_size=1))
    for request in (
        wire.ListCachedPredictionsRequest(station_id="중구", page_token=page.next_page_token),
        wire.ListCachedPredictionsRequest(page_token="nonsense"),
    ):
        refusal = await refusal_of(grpc_stub.ListCachedPredictions(request))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


SEOUL = Point(latitude=37.5, longitude=127.0)
NONSENSE = {
    "horizon 100": (wire.PredictAirQualityRequest(points=[SEOUL], horizon_hours=100), "horizon_hours"),
    "10,000 points": (wire.PredictAirQualityRequest(points=[SEOUL] * 10_000), "points"),
    "10,000 stations": (wire.PredictAirQualityRequest(station_ids=map(str, range(10_000))), "station_ids"),
    "infinite latitude": (
        wire.PredictAirQualityRequest(points=[SEOUL, Point(latitude=math.inf, longitude=1)]),
        "points[1].latitude",
    ),
    "longitude that is no number": (
        wire.PredictAirQualityRequest(points=[Point(latitude=37, longitude=math.nan)]),
        "points[0].longitude",
    ),
    "Tokyo": (wire.PredictAirQualityRequest(points=[SEOUL, Point(latitude=35.68, longitude=139.69)]), "points[1]"),
    "unknown pollutant": (
        wire.PredictAirQualityRequest(points=[SEOUL], pollutants=[Pollutant.PM25, Pollutant.CO]),
        "pollutants[1]",
    ),
    "a pollutant of no name": (wire.PredictAirQualityRequest(points=[SEOUL], pollutants=[99]), "pollutants[0]"),  # type: ignore[list-item]  # what another release may send
    "long station": (wire.PredictAirQualityRequest(station_ids=["x" * 21]), "station_ids[0]"),
}


@pytest.mark.parametrize(("request_", "field"), NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_refused_by_its_field_and_serving_goes_on(
    grpc_stub: Stub, request_: wire.PredictAirQualityRequest, field: str
) -> None:
    refusal = await refusal_of(grpc_stub.PredictAirQuality(request_))
    assert refusal.code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}
    assert refusal.fields == (field,)
    assert len((await at(grpc_stub, JUNG.station_id)).forecasts) == 1


async def test_one_bad_point_is_told_by_its_place_though_others_are_ready(grpc_stub: Stub) -> None:
    sea = Point(latitude=36.5, longitude=124.0)
    await grpc_stub.PredictAirQuality(wire.PredictAirQualityRequest(points=[BETWEEN]))
    refusal = await refusal_of(grpc_stub.PredictAirQuality(wire.PredictAirQualityRequest(points=[BETWEEN, SEOUL, sea])))
    assert (refusal.reason, refusal.fields) == ("POINT_TOO_FAR", ("points[2]",))
    assert "ask for a point nearer" in refusal.message


@pytest.mark.parametrize("ours_is_ahead_by", [timedelta(hours=-1), timedelta(hours=1), timedelta(hours=5)])
async def test_a_clock_that_is_off_leaves_valid_times_right_and_is_told_of(
    grpc_stub: Stub, predictor: Predictor, ours_is_ahead_by: timedelta
) -> None:
    request = wire.PredictAirQualityRequest(points=[BETWEEN], horizon_hours=12)
    right = (await grpc_stub.PredictAirQuality(request)).forecasts[0]
    by_valid_time = valid(right)
    predictor.clock.now = NOON + ours_is_ahead_by
    answer = await grpc_stub.PredictAirQuality(request)
    told = valid(answer.forecasts[0])
    both = by_valid_time.keys() & told.keys()
    assert len(both) >= 7
    assert {hour: told[hour] for hour in both} == {hour: by_valid_time[hour] for hour in both}
    reasons = " ".join(answer.data_status.reasons)
    assert ("ahead of this server's clock" in reasons) == (ours_is_ahead_by < timedelta())
    assert ("The newest measurement is of 2026-03-16T03:00Z." in reasons) == (ours_is_ahead_by > 2 * HOUR)


def valid(forecast: Forecast) -> dict[int, list[float]]:
    """Quantiles of PM2.5 by valid time, in seconds."""
    series = forecast.series[0]
    return {
        forecast.issue_time.seconds + 3600 * horizon: quantiles
        for horizon, *quantiles in zip(forecast.horizon_hours, series.lower, series.median, series.upper, strict=True)
    }
