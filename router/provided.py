"""The use case: lines that a map service has drawn, as ways on our streets, with the air on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from air.geodesy import Floats
from air.status import State
from mesh.errors import InvalidInput
from router.details import with_details
from router.map_provider import ProviderFoundNoRoute
from router.modes import is_open
from router.planner import Planner, against, told
from router.route import Plan, RouteRequest, RouteType
from router.search.engine import Place
from router.search.matching import metric_along, share_on
from router.way import Way
from router.wayfinding import Wayfinder

LEAST_SHARE: Final = 0.5
"""A line of which less is on our streets is not taken for a way on them."""

_WHOLE: Final = 0.95


class ProviderHasNoDepartures(InvalidInput):
    """Departures are compared on our own streets alone."""

    reason = "PROVIDER_HAS_NO_DEPARTURES"


def plan_along(planner: Planner, request: RouteRequest, lines: Sequence[Floats], now: datetime) -> Plan:
    """The provider's lines as ways on our streets: of each type asked for the best of them.

    Raises ProviderFoundNoRoute when no line is on our streets, or what Planner.plan raises.
    """
    if request.departure_window_hours is not None:
        raise ProviderHasNoDepartures(
            "Departures are compared on our own streets alone; leave the provider out, or the window.",
            field="departure_window_hours",
        )
    ends = {"origin": request.origin, "destination": request.destination}
    finder, places = planner.wayfinder(ends, request.travel_mode, request.traveller, request.algorithm, now)
    departure = finder.known.departure(request.departure_time, now)
    # Says what is wrong with the ends as it does for ways of our own.
    finder.find(RouteType.FASTEST, departure, *places)
    ways, shares = _matched(finder, places, lines, departure)
    name = request.provider.name_for_people
    if not ways:
        raise ProviderFoundNoRoute(
            f"What {name} has found does not run on our streets; leave the provider out to search those.",
            field="provider",
            metadata={"share_on_streets": f"{max(shares):.2f}"},
        )
    fastest = min(ways, key=finder.least(RouteType.FASTEST))
    routes = [
        (route_type, way)
        for route_type in request.route_types
        for way in (
            sorted(ways, key=lambda way: way.seconds)
            if route_type is RouteType.ALTERNATIVE
            else [min(ways, key=finder.least(route_type))]
        )
    ]
    against_fastest = fastest if RouteType.FASTEST in request.route_types else None
    routes_told = tuple(
        replace(
            with_details(
                told(
                    route_type,
                    way,
                    departure,
                    finder.region.line(way),
                    against(route_type, way, against_fastest),
                ),
                way,
                finder,
                departure,
                request.details,
            ),
            provider=request.provider,
        )
        for route_type, way in routes
    )
    status = planner.status(finder, departure)
    if min(shares) < _WHOLE:
        status = status.worsened(State.DEGRADED, f"Of a way of {name}, {min(shares):.0%} runs on our streets.")
    return Plan(routes_told, status, finder.region.name)


def _matched(
    finder: Wayfinder, places: tuple[Place, ...], lines: Sequence[Floats], departure: datetime
) -> tuple[list[Way], list[float]]:
    """The ways along the lines, each once, and the share of each line that is on its way."""
    region = finder.region
    usable = is_open(region.graph, finder.mode)
    ways: dict[tuple[int, ...], Way] = {}
    shares = []
    for line in lines:
        metric = metric_along(line, region.graph, region.shapes, usable)
        path = region.least(metric, *places)
        if path is None:
            continue
        shares.append(share_on(line, region.shapes.line(path)))
        if shares[-1] >= LEAST_SHARE:
            ways.setdefault(tuple(path.arcs.tolist()), finder.way(path, departure))
    return list(ways.values()), shares
