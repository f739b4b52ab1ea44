"""A server that answers as version 3 of OpenAQ's API does, over real HTTP: keys, pages, limits by the minute, errors.

Format: as in `ingestion.sources.openaq_rows`.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from simulation.local_server import LocalServer, OwnedServer

_HOUR: Final = timedelta(hours=1)
_DEFAULT_LIMIT: Final = 100

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | bool | None"


@dataclass(frozen=True, slots=True)
class SensorHour:
    """What a sensor measured in the hour that ends at `end`."""

    end: datetime
    value: float | None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class OpenAqSensor:
    """A sensor: its id, OpenAQ's name of what it measures, the unit, and its hours, oldest first."""

    number: int
    parameter: str
    units: str
    hours: Sequence[SensorHour] = ()


@dataclass(frozen=True, slots=True)
class OpenAqLocation:
    """A location and its sensors."""

    number: int
    name: str | None
    latitude: float
    longitude: float
    sensors: Sequence[OpenAqSensor]
    is_monitor: bool = True
    is_mobile: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    body: bytes
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


class OpenAqServer(LocalServer):
    """Listens on a port of its own while it is entered.

    Args:
        locations: What there is.
        key: The key that a request must bring.
        count: False to say `>limit` instead of how many rows were found, as the real server does for hours.

    Attributes:
        requests: The paths that were asked for so far, with their parameters.
        faults: What to answer the next requests with instead, one each.
        left: How many requests the period still allows; none are refused when None.
    """

    def __init__(self, locations: Sequence[OpenAqLocation], *, key: str, count: bool = True) -> None:
        self.locations = tuple(locations)
        self.requests: list[str] = []
        self.faults: deque[Answer] = deque()
        self.left: int | None = None
        self._key = key
        self._count = count
        self._turn = threading.Lock()
        super().__init__(_Handler, "openaq")

    def answer(self, target: str, key: str | None) -> Answer:
        """The answer to a GET of this path and query."""
        with self._turn:
            self.requests.append(target)
            if self.faults:
                return self.faults.popleft()
            if key != self._key:
                return error_answer(HTTPStatus.UNAUTHORIZED, "Invalid credentials")
            if self.left == 0:
                self.left = None
                return error_answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", {"x-ratelimit-reset": "0"})
            headers = {}
            if self.left is not None:
                self.left -= 1
                headers = {"x-ratelimit-remaining": str(self.left), "x-ratelimit-reset": "0"}
            answer = self._answer(target)
            return Answer(answer.body, answer.status, headers)

    def _answer(self, target: str) -> Answer:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        match url.path.strip("/").split("/"):
            case ["v3", "locations"]:
                box = [float(degrees) for degrees in query["bbox"].split(",")]
                return self._page([_location(one) for one in self.locations if _within(one, box)], query)
            case ["v3", "locations", number]:
                found = [_location(one) for one in self.locations if str(one.number) == number]
                return self._page(found, query) if found else error_answer(HTTPStatus.NOT_FOUND, "Location not found")
            case ["v3", "sensors", number, "hours"]:
                after = datetime.fromisoformat(query["datetime_from"])
                sensors = [one for location in self.locations for one in location.sensors if str(one.number) == number]
                hours = [_hour(one, hour) for one in sensors for hour in one.hours if hour.end > after]
                return self._page(hours, query, counted=self._count)
            case _:
                return error_answer(HTTPStatus.NOT_FOUND, "Not Found")

    def _page(self, rows: Sequence[Json], query: Mapping[str, str], *, counted: bool = True) -> Answer:
        page, limit = int(query.get("page", "1")), int(query.get("limit", str(_DEFAULT_LIMIT)))
        results = rows[(page - 1) * limit : page * limit]
        found: Json = len(rows) if counted else (f">{limit}" if len(results) == limit else len(results))
        meta = {"name": "openaq-api", "website": "/", "page": page, "limit": limit, "found": found}
        return Answer(json.dumps({"meta": meta, "results": results}, ensure_ascii=False).encode())


def error_answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as the server tells it."""
    return Answer(json.dumps({"statusCode": status, "detail": detail}).encode(), status, headers or {})


def _within(location: OpenAqLocation, box: Sequence[float]) -> bool:
    west, south, east, north = box
    return west <= location.longitude <= east and south <= location.latitude <= north


def _location(location: OpenAqLocation) -> Json:
    return {
        "id": location.number,
        "name": location.name,
        "locality": None,
        "timezone": "Asia/Seoul",
        "country": {"id": 100, "code": "KR", "name": "Republic of Korea"},
        "owner": {"id": 4, "name": "Unknown Governmental Organization"},
        "provider": {"id": 1, "name": "A network"},
        "isMobile": location.is_mobile,
        "isMonitor": location.is_monitor,
        "instruments": [{"id": 2, "name": "Government Monitor"}],
        "sensors": [
            {"id": sensor.number, "name": f"{sensor.parameter} {sensor.units}", "parameter": _parameter(sensor)}
            for sensor in location.sensors
        ],
        "coordinates": {"latitude": location.latitude, "longitude": location.longitude},
        "bounds": [location.longitude, location.latitude, location.longitude, location.latitude],
        "distance": None,
        "datetimeFirst": None,
        "datetimeLast": None,
        "licenses": None,
    }


def _parameter(sensor: OpenAqSensor) -> Json:
    return {"id": 2, "name": sensor.parameter, "units": sensor.units, "displayName": None}


def _hour(sensor: OpenAqSensor, hour: SensorHour) -> Json:
    span = {"datetimeFrom": _time(hour.end - _HOUR), "datetimeTo": _time(hour.end)}
    return {
        "value": hour.value,
        "flagInfo": {"hasFlags": hour.flagged},
        "parameter": _parameter(sensor),
        "period": {"label": "1hour", "interval": "01:00:00", **span},
        "coordinates": None,
        "summary": None,
        "coverage": {"expectedCount": 1, "observedCount": 1, "percentComplete": 100.0, **span},
    }


def _time(time: datetime) -> Json:
    local = time.astimezone(UTC) + timedelta(hours=9)
    return {"utc": f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "local": f"{local:%Y-%m-%dT%H:%M:%S}+09:00"}


class _Handler(BaseHTTPRequestHandler):
    server: OwnedServer[OpenAqServer]
    timeout = 10.0

    def do_GET(self) -> None:
        """Answers one request."""
        answer = self.server.owner.answer(self.path, self.headers.get("x-api-key"))
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""
