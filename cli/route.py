"""`cleanair route`: the three ways side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import grpc
from cleanair.router.v1 import route_pb2, route_service_pb2, route_service_pb2_grpc
from cleanair.type.v1 import data_status_pb2, point_pb2, pollutant_pb2
from geopy import Point as GeopyPoint
from google.protobuf.duration_pb2 import Duration
from rich.console import Console
from rich.table import Table

from cli.calls import call
from cli.failure import CommandFailed
from cli.settings import CommandSettings
from mesh.wire import time_to_wire

_MODES: Final = {"walk": route_pb2.Route.WALK, "run": route_pb2.Route.RUN, "bike": route_pb2.Route.BIKE}


def route(settings: CommandSettings, origin: str, destination: str, mode: str, depart: str | None) -> None:
    """Asks the router, and prints a table and what the answer rests on."""
    request = route_service_pb2.CalculateRoutesRequest(
        origin=_point("FROM", origin), destination=_point("TO", destination), travel_mode=_mode(mode)
    )
    if depart is not None:
        request.departure_time.CopyFrom(time_to_wire(_time(depart)))

    async def ask(channel: grpc.aio.Channel) -> route_service_pb2.CalculateRoutesResponse:
        return await route_service_pb2_grpc.RouteServiceStub(channel).CalculateRoutes(request)

    answer = call(settings, ask)
    console = Console()
    console.print(_table(answer))
    for line in _notes(answer.data_status):
        console.print(line, highlight=False, markup=False)


def _table(answer: route_service_pb2.CalculateRoutesResponse) -> Table:
    table = Table(caption=f"on {answer.graph}")
    pollutants = [dose.pollutant for dose in answer.routes[0].doses] if answer.routes else []
    table.add_column("")
    for heading in ("minutes", "km", *(f"{pollutant_pb2.Pollutant.Name(p)} µg" for p in pollutants), "air 0–100"):
        table.add_column(heading, justify="right")
    table.add_column("against the fastest")
    for way in answer.routes:
        table.add_row(
            route_pb2.Route.Type.Name(way.route_type).lower(),
            f"{_seconds(way.duration) / 60:.1f}",
            f"{way.distance_meters / 1000:.2f}",
            *(f"{dose.dose_ug:.2f} ({dose.dose_lower_ug:.2f}–{dose.dose_upper_ug:.2f})" for dose in way.doses),
            f"{way.air_quality_score:.0f}" if way.HasField("air_quality_score") else "–",
            _comparison(way),
        )
    return table


def _comparison(way: route_pb2.Route) -> str:
    if not way.HasField("compared_to_fastest"):
        return ""
    compared = way.compared_to_fastest
    said = f"{_seconds(compared.added_duration) / 60:+.1f} min, {compared.added_distance_meters:+.0f} m"
    if not compared.HasField("dose_saved_fraction"):
        return said
    direction = "less" if compared.dose_saved_fraction >= 0 else "more"
    return f"{said}, {abs(compared.dose_saved_fraction):.1%} {direction} inhaled"


def _notes(status: data_status_pb2.DataStatus) -> list[str]:
    notes = ["Simulated: city and air do not exist."] if status.simulated else []
    if status.state != data_status_pb2.DataStatus.FRESH:
        notes.append(f"{data_status_pb2.DataStatus.State.Name(status.state)}: {'; '.join(status.reasons)}")
    return notes


def _seconds(duration: Duration) -> float:
    return duration.ToTimedelta() / timedelta(seconds=1)


def _point(name: str, text: str) -> point_pb2.Point:
    try:
        point = GeopyPoint.from_string(text)
    except ValueError as error:
        raise CommandFailed(f"{name} is no place: write latitude and longitude, such as 36.35,127.90.") from error
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
