"""Answers of OpenAQ's API, version 3: from JSON to stations, their sensors, and what those measured in an hour.

Format: the models of the API's own server (github.com/openaq/openaq-api-v2, v3/models/responses.py, 2025) and
docs.openaq.org. `meta.found` is a number, or a text such as `>1000` where the server has not counted; hours are
labelled by `period.datetimeTo`, their end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from air.places import Point, Station
from air.pollutants import MOLAR_MASS_G, Pollutant, ug_m3_per_unit
from ingestion.reading import RawMeasurement, RawValue
from ingestion.source import RejectedRow, Rows, SourceUnreadable
from ingestion.sources.data_go_kr_answer import Json, Row, http_error
from ingestion.sources.fields import UnreadableRow, text_of
from ingestion.station import ListedStation

FLAGGED: Final = "flagged"
"""The word on a value that OpenAQ says has flags; which ones, it tells elsewhere."""

_HTTP_OK: Final = 200
_POLLUTANTS: Final = {pollutant.value.lower(): pollutant for pollutant in Pollutant}
_HOUR: Final = timedelta(hours=1)
_HOURLY: Final = "01:00:00"
_MOST_DIGITS: Final = 13
_POLE: Final = 90.0
_ANTIMERIDIAN: Final = 180.0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer, and whether there may be another."""

    rows: tuple[Row, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Sensor:
    """What measures one pollutant at a location; a value times `factor` is in the pollutant's unit."""

    sensor_id: int
    pollutant: Pollutant
    factor: float


@dataclass(frozen=True, slots=True)
class Location:
    """A station and its sensors, those first that measure in the pollutant's own unit."""

    listed: ListedStation
    sensors: tuple[Sensor, ...]

    @property
    def station_id(self) -> str:
        """The station."""
        return self.listed.station.station_id


@dataclass(frozen=True, slots=True)
class Hour:
    """What a sensor measured in the hour that ends at `measured_at`."""

    measured_at: datetime
    value: RawValue


SensorHours: TypeAlias = tuple[Location, Sensor, Rows[Hour]]


def read_page(status_code: int, body: bytes, *, page: int, limit: int) -> Page:
    """The rows of an answer to a question for this page of `limit` rows.

    Raises SourceUnavailable, SourceRefused or SourceUnreadable, whatever the bytes are.
    """
    if status_code != _HTTP_OK:
        raise http_error(status_code)
    try:
        content: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable("is no JSON") from error
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(results, list):
        raise _unreadable("has no list of results")
    rows = tuple(result for result in results if isinstance(result, dict))
    if len(rows) != len(results):
        raise _unreadable("holds something that is no row")
    meta = content.get("meta")
    found = meta.get("found") if isinstance(meta, dict) else None
    whole = len(rows) >= limit
    return Page(rows, whole and page * limit < found if isinstance(found, int) else whole)


def read_locations(rows: Iterable[Row]) -> Rows[Location]:
    """The locations in rows of /v3/locations: reference stations that stay where they are."""
    readable: dict[str, Location] = {}
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            location = _location(row)
        except UnreadableRow as error:
            rejected.append(RejectedRow(text_of(row.get("id")) or text_of(row.get("name")), str(error)))
        else:
            readable[location.station_id] = location
    return Rows(tuple(readable.values()), tuple(rejected))


def read_hours(rows: Iterable[Row], sensor: Sensor) -> Rows[Hour]:
    """What one sensor measured, from rows of /v3/sensors/{id}/hours."""
    readable: list[Hour] = []
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            readable.append(_hour(row, sensor))
        except UnreadableRow as error:
            rejected.append(RejectedRow(f"sensor {sensor.sensor_id}", str(error)))
    return Rows(tuple(readable), tuple(rejected))


def join(measured: Iterable[SensorHours]) -> Rows[RawMeasurement]:
    """The measurements of stations from those of their sensors: of two with one pollutant, the first with a number."""
    stations: dict[tuple[str, datetime], dict[Pollutant, RawValue]] = {}
    rejected: list[RejectedRow] = []
    for location, sensor, hours in measured:
        rejected += (RejectedRow(f"{location.station_id} {row.subject}", row.reason) for row in hours.rejected)
        for hour in hours.readable:
            raw = stations.setdefault((location.station_id, hour.measured_at), {})
            if raw.get(sensor.pollutant, RawValue()).number is None:
                raw[sensor.pollutant] = hour.value
    readable = (RawMeasurement(station_id, measured_at, raw) for (station_id, measured_at), raw in stations.items())
    return Rows(tuple(readable), tuple(rejected))


def _location(row: Row) -> Location:
    number = _identity(row.get("id"))
    if row.get("isMobile") is not False:
        raise UnreadableRow("moves about")
    if row.get("isMonitor") is not True:
        raise UnreadableRow("no reference station")
    station_id = f"openaq:{number}"
    name = text_of(row.get("name")) or station_id
    sensors = row.get("sensors")
    known = [sensor for item in (sensors if isinstance(sensors, list) else ()) if (sensor := _sensor(item)) is not None]
    return Location(
        ListedStation(Station(station_id, name, _point(row.get("coordinates"))), text_of(row.get("locality"))),
        tuple(sorted(known, key=lambda sensor: (sensor.factor != 1.0, sensor.sensor_id))),
    )


def _sensor(item: Json) -> Sensor | None:
    """A sensor; None for one of something else, such as the temperature, or in a unit that tells nothing here."""
    parameter = item.get("parameter") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(parameter, dict):
        return None
    pollutant = _POLLUTANTS.get(text_of(parameter.get("name")))
    factor = None if pollutant is None else _factors(pollutant).get(_unit(text_of(parameter.get("units"))))
    if pollutant is None or factor is None:
        return None
    try:
        return Sensor(_identity(item.get("id")), pollutant, factor)
    except UnreadableRow:
        return None


def _factors(pollutant: Pollutant) -> Mapping[str, float]:
    if pollutant not in MOLAR_MASS_G:
        return {"ug/m3": 1.0}
    return {"ppm": 1.0, "ppb": 0.001, "ug/m3": 1.0 / ug_m3_per_unit(pollutant)}


def _unit(text: str) -> str:
    # The micro sign and the Greek letter look alike, and both are in use.
    return text.replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u").replace("³", "3")


def _hour(row: Row, sensor: Sensor) -> Hour:
    period = row.get("period")
    if not isinstance(period, dict):
        raise UnreadableRow("no period")
    if period.get("interval") != _HOURLY:
        raise UnreadableRow("not the value of one hour")
    flags = row.get("flagInfo")
    flagged = isinstance(flags, dict) and flags.get("hasFlags") is True
    value = row.get("value")
    number = None if value is None else _number(value, "value") * sensor.factor
    return Hour(_end(period.get("datetimeTo")), RawValue(number, FLAGGED if flagged else None))


def _end(value: Json) -> datetime:
    text = value.get("utc") if isinstance(value, dict) else None
    try:
        time = datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None
    except (ValueError, OverflowError) as error:
        raise UnreadableRow("unreadable hour") from error
    if time is None or (time - datetime.min.replace(tzinfo=UTC)) % _HOUR:
        raise UnreadableRow("no full hour")
    return time


def _identity(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**_MOST_DIGITS:
        raise UnreadableRow("no id")
    return value


def _point(value: Json) -> Point:
    if not isinstance(value, dict):
        raise UnreadableRow("no location")
    latitude, longitude = _number(value.get("latitude"), "latitude"), _number(value.get("longitude"), "longitude")
    if abs(latitude) > _POLE or abs(longitude) > _ANTIMERIDIAN:
        raise UnreadableRow("location off the globe")
    return Point(round(latitude, 8), round(longitude, 8))


def _number(value: Json, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UnreadableRow(f"{name} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnreadableRow(f"{name} is no number")
    return number


def _unreadable(why: str) -> SourceUnreadable:
    return SourceUnreadable(f"OpenAQ's answer {why}", code="UNREADABLE")
