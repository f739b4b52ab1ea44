"""RouteService while the cache is down: routes come, and the answer says what it lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeAlias

import grpc
import pytest
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.router.v1 import route_service_pb2_grpc
from cleanair.type.v1 import data_status_pb2

from air.pollutants import Pollutant
from mesh.cache import RedisCache
from mesh.wire import point_to_wire
from router.planner import Planner
from router.region import Region
from router.service import RouteService
from router.workers import Workers
from tests.backing.ports import free_port
from tests.contract.refusal import refusal_of
from tests.router.air_plan import NOW, air_of
from tests.router.street_plan import Edge, at, plan

pytestmark = pytest.mark.usefixtures("compiled_router")

Stub: TypeAlias = "route_service_pb2_grpc.RouteServiceAsyncStub"


@pytest.fixture(scope="module")
async def grpc_servicer() -> AsyncIterator[RouteService]:
    planner = Planner([Region(plan([(0, 0), (1000, 0)], [Edge(0, 1)]))], stale_after=timedelta(hours=3))
    planner.know(air_of({Pollutant.NO2: 50.0, Pollutant.PM25: 10.0}), NOW)
    cache, workers = RedisCache(f"redis://127.0.0.1:{free_port()}"), Workers(1, 8)
    yield RouteService(planner, cache, workers, clock=lambda: NOW, keep_for=timedelta(days=1))
    await cache.close()
    workers.close()


async def test_routes_come_and_say_that_they_are_not_kept(grpc_stub: Stub) -> None:
    asked = wire.CalculateRoutesRequest(origin=point_to_wire(at(0, 0)), destination=point_to_wire(at(900, 0)))
    answer = await grpc_stub.CalculateRoutes(asked)
    assert len(answer.routes) == 3
    assert answer.routes[0].doses
    assert answer.data_status.state == data_status_pb2.DataStatus.DEGRADED
    assert list(answer.data_status.reasons) == ["The routes could not be kept: GetRoute will not find them."]


async def test_a_kept_route_cannot_be_told_from_one_that_is_not(grpc_stub: Stub) -> None:
    refused = await refusal_of(grpc_stub.GetRoute(wire.GetRouteRequest(route_id="any")))
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "CACHE_UNAVAILABLE")
