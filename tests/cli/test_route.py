"""`cleanair route` against a router: what a person reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cleanair.router.v1 import route_pb2
from cleanair.router.v1.location_service_pb2_grpc import add_LocationServiceServicer_to_server
from cleanair.router.v1.route_service_pb2_grpc import add_RouteServiceServicer_to_server
from google.protobuf.duration_pb2 import Duration

from air.pollutants import Pollutant
from cli.failure import CommandFailed
from cli.route import Trip, route
from cli.route_report import comparison
from cli.settings import CommandSettings
from mesh.cache import InProcessCache
from router.graph.graph import RoadClass
from router.location_service import LocationService
from router.locations import Locations
from router.places.gazetteer import gather
from router.places.indexes import Indexes
from router.places.store import save
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.router.air_plan import NOW, air_of
from tests.router.graph.drawing import Drawing
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

STREETS = plan(
    [(0, 0), (1000, 0), (1000, 500)],
    [
        Edge(0, 1, RoadClass.ARTERIAL, street="세종대로"),
        Edge(0, 1, RoadClass.PARK_PATH, via=((500, 300),), street="숲길"),
        Edge(1, 2, RoadClass.ARTERIAL, street="종로"),
    ],
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one station and one park at the ends of the streets."""
    folder = tmp_path_factory.mktemp("places")
    nodes = {1: at(0, 0), 2: at(1000, 400)}
    tags = {
        1: {"railway": "station", "name": "서쪽역", "name:en": "West Station"},
        2: {"leisure": "park", "name": "동쪽공원", "name:en": "East Park"},
    }
    town = Drawing({node: (point.latitude, point.longitude) for node, point in nodes.items()}, [], tags)
    save(gather(town.write(folder / "town.osm.pbf")), folder / "town.places")
    return folder / "town.places"


@pytest.fixture(scope="module")
async def settings(places: Path) -> AsyncIterator[CommandSettings]:
    planner, workers = Planner([Region(STREETS)], stale_after=timedelta(hours=3)), Workers(1, 8)
    planner.know(air_of({Pollutant.NO2: 80.0, Pollutant.PM25: 10.0}), NOW)
    routes = RouteService(planner, InProcessCache(), workers, clock=lambda: NOW, keep_for=timedelta(days=1))
    server = grpc.aio.server()
    add_RouteServiceServicer_to_server(routes, server)
    locations = LocationService(Locations(Indexes(lambda: [places]), workers, None))
    add_LocationServiceServicer_to_server(locations, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield CommandSettings(gateway_target=f"127.0.0.1:{port}")
    await server.stop(None)
    workers.close()


def place(east_m: float, north_m: float) -> str:
    point = at(east_m, north_m)
    return f"{point.latitude},{point.longitude}"


FROM, TO = place(0, 0), place(1000, 400)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


async def said(settings: CommandSettings, trip: Trip, capsys: pytest.CaptureFixture[str]) -> str:
    await asyncio.to_thread(route, settings, trip)
    return capsys.readouterr().out


async def test_routes_side_by_side(settings: CommandSettings, capsys: pytest.CaptureFixture[str]) -> None:
    text = await said(settings, Trip(FROM, TO), capsys)
    for word in ("fastest", "shortest", "healthiest", "1.40", "NO2 µg", "in air", "Simulated", "street plan"):
        assert word in text
    assert "what to do" not in text


async def test_steps_of_the_healthiest(settings: CommandSettings, capsys: pytest.CaptureFixture[str]) -> None:
    text = await said(settings, Trip(FROM, TO, steps=True, language="ko"), capsys)
    assert "The healthiest way" in text
    assert "종로로 왼쪽으로 크게 도세요" in text
    assert "목적지에 도착했습니다" in text


async def test_alternatives(settings: CommandSettings, capsys: pytest.CaptureFixture[str]) -> None:
    assert "alternative" not in await said(settings, Trip(FROM, TO), capsys)
    assert "alternative" in await said(settings, Trip(FROM, TO, alternatives=True), capsys)


async def test_when_to_leave(settings: CommandSettings, capsys: pytest.CaptureFixture[str]) -> None:
    text = await said(settings, Trip(FROM, TO, window_hours=3), capsys)
    assert "When to leave" in text
    assert text.count("best") == 1
    assert text.count(":00") == 3


async def test_places_may_be_named(settings: CommandSettings, capsys: pytest.CaptureFixture[str]) -> None:
    text = await said(settings, Trip("ㅅㅉㅇ", "East Park"), capsys)
    assert "FROM: 서쪽역, West Station" in text
    assert "TO: 동쪽공원, East Park" in text
    assert "1.40" in text


async def test_a_name_that_nothing_has(settings: CommandSettings) -> None:
    with pytest.raises(CommandFailed, match="TO: no place is called qwxzqwxz"):
        await asyncio.to_thread(route, settings, Trip(FROM, "qwxzqwxz"))


@pytest.mark.parametrize("mode", ["run", "bike", "wheelchair", "CAR"])
async def test_all_modes(settings: CommandSettings, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    assert "fastest" in await said(settings, Trip(FROM, TO, mode=mode), capsys)


async def test_what_the_router_refuses_is_one_sentence(settings: CommandSettings) -> None:
    with pytest.raises(CommandFailed, match="nearest way"):
        await asyncio.to_thread(route, settings, Trip(FROM, place(0, 9000)))


@pytest.mark.parametrize(
    ("saved", "difference", "words"),
    [
        (0.12, route_pb2.MEANINGFUL_DIFFERENCE, "+1.0 min, +80 m, 12.0% less inhaled (8%–16%)"),
        (-0.12, route_pb2.MEANINGFUL_DIFFERENCE, "+1.0 min, +80 m, 12.0% more inhaled (8%–16%)"),
        (0.01, route_pb2.NO_MEANINGFUL_DIFFERENCE, "+1.0 min, +80 m, no meaningful difference in air"),
        (None, route_pb2.DIFFERENCE_UNSPECIFIED, "+1.0 min, +80 m"),
    ],
)
def test_what_a_comparison_says(saved: float | None, difference: route_pb2.Difference.ValueType, words: str) -> None:
    compared = route_pb2.Comparison(
        added_duration=Duration(seconds=60), added_distance_meters=80, dose_saved_fraction=saved, difference=difference
    )
    if saved is not None:
        compared.dose_saved_lower_fraction, compared.dose_saved_upper_fraction = saved - 0.04, saved + 0.04
    assert comparison(compared) == words
