"""Each oddity of AirKorea's rows is read for what it means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from air.index import Grade
from air.places import Network, Point
from air.pollutants import Pollutant
from ingestion.quality.cleaning import judge
from ingestion.reading import RawValue
from ingestion.sources.airkorea_row import (
    NOT_A_NUMBER,
    read_measurement,
    read_measurements,
    read_station,
    read_stations,
)
from ingestion.sources.data_go_kr_answer import Row, read_answer
from ingestion.sources.fields import UnreadableRow
from tests.ingestion.wire_rows import HOUR, MEASURED_AT, measurement_row, station_row


def _row(station: str = "중구", hour: str | None = HOUR, **fields: str | None) -> Row:
    return cast(Row, measurement_row(station, hour, **fields))


def _station(station: str = "중구", **fields: str | None) -> Row:
    return cast(Row, station_row(station, **fields))


def test_a_whole_row_is_read() -> None:
    measurement = read_measurement(_row())
    assert measurement.station_id == "중구"
    assert measurement.measured_at == MEASURED_AT
    assert measurement.raw == {
        Pollutant.PM25: RawValue(7.0),
        Pollutant.PM10: RawValue(10.0),
        Pollutant.O3: RawValue(0.047),
        Pollutant.NO2: RawValue(0.015),
        Pollutant.CO: RawValue(0.3),
        Pollutant.SO2: RawValue(0.003),
    }
    assert (measurement.air_quality_index, measurement.grade) == (65, Grade.MODERATE)


def test_a_dash_with_a_flag_is_absent_and_flagged() -> None:
    assert read_measurement(_row(pm25Value="-", pm25Flag="통신장애")).raw[Pollutant.PM25] == RawValue(None, "통신장애")


def test_a_flag_keeps_the_number_that_came_with_it() -> None:
    assert read_measurement(_row(coFlag="자료이상")).raw[Pollutant.CO] == RawValue(0.3, "자료이상")


@pytest.mark.parametrize("text", ["-", "", None])
def test_a_value_without_a_word_is_simply_absent(text: str | None) -> None:
    assert read_measurement(_row(o3Value=text)).raw[Pollutant.O3] == RawValue()


@pytest.mark.parametrize("text", ["abc", "nan", "inf", "1e5", "1_0", "٣", "1,5", "--", ".", "+"])
def test_a_value_that_is_no_number_is_flagged_by_us(text: str) -> None:
    assert read_measurement(_row(o3Value=text)).raw[Pollutant.O3] == RawValue(None, NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-04-23 24:00", datetime(2025, 4, 23, 15, tzinfo=UTC)),
        ("2025-12-31 24:00", datetime(2025, 12, 31, 15, tzinfo=UTC)),
        ("2025-04-24 00:00", datetime(2025, 4, 23, 15, tzinfo=UTC)),
        ("2025-04-23 01:00", datetime(2025, 4, 22, 16, tzinfo=UTC)),
    ],
)
def test_hour_24_is_the_midnight_that_ends_the_day(text: str, time: datetime) -> None:
    assert read_measurement(_row(hour=text)).measured_at == time


@pytest.mark.parametrize(
    "text", ["2025-02-30 10:00", "2025-04-23 25:00", "2025-04-23 10:30", "2025-4-23 1:00", "now", "9999-12-31 24:00"]
)
def test_an_hour_that_there_is_not_rejects_the_row(text: str) -> None:
    with pytest.raises(UnreadableRow, match="unreadable hour"):
        read_measurement(_row(hour=text))


def test_a_row_of_nulls_is_rejected_and_the_rest_is_kept() -> None:
    nulls: Row = dict.fromkeys(_row()) | {"sidoName": "서울", "stationName": "중구"}
    rows = read_measurements([nulls, _row(station="종로구")])
    assert [row.station_id for row in rows.readable] == ["종로구"]
    assert [(row.subject, row.reason) for row in rows.rejected] == [("중구", "no hour")]


@pytest.mark.parametrize("name", [None, "", "   ", "가" * 21])
def test_a_row_that_names_no_station_is_rejected(name: str | None) -> None:
    with pytest.raises(UnreadableRow, match="station name"):
        read_measurement(_row(stationName=name))


@pytest.mark.parametrize("text", ["-", None, "501", "-3", "x", "6.5"])
def test_an_index_that_is_none_has_no_grade(text: str | None) -> None:
    measurement = read_measurement(_row(khaiValue=text))
    assert (measurement.air_quality_index, measurement.grade) == (None, None)


def test_an_index_without_a_grade_is_graded() -> None:
    assert read_measurement(_row(khaiValue="251", khaiGrade=None)).grade is Grade.VERY_UNHEALTHY


def test_text_that_no_database_takes_is_cleaned() -> None:
    measurement = read_measurement(_row(station="중\x00구\ud800", coFlag="\x00통신\n장애\x07"))
    assert measurement.station_id == "중구"
    assert measurement.raw[Pollutant.CO].flag == "통신장애"


@pytest.mark.parametrize(
    ("name", "network", "simulated"),
    [
        ("도시대기", Network.URBAN, False),
        ("도로변대기", Network.ROADSIDE, False),
        ("교외대기", Network.SUBURBAN, False),
        ("항만", Network.PORT, False),
        ("국가배경농도(도서)", Network.BACKGROUND, False),
        ("모의 도로변대기", Network.ROADSIDE, True),
        ("새로운것", Network.UNSPECIFIED, False),
        (None, Network.UNSPECIFIED, False),
    ],
)
def test_the_network_of_a_station_is_told_by_its_name(name: str | None, network: Network, *, simulated: bool) -> None:
    station = read_station(_station(mangName=name)).station
    assert (station.network, station.simulated) == (network, simulated)


@pytest.mark.parametrize(("dm_x", "dm_y"), [("37.5", "127.1"), ("127.1", "37.5")])
def test_latitude_and_longitude_are_told_by_magnitude(dm_x: str, dm_y: str) -> None:
    assert read_station(_station(dmX=dm_x, dmY=dm_y)).station.location == Point(37.5, 127.1)


@pytest.mark.parametrize(("dm_x", "dm_y"), [(None, "127.1"), ("", ""), ("37.5", "0"), ("37.5", "37.5"), ("127", "128")])
def test_a_station_without_a_place_is_rejected(dm_x: str | None, dm_y: str | None) -> None:
    assert read_stations([_station(dmX=dm_x, dmY=dm_y)]).rejected


_CELL = st.none() | st.text(max_size=30) | st.integers() | st.floats() | st.booleans() | st.lists(st.text(), max_size=1)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_row(), _CELL)))
def test_no_row_breaks_the_reader(row: Row) -> None:
    rows = read_measurements([row])
    assert len(rows.readable) + len(rows.rejected) == 1
    for readable in rows.readable:
        judge(readable)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_station(), _CELL)))
def test_no_station_row_breaks_the_reader(row: Row) -> None:
    rows = read_stations([row])
    assert len(rows.readable) + len(rows.rejected) == 1


@pytest.mark.real_data
def test_recorded_midnight_is_that_of_the_next_day(real_data: Path) -> None:
    body = (real_data / "api_samples" / "airkorea_ctprvn_seoul_2400.json").read_bytes()
    rows = read_measurements(read_answer(200, body).rows)
    assert {row.measured_at for row in rows.readable} == {datetime(2025, 4, 23, 15, tzinfo=UTC)}
    assert len(rows.readable) == 40


@pytest.mark.real_data
def test_recorded_version_1_5_is_read_to_its_last_decimal(real_data: Path) -> None:
    body = (real_data / "api_samples" / "airkorea_ctprvn_ver1.5_seoul_1row_20251126T1400.json").read_bytes()
    (row,) = read_measurements(read_answer(200, body).rows).readable
    assert judge(row).values == {
        Pollutant.PM25: 13.0,
        Pollutant.PM10: 27.0,
        Pollutant.O3: 0.0212,
        Pollutant.NO2: 0.0292,
        Pollutant.CO: 0.43,
        Pollutant.SO2: 0.0027,
    }


@pytest.mark.real_data
def test_the_recorded_station_list_is_read_but_for_the_one_without_a_place(real_data: Path) -> None:
    file = real_data / "api_samples" / "airkorea_getMsrstnList_items_nationwide_664.json"
    rows = read_stations(json.loads(file.read_bytes()))
    assert [(row.subject, row.reason) for row in rows.rejected] == [("송정동", "no location")]
    assert len(rows.readable) == 663
    stations = [listed.station for listed in rows.readable]
    assert all(33 < s.location.latitude < 39 and 124 < s.location.longitude < 132 for s in stations)
    assert not any(station.simulated for station in stations)
    assert Network.UNSPECIFIED not in {station.network for station in stations}
    assert all(listed.address for listed in rows.readable)
