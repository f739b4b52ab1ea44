"""RouteService: its contract's messages to calls of the domain, and back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import polyline
import structlog
from cleanair.router.v1 import route_pb2, route_service_pb2_grpc
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.type.v1 import point_pb2
from google.protobuf.duration_pb2 import Duration

from air.places import Point
from air.status import DataStatus, State
from mesh.cache import Cache, CacheUnavailable
from mesh.clock import Clock
from mesh.errors import NotFound
from mesh.interceptors.around import Context
from mesh.wire import point_from_wire, point_to_wire, pollutant_to_wire, status_to_wire, time_from_wire, time_to_wire
from router.exposure.dose import Dose
from router.modes import TravelMode
from router.planner import Planner
from router.route import Algorithm, Comparison, Route, RouteRequest, RouteType
from router.workers import Workers

FULL_NAME: Final = wire.DESCRIPTOR.services_by_name["RouteService"].full_name

_POLYLINE_DECIMALS: Final = 5
# More digits than these would claim to know what nobody does: centimetres, nanograms, hundredths of a per cent.
_PLACE_DECIMALS: Final = 7
_METER_DECIMALS: Final = 1
_SECOND_DECIMALS: Final = 1
_AIR_DECIMALS: Final = 3
_SHARE_DECIMALS: Final = 4
_SCORE_DECIMALS: Final = 1
_ID_BYTES: Final = 16
_DEPARTURE: Final = "departure_time"
_ALGORITHMS: Final[Mapping[int, Algorithm]] = {
    wire.CalculateRoutesRequest.ALGORITHM_UNSPECIFIED: Algorithm.A_STAR,
    wire.CalculateRoutesRequest.DIJKSTRA: Algorithm.DIJKSTRA,
    wire.CalculateRoutesRequest.A_STAR: Algorithm.A_STAR,
}

_log: Final = structlog.stdlib.get_logger("routes")


class RouteNotFound(NotFound):
    """No route is kept under the id."""

    reason = "ROUTE_NOT_FOUND"


class RouteService(route_service_pb2_grpc.RouteServiceServicer):
    """Answers for routes, and keeps them for a while."""

    def __init__(self, planner: Planner, cache: Cache, workers: Workers, *, clock: Clock, keep_for: timedelta) -> None:
        self._planner = planner
        self._cache = cache
        self._workers = workers
        self._clock = clock
        self._keep_for = keep_for

    async def CalculateRoutes(
        self,
        request: wire.CalculateRoutesRequest,
        context: Context,
    ) -> wire.CalculateRoutesResponse:
        """The ways, each kept under an id of its own."""
        asked, now = _request_from_wire(request), self._clock()

        def calculate() -> tuple[list[route_pb2.Route], DataStatus]:
            plan = self._planner.plan(asked, now)
            return [_route_to_wire(route) for route in plan.routes], plan.status

        routes, status = await self._workers.run(calculate)
        status = await self._keep(routes, status)
        return wire.CalculateRoutesResponse(
            routes=routes, data_status=status_to_wire(status), graph=self._planner.graph_name
        )

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

    async def _keep(self, routes: list[route_pb2.Route], status: DataStatus) -> DataStatus:
        """Keeps the routes; without the cache they are still an answer, which says so."""
        kept = [
            wire.GetRouteResponse(
                route=route, data_status=status_to_wire(status), graph=self._planner.graph_name
            ).SerializeToString()
            for route in routes
        ]
        seconds = self._keep_for.total_seconds()
        try:
            await asyncio.gather(
                *(self._cache.set(_key(r.route_id), value, seconds) for r, value in zip(routes, kept, strict=True))
            )
        except CacheUnavailable as error:
            _log.warning("routes not kept", reason=error.reason)
            return status.worsened(State.DEGRADED, "The routes could not be kept: GetRoute will not find them.")
        return status


def _key(route_id: str) -> str:
    return f"route:{route_id}"


def _request_from_wire(request: wire.CalculateRoutesRequest) -> RouteRequest:
    mode = request.travel_mode or route_pb2.Route.WALK
    types = request.route_types or (route_pb2.Route.FASTEST, route_pb2.Route.SHORTEST, route_pb2.Route.HEALTHIEST)
    return RouteRequest(
        origin=point_from_wire(request.origin),
        destination=point_from_wire(request.destination),
        travel_mode=TravelMode(route_pb2.Route.TravelMode.Name(mode)),
        route_types=tuple(RouteType(route_pb2.Route.Type.Name(route_type)) for route_type in types),
        departure_time=time_from_wire(request.departure_time, _DEPARTURE) if request.HasField(_DEPARTURE) else None,
        algorithm=_ALGORITHMS[request.algorithm],
    )


def _route_to_wire(route: Route) -> route_pb2.Route:
    compared = route.compared_to_fastest
    line = route.line.tolist()
    return route_pb2.Route(
        route_id=secrets.token_urlsafe(_ID_BYTES),
        route_type=route_pb2.Route.Type.Value(route.route_type.value),
        travel_mode=route_pb2.Route.TravelMode.Value(route.travel_mode.value),
        start=_place_to_wire(line[0]),
        end=_place_to_wire(line[-1]),
        distance_meters=round(route.length_m, _METER_DECIMALS),
        duration=_duration(route.seconds),
        departure_time=time_to_wire(route.departure_time),
        arrival_time=time_to_wire(route.departure_time + _rounded(route.seconds)),
        doses=[_dose_to_wire(dose) for dose in route.doses],
        air_quality_score=_rounded_if_known(route.air_quality_score, _SCORE_DECIMALS),
        encoded_polyline=polyline.encode(line, _POLYLINE_DECIMALS),
        compared_to_fastest=None if compared is None else _comparison_to_wire(compared),
    )


def _dose_to_wire(dose: Dose) -> route_pb2.Dose:
    return route_pb2.Dose(
        pollutant=pollutant_to_wire(dose.pollutant),
        dose_ug=round(dose.dose_ug, _AIR_DECIMALS),
        dose_lower_ug=round(dose.lower_ug, _AIR_DECIMALS),
        dose_upper_ug=round(dose.upper_ug, _AIR_DECIMALS),
        mean_concentration_ug_m3=round(dose.mean_concentration_ug_m3, _AIR_DECIMALS),
    )


def _comparison_to_wire(comparison: Comparison) -> route_pb2.Comparison:
    return route_pb2.Comparison(
        added_duration=_duration(comparison.added_seconds),
        added_distance_meters=round(comparison.added_m, _METER_DECIMALS),
        dose_saved_fraction=_rounded_if_known(comparison.dose_saved, _SHARE_DECIMALS),
    )


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(_rounded(seconds))
    return duration


def _rounded(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds, _SECOND_DECIMALS))


def _rounded_if_known(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)


def _place_to_wire(place: list[float]) -> point_pb2.Point:
    latitude, longitude = place
    return point_to_wire(Point(round(latitude, _PLACE_DECIMALS), round(longitude, _PLACE_DECIMALS)))
