"""Servers that answer as OSRM (`route/v1`) and Valhalla (`/route`) do, with ways that they are given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

import polyline

from simulation.json_server import Json, JsonAnswer, JsonServer

Place = tuple[float, float]
"""Latitude and longitude."""

Ways = Callable[[Place, Place], Sequence[Sequence[Place]]]
"""The ways between two places, the best first; none where there is none."""

_DECIMALS: Final = 6
_OSRM_PATH: Final = re.compile(
    r"(?:/[-\w]+)?/route/v1/(?P<profile>\w+)/(?P<ends>[-\d.]+,[-\d.]+;[-\d.]+,[-\d.]+)\?(?P<query>.*)", re.ASCII
)
_METERS: Final = 1000.0
_SECONDS: Final = 700.0


def osrm_server(ways: Ways) -> JsonServer:
    """A server that answers as OSRM does; geometry as asked for, with six decimals."""

    def answer(target: str, _: bytes) -> JsonAnswer:
        asked = _OSRM_PATH.fullmatch(target)
        if asked is None or "geometries=polyline6" not in asked["query"] or "overview=full" not in asked["query"]:
            return JsonAnswer({"code": "InvalidQuery", "message": "Query string malformed"}, HTTPStatus.BAD_REQUEST)
        longitudes, latitudes = zip(*(end.split(",") for end in asked["ends"].split(";")), strict=True)
        (a, b), (x, y) = map(float, latitudes), map(float, longitudes)
        found = ways((a, x), (b, y))
        if not found:
            message = "Impossible route between points"
            return JsonAnswer({"code": "NoRoute", "message": message}, HTTPStatus.BAD_REQUEST)
        waypoints: list[Json] = [
            {"hint": "", "distance": 1.2, "name": "", "location": [longitude, latitude]}
            for latitude, longitude in ((a, x), (b, y))
        ]
        return JsonAnswer({"code": "Ok", "routes": [_osrm_route(way) for way in found], "waypoints": waypoints})

    return JsonServer(answer)


def _osrm_route(way: Sequence[Place]) -> Json:
    figures: dict[str, Json] = {"distance": _METERS, "duration": _SECONDS, "weight": _SECONDS}
    legs: list[Json] = [{**figures, "summary": "", "steps": []}]
    return {**figures, "geometry": polyline.encode(list(way), _DECIMALS), "legs": legs, "weight_name": "duration"}


def valhalla_server(ways: Ways) -> JsonServer:
    """A server that answers as Valhalla does."""

    def answer(target: str, body: bytes) -> JsonAnswer:
        if target != "/route":
            return _valhalla_error(106, "Try any of: '/locate' '/route'", HTTPStatus.NOT_FOUND)
        asked = json.loads(body)
        origin, destination = ((end["lat"], end["lon"]) for end in asked["locations"])
        found = ways(origin, destination)
        if not found:
            return _valhalla_error(442, "No path could be found for input", HTTPStatus.BAD_REQUEST)
        trips: list[Json] = [{"trip": _valhalla_trip(way)} for way in found[: 1 + asked.get("alternates", 0)]]
        return JsonAnswer({"trip": _valhalla_trip(found[0]), **({"alternates": trips[1:]} if trips[1:] else {})})

    return JsonServer(answer)


def _valhalla_trip(way: Sequence[Place]) -> Json:
    summary: Json = {"time": _SECONDS, "length": _METERS / 1000, "cost": _SECONDS, "has_toll": False}
    locations: list[Json] = [
        {"type": "break", "lat": latitude, "lon": longitude} for latitude, longitude in (way[0], way[-1])
    ]
    return {
        "locations": locations,
        "legs": [{"summary": summary, "shape": polyline.encode(list(way), _DECIMALS)}],
        "summary": summary,
        "status_message": "Found route between points",
        "status": 0,
        "units": "kilometers",
        "language": "en-US",
    }


def _valhalla_error(code: int, message: str, status: HTTPStatus) -> JsonAnswer:
    return JsonAnswer(
        {"error_code": code, "error": message, "status_code": status.value, "status": status.phrase}, status
    )
