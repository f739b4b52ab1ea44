"""Routes and what is asked of them: the contract's messages to the domain's words, and back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np
from cleanair.router.v1 import route_pb2, traveller_pb2
from cleanair.router.v1 import route_service_pb2 as wire
from cleanair.type.v1 import point_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import ListValue, Value

from air.geodesy import Floats
from air.places import Point
from mesh.wire import point_from_wire, point_to_wire, pollutant_to_wire, time_from_wire, time_to_wire
from router.exposure.dose import Dose
from router.instructions import Language, instruction
from router.modes import TravelMode
from router.polyline import encode
from router.route import Algorithm, Comparison, Detail, Provider, Route, RouteRequest, RouteType
from router.traveller import Condition, Sensitivity, Traveller

_POLYLINE_DECIMALS: Final = 5
# More digits than these would claim to know what nobody does: centimetres, nanograms, hundredths of a per cent.
_PLACE_DECIMALS: Final = 7
_METER_DECIMALS: Final = 1
_SECOND_DECIMALS: Final = 1
_AIR_DECIMALS: Final = 3
_SHARE_DECIMALS: Final = 4
_SCORE_DECIMALS: Final = 1
_FULL_CIRCLE: Final = 360
_ID_BYTES: Final = 16
_DEPARTURE: Final = "departure_time"
_WINDOW: Final = "departure_window_hours"
_ALGORITHMS: Final[Mapping[int, Algorithm]] = {
    wire.CalculateRoutesRequest.ALGORITHM_UNSPECIFIED: Algorithm.CONTRACTION_HIERARCHY,
    wire.CalculateRoutesRequest.DIJKSTRA: Algorithm.DIJKSTRA,
    wire.CalculateRoutesRequest.A_STAR: Algorithm.A_STAR,
    wire.CalculateRoutesRequest.CONTRACTION_HIERARCHY: Algorithm.CONTRACTION_HIERARCHY,
}
_PROVIDERS: Final[Mapping[int, Provider]] = {
    wire.CalculateRoutesRequest.PROVIDER_UNSPECIFIED: Provider.CLEANAIR,
    wire.CalculateRoutesRequest.CLEANAIR: Provider.CLEANAIR,
    wire.CalculateRoutesRequest.OSRM: Provider.OSRM,
    wire.CalculateRoutesRequest.VALHALLA: Provider.VALHALLA,
}


def warm_up() -> None:
    """Compiles what telling a route needs, before the first request comes."""
    encode(np.zeros((2, 2)), _POLYLINE_DECIMALS)


def request_from_wire(request: wire.CalculateRoutesRequest) -> RouteRequest:
    """What is asked for, with what is meant where nothing is said."""
    mode = request.travel_mode or route_pb2.Route.WALK
    types = request.route_types or (route_pb2.Route.FASTEST, route_pb2.Route.SHORTEST, route_pb2.Route.HEALTHIEST)
    return RouteRequest(
        origin=point_from_wire(request.origin),
        destination=point_from_wire(request.destination),
        travel_mode=TravelMode(route_pb2.Route.TravelMode.Name(mode)),
        route_types=tuple(RouteType(route_pb2.Route.Type.Name(route_type)) for route_type in types),
        departure_time=time_from_wire(request.departure_time, _DEPARTURE) if request.HasField(_DEPARTURE) else None,
        algorithm=_ALGORITHMS[request.algorithm],
        traveller=traveller_from_wire(request.traveller),
        details=frozenset(Detail(wire.CalculateRoutesRequest.Detail.Name(detail)) for detail in request.details),
        provider=_PROVIDERS[request.provider],
        departure_window_hours=request.departure_window_hours if request.HasField(_WINDOW) else None,
    )


def language_from_wire(language_code: str) -> Language:
    """The language asked for; English where none is."""
    return Language(language_code) if language_code else Language.ENGLISH


def traveller_from_wire(message: traveller_pb2.Traveller) -> Traveller:
    """Who travels; what nobody has said is not known."""
    return Traveller(
        Sensitivity(traveller_pb2.Traveller.Sensitivity.Name(message.sensitivity)) if message.sensitivity else None,
        frozenset(Condition(traveller_pb2.Traveller.Condition.Name(condition)) for condition in message.conditions),
    )


def route_to_wire(
    route: Route, *, language: Language = Language.ENGLISH, with_geojson: bool = False
) -> route_pb2.Route:
    """A route under an id of its own, with its steps in that language."""
    compared, score = route.compared_to_fastest, route.air_quality_score
    departure = route.departure_time
    return route_pb2.Route(
        route_id=secrets.token_urlsafe(_ID_BYTES),
        route_type=route_pb2.Route.Type.Value(route.route_type.value),
        travel_mode=route_pb2.Route.TravelMode.Value(route.travel_mode.value),
        start=_place_to_wire(route.line[0]),
        end=_place_to_wire(route.line[-1]),
        distance_meters=round(route.length_m, _METER_DECIMALS),
        duration=duration_to_wire(route.seconds),
        departure_time=time_to_wire(departure),
        arrival_time=time_to_wire(departure + _rounded(route.seconds)),
        doses=[dose_to_wire(dose) for dose in route.doses],
        air_quality_score=None if score is None else score_to_wire(score.value),
        air_quality_score_lower=None if score is None else score_to_wire(score.lower),
        air_quality_score_upper=None if score is None else score_to_wire(score.upper),
        encoded_polyline=encode(route.line, _POLYLINE_DECIMALS),
        compared_to_fastest=None if compared is None else comparison_to_wire(compared),
        ventilation_m3_h=round(route.ventilation_m3_h, _AIR_DECIMALS),
        provider=route.provider.lower(),
        geojson=_geojson(route.line) if with_geojson else None,
        steps=_steps_to_wire(route, language),
        segments=_segments_to_wire(route),
    )


def _geojson(line: Floats) -> route_pb2.LineString:
    return route_pb2.LineString(
        type="LineString",
        coordinates=[
            ListValue(values=[Value(number_value=round(degrees, _PLACE_DECIMALS)) for degrees in (longitude, latitude)])
            for latitude, longitude in line.tolist()
        ],
    )


def _steps_to_wire(route: Route, language: Language) -> list[route_pb2.Step]:
    meters = _add_up([step.length_m for step in route.steps], route.length_m, _METER_DECIMALS)
    seconds = _add_up([step.seconds for step in route.steps], route.seconds, _SECOND_DECIMALS)
    return [
        route_pb2.Step(
            maneuver=route_pb2.Step.Maneuver.Value(step.maneuver.value),
            street=step.street,
            instruction=instruction(step, language),
            distance_meters=meters[at],
            duration=duration_to_wire(seconds[at]),
            start=_place_to_wire(route.line[step.first_point]),
            first_point=step.first_point,
            bearing_degrees=round(step.bearing) % _FULL_CIRCLE,
        )
        for at, step in enumerate(route.steps)
    ]


def _segments_to_wire(route: Route) -> list[route_pb2.Segment]:
    meters = _add_up([segment.length_m for segment in route.segments], route.length_m, _METER_DECIMALS)
    seconds = _add_up([segment.seconds for segment in route.segments], route.seconds, _SECOND_DECIMALS)
    return [
        route_pb2.Segment(
            first_point=segment.first_point,
            last_point=segment.last_point,
            distance_meters=meters[at],
            duration=duration_to_wire(seconds[at]),
            air_quality_score=score_to_wire(segment.air_quality_score),
            doses=[dose_to_wire(dose) for dose in segment.doses],
        )
        for at, segment in enumerate(route.segments)
    ]


def _add_up(parts: Sequence[float], whole: float, decimals: int) -> list[float]:
    """The parts, rounded so that they add up to the whole as that is rounded."""
    if not parts:
        return []
    so_far = np.round(np.concatenate([[0.0], np.cumsum(parts[:-1]), [whole]]), decimals)
    # The last of them may be shorter than what the others were rounded up by.
    return [round(part, decimals) for part in np.diff(np.minimum(so_far, so_far[-1])).tolist()]


def dose_to_wire(dose: Dose) -> route_pb2.Dose:
    """A dose, rounded to what anybody can know."""
    return route_pb2.Dose(
        pollutant=pollutant_to_wire(dose.pollutant),
        dose_ug=round(dose.dose_ug, _AIR_DECIMALS),
        dose_lower_ug=round(dose.lower_ug, _AIR_DECIMALS),
        dose_upper_ug=round(dose.upper_ug, _AIR_DECIMALS),
        mean_concentration_ug_m3=round(dose.mean_concentration_ug_m3, _AIR_DECIMALS),
        mean_concentration_lower_ug_m3=round(dose.mean_lower_ug_m3, _AIR_DECIMALS),
        mean_concentration_upper_ug_m3=round(dose.mean_upper_ug_m3, _AIR_DECIMALS),
    )


def comparison_to_wire(comparison: Comparison) -> route_pb2.Comparison:
    """A comparison, likewise."""
    told = route_pb2.Comparison(
        added_duration=duration_to_wire(comparison.added_seconds),
        added_distance_meters=round(comparison.added_m, _METER_DECIMALS),
    )
    saved = comparison.saved
    if saved is not None:
        told.dose_saved_fraction = round(saved.fraction, _SHARE_DECIMALS)
        told.dose_saved_lower_fraction = round(saved.lower, _SHARE_DECIMALS)
        told.dose_saved_upper_fraction = round(saved.upper, _SHARE_DECIMALS)
        told.difference = route_pb2.Difference.Value(saved.difference.value)
    return told


def score_to_wire(score: float) -> float:
    """A score, rounded likewise."""
    return round(score, _SCORE_DECIMALS)


def duration_to_wire(seconds: float) -> Duration:
    """A time, rounded likewise."""
    duration = Duration()
    duration.FromTimedelta(_rounded(seconds))
    return duration


def _rounded(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds, _SECOND_DECIMALS))


def _place_to_wire(place: Floats) -> point_pb2.Point:
    latitude, longitude = place.tolist()
    return point_to_wire(Point(round(latitude, _PLACE_DECIMALS), round(longitude, _PLACE_DECIMALS)))
