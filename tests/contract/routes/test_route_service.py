"""RouteService as a client sees it: its answers, and a status, a reason and a field for each bad input."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias, cast

import grpc
import polyline
import pytest
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc, traveller_pb2
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.type.v1 import data_status_pb2, point_pb2, pollutant_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from air.pollutants import Pollutant
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire, time_from_wire, time_to_wire
from router.graph.graph import Access, RoadClass
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.contract.refusal import refusal_of
from tests.router.air_plan import ISSUED, NOW, air_of
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"
Change = Callable[[wire.CalculateRoutesRequest], object]

INVALID, NOT_FOUND, BEYOND = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
)
HOUR = timedelta(hours=1)

# A main road of 1,000 m, a park path beside it of 1,166 m, and far in the north a town of its own.
NODES = [(0.0, 0.0), (1000.0, 0.0), (0.0, 3000.0), (500.0, 3000.0), (0.0, 4000.0)]
NO_CAR = Access.FOOT | Access.BIKE
EDGES = [
    Edge(0, 1, RoadClass.ARTERIAL, NO_CAR, NO_CAR),
    Edge(0, 1, RoadClass.PARK_PATH, NO_CAR, NO_CAR, via=((500.0, 300.0),)),
    Edge(2, 3, RoadClass.LOCAL, NO_CAR, NO_CAR),
    # Nobody rides here.
    Edge(2, 4, forth=Access.FOOT, back=Access.FOOT),
]


@pytest.fixture(scope="module")
def planner() -> Planner:
    planner = Planner([Region(plan(NODES, EDGES))], stale_after=3 * HOUR)
    planner.know(air_of({Pollutant.NO2: 50.0, Pollutant.PM25: 10.0}), NOW)
    return planner


@pytest.fixture(scope="module")
def grpc_servicer(planner: Planner) -> RouteService:
    return RouteService(planner, InProcessCache(), Workers(2, 64), clock=lambda: NOW, keep_for=24 * HOUR)


def request() -> wire.CalculateRoutesRequest:
    return wire.CalculateRoutesRequest(origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(1000, 0)))


async def test_unset_means_all_three_routes_on_foot_from_now(grpc_stub: Stub) -> None:
    answer = await grpc_stub.CalculateRoutes(request())
    route = route_pb2.Route
    assert [way.route_type for way in answer.routes] == [route.FASTEST, route.SHORTEST, route.HEALTHIEST]
    assert {way.travel_mode for way in answer.routes} == {route.WALK}
    assert {time_from_wire(way.departure_time) for way in answer.routes} == {NOW}
    assert answer.graph.startswith("street plan ")
    assert answer.data_status.state == data_status_pb2.DataStatus.FRESH
    assert time_from_wire(answer.data_status.newest_measured_at) == ISSUED
    assert answer.data_status.simulated


async def test_a_route_says_what_it_costs_and_where_it_runs(grpc_stub: Stub) -> None:
    fastest, _, healthiest = (await grpc_stub.CalculateRoutes(request())).routes
    assert fastest.distance_meters == pytest.approx(1000, abs=0.1)
    assert fastest.duration.ToTimedelta().total_seconds() == pytest.approx(1000 / 1.3, abs=0.1)
    assert time_from_wire(fastest.arrival_time) == NOW + fastest.duration.ToTimedelta()
    assert not fastest.HasField("compared_to_fastest")
    doses = {dose.pollutant: dose for dose in fastest.doses}
    assert set(doses) == {pollutant_pb2.NO2, pollutant_pb2.PM25}
    assert doses[pollutant_pb2.NO2].mean_concentration_ug_m3 == pytest.approx(86.45)
    assert all(dose.dose_lower_ug < dose.dose_ug < dose.dose_upper_ug for dose in doses.values())
    assert all(
        0 < d.mean_concentration_lower_ug_m3 < d.mean_concentration_ug_m3 < d.mean_concentration_upper_ug_m3
        for d in doses.values()
    )
    assert 0 < fastest.air_quality_score_lower < fastest.air_quality_score < fastest.air_quality_score_upper < 100
    line = polyline.decode(healthiest.encoded_polyline, 5)
    assert len(line) == 3
    assert line[0] == pytest.approx((healthiest.start.latitude, healthiest.start.longitude), abs=1e-5)
    assert line[-1] == pytest.approx((healthiest.end.latitude, healthiest.end.longitude), abs=1e-5)
    compared = healthiest.compared_to_fastest
    assert compared.added_distance_meters == pytest.approx(166.2, abs=0.1)
    assert compared.added_duration.ToTimedelta() == healthiest.duration.ToTimedelta() - fastest.duration.ToTimedelta()
    assert compared.dose_saved_fraction > 0.15
    assert compared.dose_saved_lower_fraction < compared.dose_saved_fraction < compared.dose_saved_upper_fraction
    assert compared.difference == (
        route_pb2.MEANINGFUL_DIFFERENCE
        if compared.dose_saved_lower_fraction > 0
        else route_pb2.NO_MEANINGFUL_DIFFERENCE
    )


@pytest.mark.parametrize(
    "algorithm", [wire.CalculateRoutesRequest.DIJKSTRA, wire.CalculateRoutesRequest.A_STAR], ids=["dijkstra", "a star"]
)
async def test_what_is_asked_for_is_answered(
    grpc_stub: Stub, algorithm: wire.CalculateRoutesRequest.Algorithm.ValueType
) -> None:
    asked = request()
    asked.travel_mode = route_pb2.Route.BIKE
    asked.route_types.append(route_pb2.Route.SHORTEST)
    asked.departure_time.CopyFrom(time_to_wire(NOW + 5 * HOUR))
    asked.algorithm = algorithm
    (way,) = (await grpc_stub.CalculateRoutes(asked)).routes
    assert (way.route_type, way.travel_mode) == (route_pb2.Route.SHORTEST, route_pb2.Route.BIKE)
    assert time_from_wire(way.departure_time) == NOW + 5 * HOUR
    assert way.duration.ToTimedelta().total_seconds() == pytest.approx(1000 / 4.4, abs=0.1)


async def test_a_route_can_be_asked_for_again(grpc_stub: Stub) -> None:
    answer = await grpc_stub.CalculateRoutes(request())
    assert len({way.route_id for way in answer.routes}) == 3
    for way in answer.routes:
        again = await grpc_stub.GetRoute(wire.GetRouteRequest(route_id=way.route_id))
        assert again.route == way
        assert again.data_status == answer.data_status
        assert again.graph == answer.graph


@pytest.mark.parametrize(
    ("route_id", "code", "reason"),
    [
        ("never-calculated", NOT_FOUND, "ROUTE_NOT_FOUND"),
        ("", INVALID, "INVALID_INPUT"),
        ("x" * 65, INVALID, "INVALID_INPUT"),
    ],
)
async def test_a_route_that_is_not_kept(grpc_stub: Stub, route_id: str, code: grpc.StatusCode, reason: str) -> None:
    refused = await refusal_of(grpc_stub.GetRoute(wire.GetRouteRequest(route_id=route_id)))
    assert (refused.code, refused.reason, refused.fields) == (code, reason, ("route_id",))


def point(latitude: float | None, longitude: float | None) -> point_pb2.Point:
    return point_pb2.Point(latitude=latitude, longitude=longitude)


# A number that a later release may give a meaning.
_TYPE_99 = cast("route_pb2.Route.Type.ValueType", 99)
_DETAIL_99 = cast("wire.CalculateRoutesRequest.Detail.ValueType", 99)

BY_BIKE_TO_THE_FOOTPATH = wire.CalculateRoutesRequest(
    travel_mode=route_pb2.Route.BIKE, destination=point_to_wire(at(0, 3900))
)

BAD: dict[str, tuple[Change, grpc.StatusCode, str, str]] = {
    "no origin": (lambda r: r.ClearField("origin"), INVALID, "INVALID_INPUT", "origin"),
    "no destination": (lambda r: r.ClearField("destination"), INVALID, "INVALID_INPUT", "destination"),
    "no latitude": (lambda r: r.origin.ClearField("latitude"), INVALID, "INVALID_INPUT", "origin.latitude"),
    "beyond the pole": (lambda r: r.origin.CopyFrom(point(90.1, 0)), INVALID, "INVALID_INPUT", "origin.latitude"),
    "around the world": (
        lambda r: r.destination.CopyFrom(point(0, -180.1)),
        INVALID,
        "INVALID_INPUT",
        "destination.longitude",
    ),
    "not a number": (
        lambda r: r.origin.CopyFrom(point(37.5, float("nan"))),
        INVALID,
        "INVALID_INPUT",
        "origin.longitude",
    ),
    "infinite": (lambda r: r.origin.CopyFrom(point(float("inf"), 127)), INVALID, "INVALID_INPUT", "origin.latitude"),
    "origin off the graph": (lambda r: r.origin.CopyFrom(point(0, 0)), INVALID, "POINT_OFF_GRAPH", "origin"),
    "destination off the graph": (
        lambda r: r.destination.CopyFrom(point_to_wire(at(0, -600))),
        INVALID,
        "POINT_OFF_GRAPH",
        "destination",
    ),
    "the north pole": (lambda r: r.origin.CopyFrom(point(90, 180)), INVALID, "POINT_OFF_GRAPH", "origin"),
    "equal ends": (
        lambda r: r.destination.CopyFrom(r.origin),
        INVALID,
        "ORIGIN_EQUALS_DESTINATION",
        "destination",
    ),
    "ends that are not joined": (
        lambda r: r.destination.CopyFrom(point_to_wire(at(0, 3000))),
        NOT_FOUND,
        "NO_ROUTE",
        "destination",
    ),
    "unknown travel mode": (lambda r: setattr(r, "travel_mode", 99), INVALID, "INVALID_INPUT", "travel_mode"),
    "unknown route type": (lambda r: r.route_types.append(_TYPE_99), INVALID, "INVALID_INPUT", "route_types[0]"),
    "unspecified route type": (
        lambda r: r.route_types.append(route_pb2.Route.TYPE_UNSPECIFIED),
        INVALID,
        "INVALID_INPUT",
        "route_types[0]",
    ),
    "repeated route type": (
        lambda r: r.route_types.extend([route_pb2.Route.FASTEST] * 2),
        INVALID,
        "INVALID_INPUT",
        "route_types",
    ),
    "unknown algorithm": (lambda r: setattr(r, "algorithm", -1), INVALID, "INVALID_INPUT", "algorithm"),
    "a travel mode that may go nowhere": (
        lambda r: setattr(r, "travel_mode", route_pb2.Route.CAR),
        INVALID,
        "POINT_OFF_GRAPH",
        "origin",
    ),
    "an end on a way that is closed for the travel mode": (
        lambda r: r.MergeFrom(BY_BIKE_TO_THE_FOOTPATH),
        INVALID,
        "POINT_OFF_GRAPH",
        "destination",
    ),
    "unknown detail": (lambda r: r.details.append(_DETAIL_99), INVALID, "INVALID_INPUT", "details[0]"),
    "unknown sensitivity": (
        lambda r: setattr(r.traveller, "sensitivity", 99),
        INVALID,
        "INVALID_INPUT",
        "traveller.sensitivity",
    ),
    "unspecified condition": (
        lambda r: r.traveller.conditions.append(traveller_pb2.Traveller.CONDITION_UNSPECIFIED),
        INVALID,
        "INVALID_INPUT",
        "traveller.conditions[0]",
    ),
    "a condition twice": (
        lambda r: r.traveller.conditions.extend([traveller_pb2.Traveller.ASTHMA] * 2),
        INVALID,
        "INVALID_INPUT",
        "traveller.conditions",
    ),
    "unknown provider": (lambda r: setattr(r, "provider", 99), INVALID, "INVALID_INPUT", "provider"),
    "a provider that is not configured": (
        lambda r: setattr(r, "provider", wire.CalculateRoutesRequest.OSRM),
        grpc.StatusCode.FAILED_PRECONDITION,
        "PROVIDER_NOT_CONFIGURED",
        "provider",
    ),
    "unknown language": (lambda r: setattr(r, "language_code", "de"), INVALID, "INVALID_INPUT", "language_code"),
    "no window at all": (
        lambda r: setattr(r, "departure_window_hours", 0),
        INVALID,
        "INVALID_INPUT",
        "departure_window_hours",
    ),
    "departure over": (
        lambda r: r.departure_time.CopyFrom(time_to_wire(NOW - HOUR)),
        INVALID,
        "DEPARTURE_IN_PAST",
        "departure_time",
    ),
    "departure beyond the forecast": (
        lambda r: r.departure_time.CopyFrom(time_to_wire(NOW + 72 * HOUR)),
        BEYOND,
        "DEPARTURE_BEYOND_FORECAST",
        "departure_time",
    ),
    "departure at no time": (
        lambda r: r.departure_time.CopyFrom(Timestamp(seconds=2**62)),
        INVALID,
        "INVALID_TIME",
        "departure_time",
    ),
    "departure in broken nanoseconds": (
        lambda r: r.departure_time.CopyFrom(Timestamp(seconds=1_800_000_000, nanos=-1)),
        INVALID,
        "INVALID_TIME",
        "departure_time",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input(grpc_stub: Stub, case: str) -> None:
    change, code, reason, field = BAD[case]
    asked = request()
    change(asked)
    refused = await refusal_of(grpc_stub.CalculateRoutes(asked))
    assert (refused.code, refused.reason, refused.fields) == (code, reason, (field,))
    assert refused.message


async def test_the_last_hour_that_can_be_asked_for_is_told(grpc_stub: Stub) -> None:
    asked = request()
    asked.departure_time.CopyFrom(time_to_wire(NOW + 72 * HOUR))
    refused = await refusal_of(grpc_stub.CalculateRoutes(asked))
    assert refused.metadata["last_hour"] == "2025-11-06T08:00:00Z"


async def test_a_point_off_the_graph_is_told_how_far(grpc_stub: Stub) -> None:
    asked = request()
    asked.origin.CopyFrom(point_to_wire(at(0, -600)))
    refused = await refusal_of(grpc_stub.CalculateRoutes(asked))
    assert 595 < float(refused.metadata["distance_meters"]) < 605
