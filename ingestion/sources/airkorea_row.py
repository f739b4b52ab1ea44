"""One row of an AirKorea answer: from its words to a raw measurement or a station."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeVar

from air.index import Grade, grade_of
from air.korea import KST
from air.places import Network, Point, Station
from air.pollutants import Pollutant
from ingestion.reading import RawMeasurement, RawValue
from ingestion.source import RejectedRow, Rows
from ingestion.sources.data_go_kr_answer import Json, Row
from ingestion.sources.fields import SIMULATED, UnreadableRow, number_of, text_of
from ingestion.station import ListedStation

NOT_A_NUMBER: Final = "cleanair: not a number"
"""Our own word on a value that cannot be read."""

_COLUMNS: Final = {
    Pollutant.PM25: "pm25",
    Pollutant.PM10: "pm10",
    Pollutant.O3: "o3",
    Pollutant.NO2: "no2",
    Pollutant.CO: "co",
    Pollutant.SO2: "so2",
}
_NETWORKS: Final = {
    "도시대기": Network.URBAN,
    "도로변대기": Network.ROADSIDE,
    "교외대기": Network.SUBURBAN,
    "항만": Network.PORT,
    "국가배경농도": Network.BACKGROUND,
}
_GRADES: Final = {str(number): grade for number, grade in enumerate(Grade, start=1)}
_HOUR: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):00")
_LAST_HOUR: Final = 24
_INDEX: Final = re.compile(r"[0-9]{1,4}")
_HIGHEST_INDEX: Final = 500
_ID_LENGTH: Final = 20
_POLE: Final = 90.0
_ANTIMERIDIAN: Final = 180.0

_T = TypeVar("_T")


def read_measurements(rows: Iterable[Row]) -> Rows[RawMeasurement]:
    """The measurements in rows of getCtprvnRltmMesureDnsty, of versions 1.0 to 1.5."""
    return _read(rows, read_measurement)


def read_history(rows: Iterable[Row], station_id: str) -> Rows[RawMeasurement]:
    """Measurements in rows of getMsrstnAcctoRltmMesureDnsty; those that name no station are of the one asked for."""
    return _read(rows, lambda row: _read_past(row, station_id))


def read_stations(rows: Iterable[Row]) -> Rows[ListedStation]:
    """The stations in rows of getMsrstnList."""
    return _read(rows, read_station)


def read_measurement(row: Row) -> RawMeasurement:
    """One row of getCtprvnRltmMesureDnsty. Raises UnreadableRow."""
    station_id = _station_id(row)
    measured_at = _hour(row.get("dataTime"))
    index = _index(row.get("khaiValue"))
    return RawMeasurement(
        station_id=station_id,
        measured_at=measured_at,
        raw={pollutant: _value(row, column) for pollutant, column in _COLUMNS.items()},
        air_quality_index=index,
        # The index and its grade are absent together; the grade is not always repeated.
        grade=None if index is None else _GRADES.get(text_of(row.get("khaiGrade"))) or grade_of(index),
    )


def _read_past(row: Row, station_id: str) -> RawMeasurement:
    named = text_of(row.get("stationName"))
    if named not in {"", station_id}:
        raise UnreadableRow(f"not of {station_id}, which was asked for")
    return read_measurement({**row, "stationName": station_id})


def read_station(row: Row) -> ListedStation:
    """One row of getMsrstnList. Raises UnreadableRow."""
    station_id = _station_id(row)
    network = text_of(row.get("mangName"))
    simulated = network.startswith(SIMULATED)
    network = network.removeprefix(SIMULATED).strip()
    station = Station(
        station_id=station_id,
        display_name=station_id,
        location=_location(row.get("dmX"), row.get("dmY")),
        # Names carry additions, such as 국가배경농도(도서).
        network=next((kind for name, kind in _NETWORKS.items() if network.startswith(name)), Network.UNSPECIFIED),
        simulated=simulated,
    )
    return ListedStation(station, text_of(row.get("addr")))


def _read(rows: Iterable[Row], read_one: Callable[[Row], _T]) -> Rows[_T]:
    readable: list[_T] = []
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            readable.append(read_one(row))
        except UnreadableRow as error:
            rejected.append(RejectedRow(text_of(row.get("stationName")), str(error)))
    return Rows(tuple(readable), tuple(rejected))


def _station_id(row: Row) -> str:
    name = text_of(row.get("stationName"))
    if not name:
        raise UnreadableRow("no station name")
    if len(name) > _ID_LENGTH:
        raise UnreadableRow(f"station name longer than {_ID_LENGTH} characters")
    return name


def _hour(value: Json) -> datetime:
    """`YYYY-MM-DD HH:00`, where `24:00` is the next day's midnight."""
    text = text_of(value)
    if not text:
        raise UnreadableRow("no hour")
    match = _HOUR.fullmatch(text)
    if match is None or int(match[4]) > _LAST_HOUR:
        raise UnreadableRow("unreadable hour")
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
        return (datetime.combine(day, time(), tzinfo=KST) + timedelta(hours=int(match[4]))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableRow("unreadable hour") from error


def _value(row: Row, column: str) -> RawValue:
    flag = text_of(row.get(f"{column}Flag")) or None
    text = text_of(row.get(f"{column}Value"))
    if text in {"", "-"}:
        return RawValue(None, flag)
    number = number_of(text)
    return RawValue(number, flag) if number is not None else RawValue(None, flag or NOT_A_NUMBER)


def _index(value: Json) -> int | None:
    text = text_of(value)
    if not _INDEX.fullmatch(text) or int(text) > _HIGHEST_INDEX:
        return None
    return int(text)


def _location(dm_x: Json, dm_y: Json) -> Point:
    """Version 1.0 has the latitude in dmX, another one has it in dmY: in Korea the larger is the longitude."""
    numbers = number_of(text_of(dm_x)), number_of(text_of(dm_y))
    if numbers[0] is None or numbers[1] is None:
        raise UnreadableRow("no location")
    latitude, longitude = sorted((numbers[0], numbers[1]))
    if not 0.0 < latitude < _POLE < longitude < _ANTIMERIDIAN:
        raise UnreadableRow("location outside Korea")
    return Point(round(latitude, 8), round(longitude, 8))
