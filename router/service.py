"""RouteService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

import structlog
from cleanair.router.v1 import navigation_pb2, route_pb2, route_service_pb2_grpc, stops_pb2
from cleanair.router.v1 import route_service_pb2 as wire

from air.status import DataStatus, State
from mesh.bell import Bell
from mesh.cache import Cache, CacheUnavailable
from mesh.clock import Clock
from mesh.errors import NotFound
from mesh.interceptors.around import Context
from mesh.wire import status_to_wire, time_to_wire
from router.departures_wire import departures_to_wire
from router.map_provider import OURS_ALONE, MapProviders
from router.navigation_service import Guide
from router.planner import Planner
from router.provided import plan_along
from router.route import Detail, Route
from router.route_wire import language_from_wire, request_from_wire, route_to_wire, warm_up
from router.stops import order_stops
from router.stops_wire import stops_from_wire, tour_to_wire
from router.workers import Workers

FULL_NAME: Final = wire.DESCRIPTOR.services_by_name["RouteService"].full_name

_log: Final = structlog.stdlib.get_logger("routes")


class RouteNotFound(NotFound):
    """No route is kept under the id."""

    reason = "ROUTE_NOT_FOUND"


class RouteService(route_service_pb2_grpc.RouteServiceServicer):
    """Answers for routes, and keeps them for a while."""

    def __init__(
        self,
        planner: Planner,
        cache: Cache,
        workers: Workers,
        *,
        clock: Clock,
        keep_for: timedelta,
        providers: MapProviders = OURS_ALONE,
        guide: Guide | None = None,
    ) -> None:
        self._planner = planner
        self._cache = cache
        self._workers = workers
        self._clock = clock
        self._keep_for = keep_for
        self._providers = providers
        warm_up()
        self._guide = guide or Guide(planner, workers, Bell(), clock=clock)

    async def CalculateRoutes(
        self,
        request: wire.CalculateRoutesRequest,
        context: Context,
    ) -> wire.CalculateRoutesResponse:
        """The ways, each kept under an id of its own."""
        asked, now = request_from_wire(request), self._clock()
        lines = await self._providers.lines(asked)
        language, with_geojson = language_from_wire(request.language_code), Detail.GEOJSON in asked.details

        def told(route: Route) -> route_pb2.Route:
            return route_to_wire(route, language=language, with_geojson=with_geojson)

        def calculate() -> tuple[wire.CalculateRoutesResponse, DataStatus, dict[str, bytes]]:
            plan = self._planner.plan(asked, now) if lines is None else plan_along(self._planner, asked, lines, now)
            routes, departures = map(told, plan.routes), departures_to_wire(plan.departures, told)
            answer = wire.CalculateRoutesResponse(routes=routes, graph=plan.graph, departures=departures)
            return answer, plan.status, _to_keep(request, answer, plan.status, now)

        answer, status, kept = await self._workers.run(calculate)
        answer.data_status.CopyFrom(status_to_wire(await self._keep(kept, status)))
        return answer

    async def GetRoute(
        self,
        request: wire.GetRouteRequest,
        context: Context,
    ) -> wire.GetRouteResponse:
        """A route kept before."""
        kept = await self._cache.get(_key(request.route_id))
        if kept is None:
            hours = self._keep_for / timedelta(hours=1)
            raise RouteNotFound(
                f"No route is kept under this route_id; routes are kept for {hours:g} hours: calculate it again.",
                field="route_id",
            )
        return wire.GetRouteResponse.FromString(kept)

    async def OptimizeRoute(
        self,
        request: stops_pb2.OptimizeRouteRequest,
        context: Context,
    ) -> stops_pb2.OptimizeRouteResponse:
        """Stops in their best order."""
        asked, now = stops_from_wire(request), self._clock()
        return await self._workers.run(lambda: tour_to_wire(order_stops(self._planner, asked, now)))

    async def Navigate(
        self,
        request: AsyncIterator[navigation_pb2.NavigateRequest],
        context: Context,
    ) -> AsyncIterator[navigation_pb2.NavigateResponse]:
        """A journey, from position to position."""
        async with aclosing(self._guide.follow(request)) as responses:
            async for response in responses:
                yield response

    async def _keep(self, kept: Mapping[str, bytes], status: DataStatus) -> DataStatus:
        """Keeps routes by their ids; without the cache they are still an answer, which says so."""
        seconds = self._keep_for.total_seconds()
        try:
            await asyncio.gather(*(self._cache.set(_key(route_id), route, seconds) for route_id, route in kept.items()))
        except CacheUnavailable as error:
            _log.warning("routes not kept", reason=error.reason)
            return status.worsened(State.DEGRADED, "The routes could not be kept: GetRoute will not find them.")
        return status


def _to_keep(
    request: wire.CalculateRoutesRequest, answer: wire.CalculateRoutesResponse, status: DataStatus, now: datetime
) -> dict[str, bytes]:
    """Each route of an answer by its id, with what explains it."""
    issued = status.newest_measured_at
    kept = wire.GetRouteResponse(
        data_status=status_to_wire(status),
        graph=answer.graph,
        request=request,
        calculated_at=time_to_wire(now),
        issue_time=None if issued is None else time_to_wire(issued),
    )
    # Who travels may be a matter of health: it is used for the answer alone.
    kept.request.ClearField("traveller")
    to_keep = {}
    for route in (*answer.routes, *(departure.route for departure in answer.departures if departure.best)):
        kept.route.CopyFrom(route)
        to_keep[route.route_id] = kept.SerializeToString()
    return to_keep


def _key(route_id: str) -> str:
    return f"route:{route_id}"
