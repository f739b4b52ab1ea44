"""Journeys: the contract's messages to the domain's words, and back."""

from __future__ import annotations

from collections.abc import Sequence

from cleanair.router.v1 import navigation_pb2 as wire
from cleanair.router.v1 import route_pb2

from air.status import DataStatus
from mesh.wire import point_from_wire, status_to_wire, time_from_wire, time_to_wire
from router.instructions import Language
from router.modes import TravelMode
from router.navigation import (
    LEAST_SAVING,
    USUAL_ACCURACY_M,
    Advice,
    Arrival,
    Event,
    JourneyRequest,
    NewRoute,
    Position,
    Progress,
)
from router.route import RouteType
from router.route_wire import comparison_to_wire, dose_to_wire, duration_to_wire, traveller_from_wire
from router.stops_wire import unkept_to_wire

_METER_DECIMALS = 1


def journey_from_wire(message: wire.Journey) -> JourneyRequest:
    """Where somebody wants to go, with what is meant where nothing is said."""
    return JourneyRequest(
        origin=point_from_wire(message.origin),
        destination=point_from_wire(message.destination),
        travel_mode=TravelMode(route_pb2.Route.TravelMode.Name(message.travel_mode or route_pb2.Route.WALK)),
        route_type=RouteType(route_pb2.Route.Type.Name(message.route_type or route_pb2.Route.HEALTHIEST)),
        traveller=traveller_from_wire(message.traveller),
        least_saving=(message.least_saving_fraction if message.HasField("least_saving_fraction") else LEAST_SAVING),
    )


def position_from_wire(message: wire.Position) -> Position:
    """Where somebody is."""
    return Position(
        point=point_from_wire(message.point),
        time=time_from_wire(message.time, "position.time") if message.HasField("time") else None,
        accuracy_m=message.accuracy_meters if message.HasField("accuracy_meters") else USUAL_ACCURACY_M,
    )


def event_to_wire(
    event: Event | None, status: DataStatus, *, steps: Sequence[route_pb2.Step], language: Language
) -> wire.NavigateResponse:
    """What happened, or a heartbeat; the steps are those of the route that is followed."""
    message = wire.NavigateResponse(data_status=status_to_wire(status))
    match event:
        case NewRoute():
            message.new_route.reason = wire.NavigateResponse.Reason.Value(event.reason.value)
            message.new_route.route.CopyFrom(unkept_to_wire(event.route, language=language))
        case Progress():
            message.progress.CopyFrom(_progress_to_wire(event, steps))
        case Advice():
            message.advice.route.CopyFrom(unkept_to_wire(event.route, language=language))
            message.advice.compared_to_followed.CopyFrom(comparison_to_wire(event.compared))
        case Arrival():
            message.arrival.duration.CopyFrom(duration_to_wire(event.seconds))
            message.arrival.doses.extend(dose_to_wire(dose) for dose in event.doses)
        case None:
            pass
    return message


def _progress_to_wire(progress: Progress, steps: Sequence[route_pb2.Step]) -> wire.NavigateResponse.Progress:
    return wire.NavigateResponse.Progress(
        distance_left_meters=round(progress.left_m, _METER_DECIMALS),
        duration_left=duration_to_wire(progress.left_seconds),
        arrival_time=time_to_wire(progress.arrival_time),
        off_route_meters=round(progress.off_m, _METER_DECIMALS),
        next_step=steps[progress.next_step],
        next_step_meters=round(progress.next_step_m, _METER_DECIMALS),
    )
