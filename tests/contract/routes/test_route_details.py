"""RouteService's answers in detail, and what it keeps of a question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

import polyline
import pytest
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc, traveller_pb2
from cleanair.router.v1 import route_service_pb2 as wire
from google.protobuf.json_format import MessageToDict
from structlog.testing import capture_logs

from air.pollutants import Pollutant
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire, time_from_wire
from router.graph.graph import RoadClass
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.router.air_plan import ISSUED, NOW, air_of
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"
Request = wire.CalculateRoutesRequest

HOUR = timedelta(hours=1)
STREETS = plan(
    [(0, 0), (500, 0), (500, 700)],
    [
        Edge(0, 1, RoadClass.ARTERIAL, street="세종대로"),
        Edge(1, 2, RoadClass.PARK_PATH, street="숲길", via=((480, 300),)),
    ],
)


class RememberingCache(InProcessCache):
    """Keeps, and shows, all that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bytes] = []

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self.given.append(value)
        await super().set(key, value, ttl_seconds)


@pytest.fixture(scope="module")
def cache() -> RememberingCache:
    return RememberingCache()


@pytest.fixture(scope="module")
def grpc_servicer(cache: RememberingCache) -> RouteService:
    planner = Planner([Region(STREETS)], stale_after=3 * HOUR)
    planner.know(air_of({Pollutant.NO2: 80.0, Pollutant.PM25: 10.0}), NOW)
    return RouteService(planner, cache, Workers(2, 64), clock=lambda: NOW, keep_for=24 * HOUR)


def request(*details: Request.Detail.ValueType, language: str = "") -> wire.CalculateRoutesRequest:
    return wire.CalculateRoutesRequest(
        origin=point_to_wire(at(33.3, 0)),
        destination=point_to_wire(at(500, 612.4)),
        route_types=[route_pb2.Route.FASTEST, route_pb2.Route.HEALTHIEST],
        details=details,
        language_code=language,
    )


def adds_up(parts: Sequence[route_pb2.Step] | Sequence[route_pb2.Segment], route: route_pb2.Route) -> bool:
    """To the last digit that is told."""
    meters = sum(round(part.distance_meters * 10) for part in parts)
    times = sum((part.duration.ToTimedelta() for part in parts), timedelta())
    return meters == round(route.distance_meters * 10) and times == route.duration.ToTimedelta()


async def test_nothing_is_told_in_detail_unless_asked_for(grpc_stub: Stub) -> None:
    for route in (await grpc_stub.CalculateRoutes(request())).routes:
        assert not route.HasField("geojson")
        assert not route.steps
        assert not route.segments


async def test_the_line_as_geojson(grpc_stub: Stub) -> None:
    route = (await grpc_stub.CalculateRoutes(request(Request.GEOJSON))).routes[0]
    geojson = MessageToDict(route.geojson)
    assert geojson["type"] == "LineString"
    line = polyline.decode(route.encoded_polyline, 5)
    assert len(geojson["coordinates"]) == len(line)
    for (longitude, latitude), place in zip(geojson["coordinates"], line, strict=True):
        assert (latitude, longitude) == pytest.approx(place, abs=1e-5)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("", ["Go east along 세종대로", "Turn left into 숲길", "You have arrived"]),
        (
            "ko",
            ["세종대로를 따라 동쪽으로 출발하세요", "숲길로 좌회전하세요", "목적지에 도착했습니다"],
        ),
    ],
)
async def test_steps(grpc_stub: Stub, language: str, words: list[str]) -> None:
    for route in (await grpc_stub.CalculateRoutes(request(Request.STEPS, language=language))).routes:
        assert [step.instruction for step in route.steps] == words
        maneuver = route_pb2.Step.Maneuver
        assert [step.maneuver for step in route.steps] == [maneuver.DEPART, maneuver.LEFT, maneuver.ARRIVE]
        assert adds_up(route.steps, route)
        line = polyline.decode(route.encoded_polyline, 5)
        for step in route.steps:
            assert (step.start.latitude, step.start.longitude) == pytest.approx(line[step.first_point], abs=1e-5)
        assert route.steps[0].bearing_degrees == 90


async def test_segments(grpc_stub: Stub) -> None:
    for route in (await grpc_stub.CalculateRoutes(request(Request.SEGMENTS))).routes:
        assert adds_up(route.segments, route)
        assert [segment.first_point for segment in route.segments] == [0, 1]
        assert [segment.last_point for segment in route.segments] == [1, 3]
        on_road, in_park = route.segments
        assert on_road.air_quality_score < in_park.air_quality_score
        for dose in route.doses:
            parts = [part.dose_ug for s in route.segments for part in s.doses if part.pollutant == dose.pollutant]
            assert sum(parts) == pytest.approx(dose.dose_ug, abs=0.002)


class TestWhatIsKept:
    async def test_a_route_is_kept_with_what_explains_it(self, grpc_stub: Stub) -> None:
        asked = request(Request.STEPS)
        asked.algorithm = Request.DIJKSTRA
        answer = await grpc_stub.CalculateRoutes(asked)
        kept = await grpc_stub.GetRoute(wire.GetRouteRequest(route_id=answer.routes[1].route_id))
        assert kept.route == answer.routes[1]
        assert kept.route.steps
        assert kept.request == asked
        assert time_from_wire(kept.calculated_at) == NOW
        assert time_from_wire(kept.issue_time) == ISSUED
        assert (kept.graph, kept.data_status) == (answer.graph, answer.data_status)

    async def test_who_travels_is_neither_kept_nor_logged(self, grpc_stub: Stub, cache: RememberingCache) -> None:
        asked = request()
        asked.traveller.sensitivity = traveller_pb2.Traveller.LOW
        asked.traveller.conditions.append(traveller_pb2.Traveller.ASTHMA)
        cache.given.clear()
        with capture_logs() as logs:
            answer = await grpc_stub.CalculateRoutes(asked)
        assert len(cache.given) == len(answer.routes)
        traveller = asked.traveller.SerializeToString()
        asked.ClearField("traveller")
        for given in cache.given:
            kept = wire.GetRouteResponse.FromString(given)
            assert kept.request == asked
            assert traveller not in given
        assert logs
        said = str(logs).upper()
        assert not [word for word in ("ASTHMA", "TRAVELLER", "SENSITIV", "CONDITION") if word in said]
