"""What `cleanair route` prints: routes side by side, departures, and what to do on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from cleanair.router.v1 import route_pb2, route_service_pb2
from cleanair.type.v1 import data_status_pb2, pollutant_pb2
from google.protobuf.duration_pb2 import Duration
from rich.console import RenderableType
from rich.table import Table

from mesh.wire import time_from_wire

_NO_DIFFERENCE: Final = "no meaningful difference in air"


def report(answer: route_service_pb2.CalculateRoutesResponse, *, with_steps: bool) -> Iterator[RenderableType]:
    """All that the answer says, to be printed one after another."""
    yield _routes(answer)
    if answer.departures:
        yield _departures(answer.departures)
    if with_steps:
        # The cleanest is what one has asked this product for.
        yield from (_steps(way) for way in answer.routes if way.route_type == route_pb2.Route.HEALTHIEST)
    yield from _notes(answer.data_status)


def _routes(answer: route_service_pb2.CalculateRoutesResponse) -> Table:
    table = Table(caption=f"on {answer.graph}, with 80 % intervals")
    pollutants = [dose.pollutant for dose in answer.routes[0].doses] if answer.routes else []
    table.add_column("")
    for heading in ("minutes", "km", *(f"{pollutant_pb2.Pollutant.Name(p)} µg" for p in pollutants), "air 0–100"):
        table.add_column(heading, justify="right")
    table.add_column("against the fastest")
    for way in answer.routes:
        compared = way.HasField("compared_to_fastest")
        table.add_row(
            route_pb2.Route.Type.Name(way.route_type).lower(),
            f"{_seconds(way.duration) / 60:.1f}",
            f"{way.distance_meters / 1000:.2f}",
            *_doses(way.doses),
            _score(way),
            comparison(way.compared_to_fastest) if compared else "",
        )
    return table


def _departures(departures: Sequence[route_service_pb2.Departure]) -> Table:
    table = Table(title="When to leave", caption="the healthiest way at each hour")
    table.add_column("departure")
    for heading in ("minutes", *(f"{pollutant_pb2.Pollutant.Name(d.pollutant)} µg" for d in departures[0].doses)):
        table.add_column(heading, justify="right")
    table.add_column("against the first")
    for departure in departures:
        at = time_from_wire(departure.departure_time).astimezone()
        compared = departure.HasField("compared_to_first")
        table.add_row(
            f"{at:%a %H:%M}{' best' if departure.best else ''}",
            f"{_seconds(departure.duration) / 60:.1f}",
            *_doses(departure.doses),
            comparison(departure.compared_to_first) if compared else "",
            style="bold" if departure.best else None,
        )
    return table


def _steps(way: route_pb2.Route) -> Table:
    table = Table(title=f"The {route_pb2.Route.Type.Name(way.route_type).lower()} way")
    table.add_column("metres", justify="right")
    table.add_column("what to do")
    for step in way.steps:
        table.add_row(f"{step.distance_meters:.0f}", step.instruction)
    return table


def comparison(compared: route_pb2.Comparison) -> str:
    """What a way costs and saves, and whether that means anything."""
    said = f"{_seconds(compared.added_duration) / 60:+.1f} min, {compared.added_distance_meters:+.0f} m"
    if not compared.HasField("dose_saved_fraction"):
        return said
    if compared.difference == route_pb2.NO_MEANINGFUL_DIFFERENCE:
        return f"{said}, {_NO_DIFFERENCE}"
    saved = compared.dose_saved_fraction
    ends = (compared.dose_saved_lower_fraction, compared.dose_saved_upper_fraction)
    low, high = sorted(abs(end) for end in ends)
    return f"{said}, {abs(saved):.1%} {'less' if saved >= 0 else 'more'} inhaled ({low:.0%}–{high:.0%})"


def _doses(doses: Sequence[route_pb2.Dose]) -> list[str]:
    return [f"{dose.dose_ug:.2f} ({dose.dose_lower_ug:.2f}–{dose.dose_upper_ug:.2f})" for dose in doses]


def _score(way: route_pb2.Route) -> str:
    if not way.HasField("air_quality_score"):
        return "–"
    interval = f"{way.air_quality_score_lower:.0f}–{way.air_quality_score_upper:.0f}"
    return f"{way.air_quality_score:.0f} ({interval})"


def _notes(status: data_status_pb2.DataStatus) -> Iterator[str]:
    if status.simulated:
        yield "Simulated: city and air do not exist."
    if status.state != data_status_pb2.DataStatus.FRESH:
        yield f"{data_status_pb2.DataStatus.State.Name(status.state)}: {'; '.join(status.reasons)}"


def _seconds(duration: Duration) -> float:
    return duration.ToTimedelta() / timedelta(seconds=1)
