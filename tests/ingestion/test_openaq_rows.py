"""Rows of OpenAQ, as its documentation and its server's own models have them, become stations and hours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.pollutants import Pollutant
from ingestion.reading import RawValue
from ingestion.source import SourceError, SourceRefused, SourceUnavailable, SourceUnreadable
from ingestion.sources.data_go_kr_answer import Json
from ingestion.sources.openaq_rows import Sensor, join, read_hours, read_locations, read_page

# The answers that docs.openaq.org shows, shortened.
LOCATION: Mapping[str, Json] = {
    "id": 2178,
    "name": "Del Norte",
    "locality": "Albuquerque",
    "isMobile": False,
    "isMonitor": True,
    "sensors": [
        {"id": 3916, "name": "no2 ppm", "parameter": {"id": 7, "name": "no2", "units": "ppm", "displayName": "NO₂"}},
        {"id": 3920, "name": "pm25 µg/m³", "parameter": {"id": 2, "name": "pm25", "units": "µg/m³"}},
        {"id": 4272226, "name": "no ppm", "parameter": {"id": 35, "name": "no", "units": "ppm"}},
    ],
    "coordinates": {"latitude": 35.1353, "longitude": -106.584702},
}
HOUR: Mapping[str, Json] = {
    "value": 0.043,
    "flagInfo": {"hasFlags": False},
    "parameter": {"id": 10, "name": "o3", "units": "ppm", "displayName": None},
    "period": {
        "label": "1hour",
        "interval": "01:00:00",
        "datetimeFrom": {"utc": "2016-03-06T19:00:00Z", "local": "2016-03-06T12:00:00-07:00"},
        "datetimeTo": {"utc": "2016-03-06T20:00:00Z", "local": "2016-03-06T13:00:00-07:00"},
    },
    "coordinates": None,
    "summary": None,
}
O3 = Sensor(1, Pollutant.O3, 1.0)


def sensor_row(number: int, name: str, units: str) -> Json:
    return {"id": number, "name": f"{name} {units}", "parameter": {"id": 2, "name": name, "units": units}}


def test_a_location_is_a_station_under_a_name_of_its_own() -> None:
    (location,) = read_locations([LOCATION]).readable
    station = location.listed.station
    assert (station.station_id, station.display_name) == ("openaq:2178", "Del Norte")
    assert (station.location.latitude, station.location.longitude) == (35.1353, -106.584702)
    assert location.listed.address == "Albuquerque"
    assert [(sensor.sensor_id, sensor.pollutant) for sensor in location.sensors] == [
        (3916, Pollutant.NO2),
        (3920, Pollutant.PM25),
    ]


@pytest.mark.parametrize(
    ("name", "units", "ppm"),
    [
        ("o3", "ppm", 1.0),
        ("o3", "ppb", 0.001),
        # At 25 °C: 1 ppb is 1.96 µg/m³ of O3, 1.88 of NO2, 1.145 of CO, 2.62 of SO2 (WHO).
        ("o3", "µg/m³", 1 / 1962),
        ("no2", "μg/m³", 1 / 1880),
        ("co", "ug/m3", 1 / 1145),
        ("so2", "µg/m³", 1 / 2619),
    ],
)
def test_every_unit_becomes_ours(name: str, units: str, ppm: float) -> None:
    (location,) = read_locations([{**LOCATION, "sensors": [sensor_row(1, name, units)]}]).readable
    assert location.sensors[0].factor == pytest.approx(ppm, rel=2e-3)


def test_sensors_in_units_that_tell_nothing_are_left_out() -> None:
    sensors = [sensor_row(1, "pm25", "particles/cm³"), sensor_row(2, "o3", "%"), sensor_row(3, "pm10", "µg/m³"), None]
    (location,) = read_locations([{**LOCATION, "sensors": sensors}]).readable
    assert [sensor.sensor_id for sensor in location.sensors] == [3]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("id", None, "no id"),
        ("id", True, "no id"),
        ("id", 10**14, "no id"),
        ("isMobile", True, "moves about"),
        ("isMonitor", False, "no reference station"),
        ("coordinates", None, "no location"),
        ("coordinates", {"latitude": 95.0, "longitude": 10.0}, "off the globe"),
        ("coordinates", {"latitude": None, "longitude": 10.0}, "latitude is no number"),
    ],
)
def test_a_location_that_cannot_be_a_station_is_said_why(field: str, value: Json, reason: str) -> None:
    rows = read_locations([{**LOCATION, field: value}, {**LOCATION, "id": 8}])
    assert [location.station_id for location in rows.readable] == ["openaq:8"]
    assert [reason in row.reason for row in rows.rejected] == [True]


def test_an_hour_is_labelled_by_its_end() -> None:
    (hour,) = read_hours([HOUR], O3).readable
    assert hour.measured_at == datetime(2016, 3, 6, 20, tzinfo=UTC)
    assert hour.value == RawValue(0.043, None)


def test_a_flagged_value_keeps_its_number_and_a_missing_one_has_none() -> None:
    flagged, missing = read_hours([{**HOUR, "flagInfo": {"hasFlags": True}}, {**HOUR, "value": None}], O3).readable
    assert flagged.value == RawValue(0.043, "flagged")
    assert missing.value == RawValue(None, None)


@pytest.mark.parametrize(
    "row",
    [
        {"value": "0.043"},
        {"value": True},
        {"value": 10**400},
        {"period": None},
        {"period": {"interval": "24:00:00", "datetimeTo": {"utc": "2016-03-06T20:00:00Z"}}},
        {"period": {"interval": "01:00:00", "datetimeTo": {"utc": "2016-03-06T20:30:00Z"}}},
        {"period": {"interval": "01:00:00", "datetimeTo": {"utc": "yesterday"}}},
        {"period": {"interval": "01:00:00", "datetimeTo": None}},
    ],
)
def test_what_is_no_hour_is_rejected(row: Mapping[str, Json]) -> None:
    rows = read_hours([{**HOUR, **row}, HOUR], O3)
    assert (len(rows.readable), len(rows.rejected)) == (1, 1)


def test_sensors_of_one_station_and_hour_make_one_measurement() -> None:
    (location,) = read_locations([LOCATION]).readable
    no2, pm25 = location.sensors
    spare = Sensor(9, Pollutant.NO2, 0.001)
    empty, second = {**HOUR, "value": None}, {**HOUR, "value": 30.0}
    rows = join(
        [
            (location, no2, read_hours([empty], no2)),
            (location, pm25, read_hours([HOUR], pm25)),
            (location, spare, read_hours([second], spare)),
        ]
    )
    (measurement,) = rows.readable
    assert measurement.station_id == "openaq:2178"
    assert measurement.raw == {Pollutant.NO2: RawValue(0.03), Pollutant.PM25: RawValue(0.043)}


@pytest.mark.parametrize(
    ("meta", "more"),
    [({"found": 5}, True), ({"found": 4}, False), ({"found": ">2"}, True), ({}, True), (None, True)],
)
def test_a_full_page_has_a_next_one_unless_the_count_says_not(meta: Json, more: bool) -> None:  # noqa: FBT001
    body = json.dumps({"meta": meta, "results": [{}, {}]}).encode()
    assert read_page(200, body, page=2, limit=2).more is more
    assert not read_page(200, body, page=2, limit=3).more


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, b'{"detail": "Invalid credentials"}', SourceRefused, "HTTP_401"),
        (404, b"", SourceRefused, "HTTP_404"),
        (422, b"{}", SourceRefused, "HTTP_422"),
        (408, b"{}", SourceUnavailable, "HTTP_408"),
        (429, b"{}", SourceUnavailable, "HTTP_429"),
        (503, b"<html>", SourceUnavailable, "HTTP_503"),
        (200, b"<html>", SourceUnreadable, "UNREADABLE"),
        (200, b"[]", SourceUnreadable, "UNREADABLE"),
        (200, b'{"results": [1]}', SourceUnreadable, "UNREADABLE"),
    ],
)
def test_what_is_no_answer_is_an_error_of_its_kind(
    status: int, body: bytes, kind: type[SourceError], code: str
) -> None:
    with pytest.raises(kind) as raised:
        read_page(status, body, page=1, limit=10)
    assert raised.value.code == code


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def garbled(row: Mapping[str, Json]) -> st.SearchStrategy[Mapping[str, Json]]:
    """The row with any of its fields replaced by anything."""
    return st.fixed_dictionaries({name: st.just(value) | JSON for name, value in row.items()})


@given(st.sampled_from([200, 400, 429, 500]), st.binary() | JSON.map(lambda content: json.dumps(content).encode()))
def test_garbage_for_an_answer_is_a_typed_error_or_rows(status: int, body: bytes) -> None:
    with suppress(SourceError):
        assert isinstance(read_page(status, body, page=1, limit=10).rows, tuple)


@given(st.lists(garbled(LOCATION), max_size=3), st.lists(garbled(HOUR), max_size=3))
def test_garbage_in_rows_rejects_rows_and_breaks_nothing(
    locations: list[Mapping[str, Json]], hours: list[Mapping[str, Json]]
) -> None:
    read = read_locations(locations)
    assert all(1 <= len(location.station_id) <= 20 for location in read.readable)
    rows = read_hours(hours, O3)
    assert len(rows.readable) + len(rows.rejected) == len(hours)
    assert all(hour.measured_at.minute == 0 for hour in rows.readable)
