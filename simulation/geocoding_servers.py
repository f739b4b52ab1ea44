"""Servers that answer as Nominatim (format `json`) and Photon (GeoJSON) do, with places that they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from simulation.json_server import Json, JsonAnswer, JsonServer

_NEAR_DEGREES: Final = 0.01
"""What is farther from a point than this is not what is there."""


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A place: its names, the key and value of OpenStreetMap that say what it is, its street, its city, and where."""

    name: str
    name_en: str
    key: str
    value: str
    street: str
    city: str
    latitude: float
    longitude: float


def nominatim_server(places: Sequence[KnownPlace]) -> JsonServer:
    """A server with `/search` and `/reverse` as Nominatim 4 has them."""

    def answer(target: str, _: bytes) -> JsonAnswer:
        url, query = urlsplit(target), _query(target)
        if query.get("format") != "json":
            return _nominatim_error("Parameter 'format' must be one of: json.", HTTPStatus.BAD_REQUEST)
        match url.path:
            case "/search":
                found = [place for place in places if query["q"] in (place.name, place.name_en)]
                return JsonAnswer([_nominatim_place(place) for place in found[: int(query.get("limit", "10"))]])
            case "/reverse":
                near = [place for place in places if _is_near(place, float(query["lat"]), float(query["lon"]))]
                return JsonAnswer(_nominatim_place(near[0]) if near else {"error": "Unable to geocode"})
            case _:
                return _nominatim_error("Not Found", HTTPStatus.NOT_FOUND)

    return JsonServer(answer)


def _nominatim_error(message: str, status: HTTPStatus) -> JsonAnswer:
    return JsonAnswer({"error": {"code": status.value, "message": message}}, status)


def _nominatim_place(place: KnownPlace) -> Json:
    return {
        "place_id": 221_000_001,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "osm_type": "node",
        "osm_id": 1,
        "lat": f"{place.latitude:.7f}",
        "lon": f"{place.longitude:.7f}",
        "class": place.key,
        "type": place.value,
        "place_rank": 30,
        "importance": 0.31,
        "addresstype": place.key,
        "name": place.name,
        "display_name": f"{place.name}, {place.street}, {place.city}, 대한민국",
        "address": {place.key: place.name, "road": place.street, "city": place.city, "country": "대한민국"},
        "namedetails": {"name": place.name, "name:en": place.name_en},
        "boundingbox": [str(place.latitude), str(place.latitude), str(place.longitude), str(place.longitude)],
    }


def photon_server(places: Sequence[KnownPlace]) -> JsonServer:
    """A server with `/api` and `/reverse` as Photon has them."""

    def answer(target: str, _: bytes) -> JsonAnswer:
        url, query = urlsplit(target), _query(target)
        match url.path:
            case "/api":
                found = [place for place in places if query["q"] in (place.name, place.name_en)]
                return _features(found[: int(query.get("limit", "15"))])
            case "/reverse":
                near = [place for place in places if _is_near(place, float(query["lat"]), float(query["lon"]))]
                return _features(near[:1])
            case _:
                return JsonAnswer({"message": "Not Found"}, HTTPStatus.NOT_FOUND)

    return JsonServer(answer)


def _features(places: Sequence[KnownPlace]) -> JsonAnswer:
    features: list[Json] = [
        {
            "type": "Feature",
            "properties": {
                "osm_type": "N",
                "osm_id": 1,
                "osm_key": place.key,
                "osm_value": place.value,
                "type": "house",
                "name": place.name,
                "street": place.street,
                "city": place.city,
                "country": "대한민국",
                "countrycode": "KR",
            },
            "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        }
        for place in places
    ]
    return JsonAnswer({"type": "FeatureCollection", "features": features})


def _query(target: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}


def _is_near(place: KnownPlace, latitude: float, longitude: float) -> bool:
    return abs(place.latitude - latitude) < _NEAR_DEGREES and abs(place.longitude - longitude) < _NEAR_DEGREES
