"""`cleanair route`: ways side by side, from a place to another, by coordinates or by name."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import grpc
from cleanair.router.v1 import (
    location_service_pb2,
    location_service_pb2_grpc,
    route_pb2,
    route_service_pb2,
    route_service_pb2_grpc,
)
from cleanair.type.v1 import point_pb2
from geopy import Point as GeopyPoint
from rich.console import Console

from cli.calls import call
from cli.failure import CommandFailed
from cli.route_report import report
from cli.settings import CommandSettings
from mesh.wire import time_to_wire

_MODES: Final = {
    route_pb2.Route.TravelMode.Name(mode).lower(): mode
    for mode in (
        route_pb2.Route.WALK,
        route_pb2.Route.RUN,
        route_pb2.Route.BIKE,
        route_pb2.Route.WHEELCHAIR,
        route_pb2.Route.CAR,
    )
}
_TYPES: Final = (route_pb2.Route.FASTEST, route_pb2.Route.SHORTEST, route_pb2.Route.HEALTHIEST)
_LANGUAGES: Final = ("en", "ko")


@dataclass(frozen=True, slots=True)
class Trip:
    """What a person asks for.

    Attributes:
        origin: Latitude and longitude, or a name.
        destination: Likewise.
        mode: How one moves.
        depart: When, ISO 8601; None for now.
        steps: Whether to say what to do on the way.
        alternatives: Whether to show the ways between the fastest and the cleanest.
        window_hours: Within how many hours to look for the best departure; None for not at all.
        language: Of the steps.
    """

    origin: str
    destination: str
    mode: str = "walk"
    depart: str | None = None
    steps: bool = False
    alternatives: bool = False
    window_hours: int | None = None
    language: str = "en"


def route(settings: CommandSettings, trip: Trip) -> None:
    """Asks the router, and prints tables and what the answer rests on."""
    request = _request(trip)
    origin, destination = _point("FROM", trip.origin), _point("TO", trip.destination)

    async def ask(channel: grpc.aio.Channel) -> tuple[route_service_pb2.CalculateRoutesResponse, list[str]]:
        found: list[str] = []
        for name, text, point, end in (
            ("FROM", trip.origin, origin, request.origin),
            ("TO", trip.destination, destination, request.destination),
        ):
            if point is None:
                near = request.origin if name == "TO" else None
                point, described = await _named(channel, name, text, near)  # noqa: PLW2901 - found in place of None
                found.append(f"{name}: {described}")
            end.CopyFrom(point)
        return await route_service_pb2_grpc.RouteServiceStub(channel).CalculateRoutes(request), found

    answer, found = call(settings, ask)
    console = Console()
    for part in (*found, *report(answer, with_steps=trip.steps)):
        console.print(part, highlight=False, markup=False)


def _request(trip: Trip) -> route_service_pb2.CalculateRoutesRequest:
    if trip.language not in _LANGUAGES:
        raise CommandFailed(f"There is no language {trip.language}: choose one of {', '.join(_LANGUAGES)}.")
    request = route_service_pb2.CalculateRoutesRequest(
        travel_mode=_mode(trip.mode),
        route_types=[*_TYPES, *([route_pb2.Route.ALTERNATIVE] if trip.alternatives else [])],
        details=[route_service_pb2.CalculateRoutesRequest.STEPS] if trip.steps else [],
        departure_window_hours=trip.window_hours,
        language_code=trip.language,
    )
    if trip.depart is not None:
        request.departure_time.CopyFrom(time_to_wire(_time(trip.depart)))
    return request


async def _named(
    channel: grpc.aio.Channel, name: str, text: str, near: point_pb2.Point | None
) -> tuple[point_pb2.Point, str]:
    """The place that is best called so, and what it is."""
    stub = location_service_pb2_grpc.LocationServiceStub(channel)
    request = location_service_pb2.SearchLocationsRequest(query=text, near=near, page_size=1)
    locations = (await stub.SearchLocations(request)).locations
    if not locations:
        raise CommandFailed(
            f"{name}: no place is called {text}; write another name, or latitude and longitude, such as 36.35,127.90."
        )
    best = locations[0]
    return best.point, ", ".join(part for part in (best.name, best.name_en, best.address) if part)


def _point(name: str, text: str) -> point_pb2.Point | None:
    """The point that is written there; None where it is a name."""
    try:
        # It warns of what it refuses besides.
        with warnings.catch_warnings(action="error"):
            point = GeopyPoint.from_string(text)
    except (ValueError, UserWarning) as error:
        if any(letter.isalpha() for letter in text):
            return None
        raise CommandFailed(
            f"{name} is no place: write a name, or latitude and longitude, such as 36.35,127.90."
        ) from error
    return point_pb2.Point(latitude=point.latitude, longitude=point.longitude)


def _mode(text: str) -> route_pb2.Route.TravelMode.ValueType:
    try:
        return _MODES[text.lower()]
    except KeyError as error:
        raise CommandFailed(f"There is no mode {text}: choose one of {', '.join(_MODES)}.") from error


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"{text} is no time: write it like 2026-05-01T08:00+09:00.") from error
    return time.astimezone(UTC)
