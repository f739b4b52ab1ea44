"""What there is to choose from, as a client sees it: ways between the fastest and the cleanest, and times to leave."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TypeAlias

import grpc
import pytest
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as wire

from air.pollutants import Pollutant
from mesh.cache import InProcessCache
from mesh.wire import point_to_wire, time_from_wire
from router.graph.graph import Access, RoadClass
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.contract.refusal import refusal_of
from tests.router.air_plan import ISSUED, NOW
from tests.router.street_plan import Edge, at, plan
from tests.router.test_departures import air_by_hour

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"

INVALID, BEYOND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE
HOUR = timedelta(hours=1)
ALTERNATIVE, FASTEST, HEALTHIEST = route_pb2.Route.ALTERNATIVE, route_pb2.Route.FASTEST, route_pb2.Route.HEALTHIEST

# From west to east a main road of 2,000 m with three paths beside it, each farther off and longer; and a long road.
ON_FOOT = Access.FOOT
OFF_M = (40.0, 80.0, 140.0)
NODES = [(0.0, 0.0), (2000.0, 0.0), (-6000.0, 0.0), *((x, off) for off in OFF_M for x in (0.0, 2000.0))]
EDGES = [
    Edge(0, 1, RoadClass.ARTERIAL, ON_FOOT, ON_FOOT),
    Edge(2, 0, RoadClass.LOCAL, ON_FOOT, ON_FOOT),
    *(
        Edge(start, end, RoadClass.FOOTWAY, ON_FOOT, ON_FOOT)
        for west in (3, 5, 7)
        for start, end in ((0, west), (west, west + 1), (west + 1, 1))
    ),
]


@pytest.fixture(scope="module")
def grpc_servicer() -> RouteService:
    """In air that is clean from noon to one, and forecast to the end of the day."""
    planner = Planner([Region(plan(NODES, EDGES))], stale_after=3 * HOUR)
    planner.know(air_by_hour(lambda horizon: 8.0 if horizon == 5 else 80.0, Pollutant.NO2, hours=16), NOW)
    return RouteService(planner, InProcessCache(), Workers(2, 64), clock=lambda: NOW, keep_for=24 * HOUR)


def request(*types: route_pb2.Route.Type.ValueType, window: int | None = None) -> wire.CalculateRoutesRequest:
    return wire.CalculateRoutesRequest(
        origin=point_to_wire(at(0, 0)),
        destination=point_to_wire(at(2000, 0)),
        route_types=types,
        departure_window_hours=window,
    )


async def test_alternatives_follow_by_time_each_cleaner_than_the_one_before(grpc_stub: Stub) -> None:
    answer = await grpc_stub.CalculateRoutes(request(HEALTHIEST, ALTERNATIVE))
    healthiest, *several = answer.routes
    assert healthiest.route_type == HEALTHIEST
    assert {route.route_type for route in several} == {ALTERNATIVE}
    assert 3 <= len(several) <= 5
    assert len({route.route_id for route in answer.routes}) == len(answer.routes)
    first, *others = several
    assert not first.HasField("compared_to_fastest")
    assert not healthiest.HasField("compared_to_fastest")  # the fastest was not asked for
    saved = [route.compared_to_fastest.dose_saved_fraction for route in others]
    assert all(0 < sooner < later for sooner, later in pairwise(saved))
    seconds = [route.duration.ToTimedelta() for route in several]
    assert seconds == sorted(seconds)
    for route, taken in zip(others, seconds[1:], strict=True):
        compared = route.compared_to_fastest
        assert compared.added_duration.ToTimedelta() == taken - seconds[0]
        assert compared.dose_saved_lower_fraction < compared.dose_saved_fraction < compared.dose_saved_upper_fraction
        assert compared.difference != route_pb2.DIFFERENCE_UNSPECIFIED


async def test_an_alternative_is_told_in_detail_and_kept_as_any_route(grpc_stub: Stub) -> None:
    asked = request(ALTERNATIVE)
    asked.details.extend([wire.CalculateRoutesRequest.STEPS, wire.CalculateRoutesRequest.GEOJSON])
    for route in (await grpc_stub.CalculateRoutes(asked)).routes:
        assert route.steps[-1].maneuver == route_pb2.Step.ARRIVE
        assert len(route.geojson.coordinates) >= 2
        assert (await grpc_stub.GetRoute(wire.GetRouteRequest(route_id=route.route_id))).route == route


async def test_alternatives_of_more_than_an_hour_are_refused(grpc_stub: Stub) -> None:
    asked = request(FASTEST, ALTERNATIVE)
    asked.origin.CopyFrom(point_to_wire(at(-5000, 0)))
    refused = await refusal_of(grpc_stub.CalculateRoutes(asked))
    assert (refused.code, refused.reason, refused.fields) == (
        BEYOND,
        "TRIP_TOO_LONG_FOR_ALTERNATIVES",
        ("route_types",),
    )
    assert refused.metadata == {"limit_seconds": "3600"}


async def test_departures_say_when_it_is_best_to_leave(grpc_stub: Stub) -> None:
    answer = await grpc_stub.CalculateRoutes(request(FASTEST, window=6))
    assert [route.route_type for route in answer.routes] == [FASTEST]
    times = [time_from_wire(departure.departure_time) for departure in answer.departures]
    assert times == [NOW, *(ISSUED + number * HOUR for number in range(1, 7))]
    assert [departure.best for departure in answer.departures] == [time == ISSUED + 4 * HOUR for time in times]
    first = answer.departures[0]
    assert not first.HasField("compared_to_first")
    assert first.doses
    assert first.HasField("air_quality_score")
    (best,) = (departure for departure in answer.departures if departure.best)
    assert best.compared_to_first.dose_saved_fraction > 0.8
    assert best.compared_to_first.difference == route_pb2.MEANINGFUL_DIFFERENCE
    assert best.air_quality_score > first.air_quality_score
    assert [departure.HasField("route") for departure in answer.departures] == [d.best for d in answer.departures]
    assert best.route.route_type == HEALTHIEST
    assert best.route.departure_time == best.departure_time
    assert best.route.duration == best.duration
    assert list(best.route.doses) == list(best.doses)
    assert (await grpc_stub.GetRoute(wire.GetRouteRequest(route_id=best.route.route_id))).route == best.route


async def test_without_a_window_no_departures_are_told(grpc_stub: Stub) -> None:
    assert not (await grpc_stub.CalculateRoutes(request())).departures


async def test_a_window_beyond_the_forecast_is_refused_with_the_longest_there_is(grpc_stub: Stub) -> None:
    refused = await refusal_of(grpc_stub.CalculateRoutes(request(window=20)))
    assert (refused.code, refused.reason, refused.fields) == (
        BEYOND,
        "DEPARTURE_BEYOND_FORECAST",
        ("departure_window_hours",),
    )
    assert len((await grpc_stub.CalculateRoutes(request(window=int(refused.metadata["most_hours"])))).departures) > 10


@pytest.mark.parametrize("window", [0, -1, 73])
async def test_a_window_that_is_none_is_refused(grpc_stub: Stub, window: int) -> None:
    refused = await refusal_of(grpc_stub.CalculateRoutes(request(window=window)))
    assert (refused.code, refused.fields) == (INVALID, ("departure_window_hours",))
