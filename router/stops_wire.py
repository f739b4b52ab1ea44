"""Stops and their order: the contract's messages to the domain's words, and back."""

from __future__ import annotations

from cleanair.router.v1 import route_pb2, stops_pb2

from mesh.wire import point_from_wire, status_to_wire, time_from_wire, time_to_wire
from router.instructions import Language
from router.modes import TravelMode
from router.route import Route, RouteType
from router.route_wire import comparison_to_wire, dose_to_wire, duration_to_wire, route_to_wire, traveller_from_wire
from router.stops import OrderAlgorithm, Stop, StopsRequest, Tour


def stops_from_wire(request: stops_pb2.OptimizeRouteRequest) -> StopsRequest:
    """What is asked for, with what is meant where nothing is said."""
    return StopsRequest(
        origin=point_from_wire(request.origin),
        stops=tuple(_stop_from_wire(stop, f"stops[{index}]") for index, stop in enumerate(request.stops)),
        destination=point_from_wire(request.destination) if request.HasField("destination") else None,
        travel_mode=TravelMode(route_pb2.Route.TravelMode.Name(request.travel_mode or route_pb2.Route.WALK)),
        route_type=RouteType(route_pb2.Route.Type.Name(request.route_type or route_pb2.Route.HEALTHIEST)),
        departure_time=(
            time_from_wire(request.departure_time, "departure_time") if request.HasField("departure_time") else None
        ),
        algorithm=(
            OrderAlgorithm(stops_pb2.OptimizeRouteRequest.Algorithm.Name(request.algorithm))
            if request.algorithm
            else None
        ),
        traveller=traveller_from_wire(request.traveller),
    )


def tour_to_wire(tour: Tour) -> stops_pb2.OptimizeRouteResponse:
    """The order found."""
    compared = tour.compared_to_given
    return stops_pb2.OptimizeRouteResponse(
        stop_order=tour.order,
        legs=[unkept_to_wire(leg) for leg in tour.legs],
        stay_times=[time_to_wire(time) for time in tour.stay_times],
        distance_meters=round(tour.length_m, 1),
        duration=duration_to_wire(tour.seconds),
        doses=[dose_to_wire(dose) for dose in tour.doses],
        compared_to_given_order=None if compared is None else comparison_to_wire(compared),
        algorithm=stops_pb2.OptimizeRouteRequest.Algorithm.Value(tour.algorithm.value),
        optimal=tour.is_optimal,
        data_status=status_to_wire(tour.status),
        graph=tour.graph,
    )


def unkept_to_wire(route: Route, *, language: Language = Language.ENGLISH) -> route_pb2.Route:
    """A route that GetRoute is not to return, and so without a key."""
    message = route_to_wire(route, language=language)
    message.ClearField("route_id")
    return message


def _stop_from_wire(message: stops_pb2.Stop, field: str) -> Stop:
    return Stop(
        point=point_from_wire(message.point),
        stay=message.stay.ToTimedelta(),
        earliest=time_from_wire(message.earliest, f"{field}.earliest") if message.HasField("earliest") else None,
        latest=time_from_wire(message.latest, f"{field}.latest") if message.HasField("latest") else None,
    )
