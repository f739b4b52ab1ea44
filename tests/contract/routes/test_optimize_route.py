"""OptimizeRoute as a client sees it: the order, the legs, and a reason and a field for each bad input."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import grpc
import pytest
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc, stops_pb2
from cleanair.type.v1 import data_status_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from air.pollutants import Pollutant
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire, time_from_wire, time_to_wire
from router.graph.graph import RoadClass
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.contract.refusal import refusal_of
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"
Change = Callable[[stops_pb2.OptimizeRouteRequest], object]

INVALID, NOT_FOUND, BEYOND = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
)
HOUR = timedelta(hours=1)

# A main road of 1,000 m, and far in the north a town of its own.
NODES = [(0.0, 0.0), (1000.0, 0.0), (0.0, 3000.0), (500.0, 3000.0)]
EDGES = [Edge(0, 1, RoadClass.ARTERIAL), Edge(2, 3)]


@pytest.fixture(scope="module")
def grpc_servicer() -> RouteService:
    planner = Planner([Region(plan(NODES, EDGES))], stale_after=3 * HOUR)
    planner.know(air_of({Pollutant.NO2: 50.0, Pollutant.PM25: 10.0}), NOW)
    return RouteService(planner, InProcessCache(), Workers(2, 64), clock=lambda: NOW, keep_for=24 * HOUR)


def stop(east_m: float, north_m: float = 0) -> stops_pb2.Stop:
    return stops_pb2.Stop(point=point_to_wire(at(east_m, north_m)))


def request() -> stops_pb2.OptimizeRouteRequest:
    return stops_pb2.OptimizeRouteRequest(
        origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(1000, 0)), stops=[stop(800), stop(300)]
    )


async def test_the_order_and_its_legs(grpc_stub: Stub) -> None:
    answer = await grpc_stub.OptimizeRoute(request())
    assert list(answer.stop_order) == [1, 0]
    assert [leg.distance_meters for leg in answer.legs] == pytest.approx([300, 500, 200], abs=0.1)
    assert {leg.route_type for leg in answer.legs} == {route_pb2.Route.HEALTHIEST}
    assert {leg.route_id for leg in answer.legs} == {""}
    begun, arrived = time_from_wire(answer.legs[0].departure_time), time_from_wire(answer.legs[-1].arrival_time)
    assert begun == NOW
    assert arrived == NOW + answer.duration.ToTimedelta()
    assert [time_from_wire(time) for time in answer.stay_times] == [
        time_from_wire(leg.arrival_time) for leg in answer.legs[:-1]
    ]
    assert answer.distance_meters == pytest.approx(1000, abs=0.3)
    assert answer.doses[0].dose_ug == pytest.approx(sum(leg.doses[0].dose_ug for leg in answer.legs), rel=0.01)
    assert answer.algorithm == stops_pb2.OptimizeRouteRequest.EXACT
    assert answer.optimal
    assert answer.data_status.state == data_status_pb2.DataStatus.FRESH
    assert answer.graph.startswith("street plan ")


async def test_what_the_order_saves_of_the_one_given(grpc_stub: Stub) -> None:
    compared = (await grpc_stub.OptimizeRoute(request())).compared_to_given_order
    # 800 m, 500 m back and 700 m on, in place of 1,000 m.
    assert compared.added_distance_meters == pytest.approx(-1000, abs=0.5)
    assert compared.dose_saved_fraction == pytest.approx(0.5, abs=0.001)
    assert compared.difference == route_pb2.MEANINGFUL_DIFFERENCE


async def test_a_window_is_waited_for(grpc_stub: Stub) -> None:
    asked = request()
    asked.stops[1].earliest.CopyFrom(time_to_wire(NOW + HOUR))
    asked.stops[1].latest.CopyFrom(time_to_wire(NOW + HOUR))
    asked.stops[1].stay.FromTimedelta(timedelta(minutes=30))
    answer = await grpc_stub.OptimizeRoute(asked)
    place = list(answer.stop_order).index(1)
    assert time_from_wire(answer.stay_times[place]) == NOW + HOUR
    assert time_from_wire(answer.legs[place + 1].departure_time) == NOW + 1.5 * HOUR
    assert answer.duration.ToTimedelta() > 1.5 * HOUR


async def test_a_genetic_search_does_not_claim_to_be_sure(grpc_stub: Stub) -> None:
    asked = request()
    asked.algorithm = stops_pb2.OptimizeRouteRequest.GENETIC
    answer = await grpc_stub.OptimizeRoute(asked)
    assert list(answer.stop_order) == [1, 0]
    assert answer.algorithm == stops_pb2.OptimizeRouteRequest.GENETIC
    assert not answer.optimal


def window(request: stops_pb2.OptimizeRouteRequest, earliest_hours: float, latest_hours: float) -> None:
    request.stops[1].earliest.CopyFrom(time_to_wire(NOW + earliest_hours * HOUR))
    request.stops[1].latest.CopyFrom(time_to_wire(NOW + latest_hours * HOUR))


def exactly(request: stops_pb2.OptimizeRouteRequest, stops: int) -> None:
    request.stops.extend([stop(100)] * (stops - len(request.stops)))
    request.algorithm = stops_pb2.OptimizeRouteRequest.EXACT


BAD: dict[str, tuple[Change, grpc.StatusCode, str, str]] = {
    "no origin": (lambda r: r.ClearField("origin"), INVALID, "INVALID_INPUT", "origin"),
    "no stop": (lambda r: r.ClearField("stops"), INVALID, "INVALID_INPUT", "stops"),
    "500 stops": (lambda r: r.stops.extend([stop(100)] * 498), INVALID, "INVALID_INPUT", "stops"),
    "a stop nowhere": (lambda r: r.stops[0].ClearField("point"), INVALID, "INVALID_INPUT", "stops[0].point"),
    "a stop off the graph": (
        lambda r: r.stops[1].CopyFrom(stop(300, -700)),
        INVALID,
        "POINT_OFF_GRAPH",
        "stops[1].point",
    ),
    "a stop that cannot be reached": (
        lambda r: r.stops[1].CopyFrom(stop(300, 3000)),
        NOT_FOUND,
        "NO_ROUTE",
        "stops[1].point",
    ),
    "a stay of two days": (
        lambda r: r.stops[0].stay.CopyFrom(Duration(seconds=2 * 86400)),
        INVALID,
        "INVALID_INPUT",
        "stops[0].stay",
    ),
    "a window turned round": (lambda r: window(r, 2, 1), INVALID, "LATEST_BEFORE_EARLIEST", "stops[1].latest"),
    "a window that is over": (lambda r: window(r, -2, -1), INVALID, "TIME_WINDOWS_CANNOT_BE_MET", "stops[1].latest"),
    "a window at no time": (
        lambda r: r.stops[0].latest.CopyFrom(Timestamp(seconds=2**62)),
        INVALID,
        "INVALID_TIME",
        "stops[0].latest",
    ),
    "too many to be exact": (
        lambda r: exactly(r, 13),
        INVALID,
        "TOO_MANY_STOPS_TO_BE_EXACT",
        "algorithm",
    ),
    "alternatives": (
        lambda r: setattr(r, "route_type", route_pb2.Route.ALTERNATIVE),
        INVALID,
        "INVALID_INPUT",
        "route_type",
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
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input(grpc_stub: Stub, case: str) -> None:
    change, code, reason, field = BAD[case]
    asked = request()
    change(asked)
    refused = await refusal_of(grpc_stub.OptimizeRoute(asked))
    assert (refused.code, refused.reason, refused.fields) == (code, reason, (field,))
    assert refused.message
