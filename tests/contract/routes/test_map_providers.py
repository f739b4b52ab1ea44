"""RouteService with OSRM and Valhalla behind it: their ways on our streets, with our air; and what they do wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import TypeAlias

import grpc
import pytest
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.type.v1 import data_status_pb2

from air.pollutants import Pollutant
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire
from router.graph.graph import RoadClass
from router.planner import Planner
from router.providers.opening import open_providers
from router.region import Region
from router.service import RouteService
from router.settings import RouterSettings
from router.workers import Workers
from simulation.json_server import JsonAnswer, JsonServer
from simulation.map_servers import Place, osrm_server, valhalla_server
from tests.contract.refusal import refusal_of
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"
Provider = wire.CalculateRoutesRequest.Provider
Route = route_pb2.Route

OSRM, VALHALLA = wire.CalculateRoutesRequest.OSRM, wire.CalculateRoutesRequest.VALHALLA
BOTH = pytest.mark.parametrize("provider", [OSRM, VALHALLA], ids=["osrm", "valhalla"])

# A main road of 1,000 m, and two ways around it: by a lane, and by a park.
STREETS = plan(
    [(0, 0), (1000, 0)],
    [
        Edge(0, 1, RoadClass.ARTERIAL),
        Edge(0, 1, via=((500, -200),)),
        Edge(0, 1, RoadClass.PARK_PATH, via=((500, 300),)),
    ],
)


def place(east_m: float, north_m: float) -> Place:
    point = at(east_m, north_m)
    return point.latitude, point.longitude


ROAD, LANE, PARK = ([place(0, 4), place(500, bend), place(1000, 4)] for bend in (4, -204, 304))
OFF_OUR_STREETS = [place(0, 0), place(0, 2000), place(1000, 2000), place(1000, 0)]


class Ways:
    """What the servers answer with."""

    def __init__(self) -> None:
        self.found: Sequence[Sequence[Place]] = (ROAD, LANE)

    def __call__(self, origin: Place, destination: Place) -> Sequence[Sequence[Place]]:
        assert origin == pytest.approx(place(0, 0), abs=1e-6)
        assert destination == pytest.approx(place(1000, 0), abs=1e-6)
        return self.found


@pytest.fixture(scope="module")
def ways() -> Ways:
    return Ways()


@pytest.fixture(scope="module")
def servers(ways: Ways) -> Iterator[dict[Provider.ValueType, JsonServer]]:
    with osrm_server(ways) as osrm, valhalla_server(ways) as valhalla:
        yield {OSRM: osrm, VALHALLA: valhalla}


@pytest.fixture(autouse=True)
def fresh(ways: Ways, servers: dict[Provider.ValueType, JsonServer]) -> None:
    ways.found = (ROAD, LANE)
    for server in servers.values():
        server.requests.clear()
        server.faults.clear()


@pytest.fixture(scope="module")
def planner() -> Planner:
    planner = Planner([Region(STREETS)], stale_after=timedelta(hours=3))
    planner.know(air_of({Pollutant.NO2: 80.0, Pollutant.PM25: 10.0}), NOW)
    return planner


async def service(planner: Planner, settings: RouterSettings) -> AsyncIterator[RouteService]:
    workers = Workers(1, 8)
    async with open_providers(settings) as providers:
        yield RouteService(
            planner, InProcessCache(), workers, clock=lambda: NOW, keep_for=timedelta(days=1), providers=providers
        )
    workers.close()


@pytest.fixture(scope="module")
async def grpc_servicer(planner: Planner, servers: dict[Provider.ValueType, JsonServer]) -> AsyncIterator[RouteService]:
    settings = RouterSettings(
        osrm_url=servers[OSRM].url + "/routed-{profile}",
        valhalla_url=servers[VALHALLA].url,
        provider_deadline_seconds=1.0,
    )
    async for servicer in service(planner, settings):
        yield servicer


def request(provider: Provider.ValueType) -> wire.CalculateRoutesRequest:
    return wire.CalculateRoutesRequest(
        origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(1000, 0)), provider=provider
    )


@BOTH
async def test_their_ways_are_told_with_our_air(
    grpc_stub: Stub, servers: dict[Provider.ValueType, JsonServer], provider: Provider.ValueType
) -> None:
    answer = await grpc_stub.CalculateRoutes(request(provider))
    assert [way.route_type for way in answer.routes] == [Route.FASTEST, Route.SHORTEST, Route.HEALTHIEST]
    fastest, _, healthiest = answer.routes
    assert {way.provider for way in answer.routes} == {Provider.Name(provider).lower()}
    assert fastest.distance_meters == pytest.approx(1000, abs=0.1)
    # They have not told of the park, which is healthier yet.
    assert healthiest.distance_meters == pytest.approx(1077, abs=0.1)
    assert healthiest.compared_to_fastest.dose_saved_fraction > 0
    assert fastest.doses
    assert answer.data_status.state == data_status_pb2.DataStatus.FRESH
    assert len(servers[provider].requests) == 1


async def test_all_that_they_have_told_are_alternatives(grpc_stub: Stub, ways: Ways) -> None:
    ways.found = (PARK, ROAD, LANE, ROAD)
    asked = request(OSRM)
    asked.route_types.append(Route.ALTERNATIVE)
    told = (await grpc_stub.CalculateRoutes(asked)).routes
    assert [way.distance_meters for way in told] == pytest.approx([1000, 1077, 1166.2], abs=0.1)


async def test_each_is_asked_in_its_own_words(grpc_stub: Stub, servers: dict[Provider.ValueType, JsonServer]) -> None:
    for provider in (OSRM, VALHALLA):
        asked = request(provider)
        asked.travel_mode = Route.BIKE
        await grpc_stub.CalculateRoutes(asked)
    ((osrm, _),) = servers[OSRM].requests
    assert osrm.startswith("/routed-bike/route/v1/bike/126.95")
    ((target, question),) = servers[VALHALLA].requests
    assert target == "/route"
    assert json.loads(question)["costing"] == "bicycle"


async def test_what_does_not_run_on_our_streets_is_said(grpc_stub: Stub, ways: Ways) -> None:
    ways.found = (ROAD, [*LANE[:2], place(600, -600), LANE[2]])
    answer = await grpc_stub.CalculateRoutes(request(OSRM))
    assert answer.data_status.state == data_status_pb2.DataStatus.DEGRADED
    (reason,) = answer.data_status.reasons
    assert "OSRM" in reason
    ways.found = [OFF_OUR_STREETS]
    refused = await refusal_of(grpc_stub.CalculateRoutes(request(OSRM)))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "PROVIDER_FOUND_NO_ROUTE")
    assert refused.fields == ("provider",)


async def test_departures_are_not_compared_on_their_streets(grpc_stub: Stub) -> None:
    asked = request(OSRM)
    asked.departure_window_hours = 3
    refused = await refusal_of(grpc_stub.CalculateRoutes(asked))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PROVIDER_HAS_NO_DEPARTURES")
    assert refused.fields == ("departure_window_hours",)


@BOTH
async def test_no_way_of_theirs(grpc_stub: Stub, ways: Ways, provider: Provider.ValueType) -> None:
    ways.found = ()
    refused = await refusal_of(grpc_stub.CalculateRoutes(request(provider)))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "PROVIDER_FOUND_NO_ROUTE")


@BOTH
async def test_a_short_outage_is_not_noticed(
    grpc_stub: Stub, servers: dict[Provider.ValueType, JsonServer], provider: Provider.ValueType
) -> None:
    servers[provider].faults.append(JsonAnswer({}, HTTPStatus.SERVICE_UNAVAILABLE))
    assert (await grpc_stub.CalculateRoutes(request(provider))).routes
    assert len(servers[provider].requests) == 2


class TestFaults:
    async def refused(self, grpc_stub: Stub, provider: Provider.ValueType) -> str:
        refused = await refusal_of(grpc_stub.CalculateRoutes(request(provider)))
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
        assert "leave the provider out" in refused.message
        return refused.message

    @BOTH
    @pytest.mark.parametrize(
        "document",
        [
            {},
            ["?"],
            {"code": "Ok"},
            {"code": "Ok", "routes": [{"geometry": "\x01"}]},
            {"trip": {"legs": [{"shape": ""}]}},
            {"code": "InvalidQuery", "message": "?", "error_code": 104},
        ],
        ids=str,
    )
    async def test_an_answer_without_sense(
        self,
        grpc_stub: Stub,
        servers: dict[Provider.ValueType, JsonServer],
        provider: Provider.ValueType,
        document: dict[str, str],
    ) -> None:
        servers[provider].faults.append(JsonAnswer(document))
        await self.refused(grpc_stub, provider)

    @BOTH
    async def test_a_long_outage(
        self, grpc_stub: Stub, servers: dict[Provider.ValueType, JsonServer], provider: Provider.ValueType
    ) -> None:
        servers[provider].faults.extend([JsonAnswer({}, HTTPStatus.BAD_GATEWAY)] * 9)
        assert "cannot be reached" in await self.refused(grpc_stub, provider)

    async def test_no_answer_in_time(self, grpc_stub: Stub, servers: dict[Provider.ValueType, JsonServer]) -> None:
        released = threading.Event()
        servers[OSRM].faults.append(JsonAnswer({}, delay=released))
        try:
            assert "in time" in await self.refused(grpc_stub, OSRM)
        finally:
            released.set()

    async def test_our_own_streets_need_none_of_them(
        self, grpc_stub: Stub, servers: dict[Provider.ValueType, JsonServer]
    ) -> None:
        answer = await grpc_stub.CalculateRoutes(request(wire.CalculateRoutesRequest.CLEANAIR))
        assert {way.provider for way in answer.routes} == {"cleanair"}
        assert not any(server.requests for server in servers.values())
