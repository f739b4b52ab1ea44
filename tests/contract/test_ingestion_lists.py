"""Stations, weather, bulletins and metrics as a client sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import grpc
import numpy as np
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import ingestion_service_pb2_grpc, reading_pb2, weather_pb2
from cleanair.type.v1 import point_pb2, pollutant_pb2

from air.index import Grade
from air.places import Point, Station
from air.pollutants import Pollutant
from ingestion.bulletin import Bulletin, RegionGrade
from ingestion.grid import cells_of
from ingestion.service import OPERATOR_METHODS, IngestionService, add_to_server
from ingestion.station import ListedStation
from ingestion.store.bulletins import BulletinStore
from ingestion.store.weather import WeatherStore
from ingestion.weather import Amount, Cell, Conditions, Precipitation, Product, Sky, WeatherForecast, WeatherObservation
from mesh.wire import time_from_wire, time_to_wire
from simulation.replay import ReplayServer
from tests.contract.refusal import refusal_of
from tests.ingestion.assembly import Assembly, assembled, quick_settings
from tests.ingestion.wire_rows import MEASURED_AT, NOW, measurement_row, recording

Stub: TypeAlias = "ingestion_service_pb2_grpc.IngestionServiceAsyncStub"  # known to type checkers only

HOUR = timedelta(hours=1)
INVALID = grpc.StatusCode.INVALID_ARGUMENT
CITY_HALL = Point(37.5665, 126.978)
FAR_NORTH = Cell(60, 150)
AT_CITY_HALL = point_pb2.Point(latitude=CITY_HALL.latitude, longitude=CITY_HALL.longitude)


@pytest.fixture(scope="module")
def replay() -> Iterator[ReplayServer]:
    rows = [measurement_row("중구"), measurement_row("종로구", pm25Value="-", pm25Flag="통신장애")]
    with ReplayServer(recording(rows)) as server:
        yield server


@pytest.fixture(scope="module")
async def ingestion(replay: ReplayServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Assembly]:
    async with assembled(quick_settings(tmp_path_factory.mktemp("data"), replay.url)) as parts:
        await parts.jobs.collect_readings()
        moved = Station("중구", "중구", Point(37.60, 126.99))
        await parts.stations.observe("airkorea", [ListedStation(moved, "새 주소")], NOW + HOUR)
        await _weather(WeatherStore(parts.database))
        await _bulletins(BulletinStore(parts.database))
        yield parts


async def _weather(store: WeatherStore) -> None:
    cell = cells_of([CITY_HALL])[0]

    def forecast(product: Product, issued: int, valid: int, temperature: float) -> WeatherForecast:
        return WeatherForecast(
            cell=cell,
            product=product,
            issued_at=MEASURED_AT + issued * HOUR,
            valid_at=MEASURED_AT + valid * HOUR,
            conditions=Conditions(
                temperature=temperature,
                precipitation=Precipitation.RAIN,
                precipitation_amount=Amount(0.5, "1mm 미만"),
            ),
            sky=Sky.OVERCAST,
            precipitation_probability=60.0,
        )

    observed = WeatherObservation(cell, MEASURED_AT, Conditions(temperature=4.0, humidity=60.0, wind_east=-1.0))
    forecasts = [
        forecast(Product.SHORT, -4, 0, 9.0),
        forecast(Product.SHORT, -4, 1, 5.0),
        forecast(Product.ULTRA_SHORT, -1, 1, 6.0),
        forecast(Product.SHORT, -4, 2, 7.0),
    ]
    there = replace(forecasts[2], cell=FAR_NORTH)
    await store.save([observed], [*forecasts, there], NOW)


async def _bulletins(store: BulletinStore) -> None:
    def bulletin(issued: int, grade: Grade | None) -> Bulletin:
        grades = (RegionGrade("서울", grade), RegionGrade("제주", None))
        return Bulletin(MEASURED_AT + issued * HOUR, date(2026, 3, 16), Pollutant.PM25, grades, "맑음", "이류")

    await store.save([bulletin(-10, Grade.GOOD), bulletin(-4, Grade.MODERATE)], NOW)


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


async def test_stations_are_listed_where_they_stand(grpc_stub: Stub) -> None:
    answer = await grpc_stub.ListStations(wire.ListStationsRequest())
    assert [(one.station.station_id, one.feed, one.HasField("end_time")) for one in answer.places] == [
        ("종로구", "airkorea", False),
        ("중구", "airkorea", False),
    ]
    assert (answer.places[1].station.location.latitude, answer.places[1].address) == (37.60, "새 주소")


async def test_a_station_that_moved_is_listed_at_both_places_page_by_page(grpc_stub: Stub) -> None:
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        request = wire.ListStationsRequest(station_ids=["중구"], include_past=True, page_size=1, page_token=token)
        answer = await grpc_stub.ListStations(request)
        seen += [(one.station.location.latitude, one.HasField("end_time")) for one in answer.places]
        token, pages = answer.next_page_token, pages + 1
    assert seen == [(37.564639, True), (37.60, False)]
    assert pages == 2


async def test_a_page_token_of_another_question_is_refused(grpc_stub: Stub) -> None:
    first = await grpc_stub.ListStations(wire.ListStationsRequest(page_size=1))
    other = wire.ListStationsRequest(page_size=1, include_past=True, page_token=first.next_page_token)
    refusal = await refusal_of(grpc_stub.ListStations(other))
    assert (refusal.code, refusal.reason, refusal.fields) == (INVALID, "INVALID_PAGE_TOKEN", ("page_token",))


async def test_weather_is_observed_where_it_was_and_forecast_by_the_newest_issue_elsewhere(grpc_stub: Stub) -> None:
    answer = await grpc_stub.ListWeather(wire.ListWeatherRequest(point=AT_CITY_HALL))
    weather = weather_pb2.Weather
    assert [
        ((time_from_wire(one.valid_time) - MEASURED_AT) // HOUR, one.product, one.temperature_celsius)
        for one in answer.weather
    ] == [(0, weather.OBSERVATION, 4.0), (1, weather.ULTRA_SHORT_FORECAST, 6.0), (2, weather.SHORT_FORECAST, 7.0)]
    observed, forecast = answer.weather[0], answer.weather[1]
    assert (observed.cell.nx, observed.cell.ny) == (60, 127)
    assert abs(observed.cell.centre.latitude - CITY_HALL.latitude) < 0.05
    assert not observed.HasField("issue_time")
    assert not observed.HasField("precipitation_mm")
    assert (forecast.precipitation, forecast.precipitation_mm) == (weather.RAIN, 0.5)
    assert (forecast.sky, forecast.precipitation_probability_percent) == (weather.OVERCAST, 60.0)
    assert time_from_wire(forecast.issue_time) == MEASURED_AT - HOUR


async def test_weather_is_told_as_it_was_known_at_a_time(grpc_stub: Stub) -> None:
    then = time_to_wire(MEASURED_AT - 2 * HOUR)
    answer = await grpc_stub.ListWeather(wire.ListWeatherRequest(point=AT_CITY_HALL, as_of_time=then))
    assert [one.temperature_celsius for one in answer.weather] == [9.0, 5.0, 7.0]


async def test_where_and_when_there_is_no_weather_is_said(grpc_stub: Stub) -> None:
    tokyo = point_pb2.Point(latitude=35.68, longitude=139.77)
    refusal = await refusal_of(grpc_stub.ListWeather(wire.ListWeatherRequest(point=tokyo)))
    assert (refusal.code, refusal.reason, refusal.fields) == (
        grpc.StatusCode.OUT_OF_RANGE,
        "POINT_OFF_GRID",
        ("point",),
    )
    long_ago = wire.ListWeatherRequest(point=AT_CITY_HALL, start_time=time_to_wire(datetime(2020, 1, 1, tzinfo=UTC)))
    refusal = await refusal_of(grpc_stub.ListWeather(long_ago))
    assert (refusal.code, refusal.reason, refusal.fields) == (INVALID, "TIME_RANGE_TOO_LONG", ("end_time",))


async def test_weather_of_all_cells_comes_in_columns_page_by_page(grpc_stub: Stub) -> None:
    weather = weather_pb2.Weather
    cells: list[weather_pb2.GridWeather] = []
    token, pages = "", 0
    while pages == 0 or token:
        request = wire.ListGridWeatherRequest(
            start_time=time_to_wire(MEASURED_AT - HOUR / 2),
            end_time=time_to_wire(MEASURED_AT + 3 * HOUR),
            page_size=1,
            page_token=token,
        )
        answer = await grpc_stub.ListGridWeather(request)
        cells += answer.cells
        token, pages = answer.next_page_token, pages + 1
    assert pages == 2
    city, north = cells
    assert ((city.cell.nx, city.cell.ny), (north.cell.nx, north.cell.ny)) == ((60, 127), (60, 150))
    assert time_from_wire(city.start_time) == MEASURED_AT
    # An observation, the forecast of the last half hour, and that of the morning.
    assert list(city.temperature_celsius) == [4.0, 6.0, 7.0]
    assert (city.humidity_percent[0], city.wind_east_mps[0]) == (60.0, -1.0)
    assert np.isnan([city.humidity_percent[1], city.wind_north_mps[0], city.precipitation_mm[0]]).all()
    assert (city.precipitation_mm[1], list(city.sky)) == (0.5, [0, weather.OVERCAST, weather.OVERCAST])
    assert time_from_wire(city.newest_observed_time) == MEASURED_AT
    assert time_from_wire(city.newest_issue_time) == MEASURED_AT - HOUR
    assert not city.simulated
    assert not north.HasField("newest_observed_time")
    assert np.isnan(north.temperature_celsius).tolist() == [True, False, True]


async def test_a_month_and_more_of_weather_of_all_cells_is_refused(grpc_stub: Stub) -> None:
    start, end = time_to_wire(NOW - 32 * 24 * HOUR), time_to_wire(NOW)
    refusal = await refusal_of(grpc_stub.ListGridWeather(wire.ListGridWeatherRequest(start_time=start, end_time=end)))
    assert (refusal.code, refusal.reason, refusal.fields) == (INVALID, "TIME_RANGE_TOO_LONG", ("end_time",))
    refusal = await refusal_of(grpc_stub.ListGridWeather(wire.ListGridWeatherRequest(start_time=start)))
    assert (refusal.code, refusal.fields) == (INVALID, ("end_time",))


async def test_bulletins_are_listed_with_the_newest_issue_of_each_day(grpc_stub: Stub) -> None:
    answer = await grpc_stub.ListBulletins(wire.ListBulletinsRequest())
    [bulletin] = answer.bulletins
    assert (bulletin.target_date, bulletin.pollutant) == ("2026-03-16", pollutant_pb2.PM25)
    assert [(one.region, one.grade) for one in bulletin.grades] == [
        ("서울", reading_pb2.Reading.MODERATE),
        ("제주", reading_pb2.Reading.GRADE_UNSPECIFIED),
    ]
    superseded = await grpc_stub.ListBulletins(wire.ListBulletinsRequest(include_superseded=True))
    assert [one.grades[0].grade for one in superseded.bulletins] == [
        reading_pb2.Reading.MODERATE,
        reading_pb2.Reading.GOOD,
    ]


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-02-30", "", "start_date"),
        ("2026-03-16", "2026-03-15", "end_date"),
        ("2026-03-16", "2026-05-15", "end_date"),
        ("9999-12-31", "", "start_date"),
        ("16 March", "", "start_date"),
    ],
)
async def test_days_that_are_none_are_refused(grpc_stub: Stub, start: str, end: str, field: str) -> None:
    request = wire.ListBulletinsRequest(start_date=start, end_date=end)
    refusal = await refusal_of(grpc_stub.ListBulletins(request))
    assert (refusal.code, refusal.fields) == (INVALID, (field,))


async def test_metrics_tell_of_feeds_and_of_each_station_pollutant_and_day(grpc_stub: Stub) -> None:
    answer = await grpc_stub.GetMetrics(wire.GetMetricsRequest())
    feed = next(one for one in answer.feeds if one.feed == "airkorea")
    assert time_from_wire(feed.last_success_time) == NOW
    assert not feed.HasField("failing_since")
    assert [(one.service, one.used_count, one.limit_count) for one in feed.quotas] == [("ArpltnInforInqireSvc", 0, 500)]

    rows = {(one.station_id, one.pollutant): one for one in answer.quality}
    assert len(rows) == 2 * 6
    whole, flagged = rows["중구", pollutant_pb2.PM25], rows["종로구", pollutant_pb2.PM25]
    assert (whole.date, whole.expected_count, whole.measured_count) == ("2026-03-16", 9, 1)
    assert whole.completeness == pytest.approx(1 / 9)
    assert (flagged.measured_count, flagged.completeness) == (0, 0.0)
    assert time_from_wire(whole.newest_measured_at) == MEASURED_AT


async def test_metrics_come_in_pages_of_stations(grpc_stub: Stub) -> None:
    first = await grpc_stub.GetMetrics(wire.GetMetricsRequest(page_size=1))
    assert {one.station_id for one in first.quality} == {"종로구"}
    second = await grpc_stub.GetMetrics(wire.GetMetricsRequest(page_size=1, page_token=first.next_page_token))
    assert ({one.station_id for one in second.quality}, second.next_page_token) == ({"중구"}, "")
