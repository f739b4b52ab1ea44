"""Departures of a window: the domain's words to the contract's messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cleanair.router.v1 import route_pb2
from cleanair.router.v1 import route_service_pb2 as wire

from mesh.wire import time_to_wire
from router.route import Departure, Route
from router.route_wire import comparison_to_wire, dose_to_wire, duration_to_wire, score_to_wire


def departures_to_wire(
    departures: Sequence[Departure], route_to_wire: Callable[[Route], route_pb2.Route]
) -> list[wire.Departure]:
    """Departures, the best one with its route as `route_to_wire` tells it."""
    return [_to_wire(departure, route_to_wire) for departure in departures]


def _to_wire(departure: Departure, route_to_wire: Callable[[Route], route_pb2.Route]) -> wire.Departure:
    score, compared, route = departure.air_quality_score, departure.compared_to_first, departure.route
    return wire.Departure(
        departure_time=time_to_wire(departure.time),
        duration=duration_to_wire(departure.seconds),
        doses=[dose_to_wire(dose) for dose in departure.doses],
        air_quality_score=None if score is None else score_to_wire(score.value),
        compared_to_first=None if compared is None else comparison_to_wire(compared),
        best=route is not None,
        route=None if route is None else route_to_wire(route),
    )
