"""Files of history become readings: every layout, every unit, and a word on each row that does not."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.type.v1 import pollutant_pb2, station_pb2
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from air.places import Point, Station
from cli.backfill.files import Cell
from cli.backfill.history import History, Options, prepare
from cli.backfill.layouts import LAYOUTS, Layout
from cli.backfill.places import read_places
from cli.backfill.rows import RowReader, UnreadableRow
from cli.failure import CommandFailed

PLACES = """station,network,lat,lon,addr
중구,도시대기,37.564,126.976,서울 중구
한강대로,도로변대기,37.549,126.971,서울 용산구
"""
AUDITED = """지역,망,측정소코드,측정소명,측정일시,SO2,CO,O3,NO2,PM10,PM25,주소
서울 중구,도시대기,111121,중구,2021010124,0.003,0.6,0.002,0.068,31,,서울
"""


def options(folder: Path, places: str = PLACES, *, feed: str = "airkorea", correct: bool = False) -> Options:
    file = folder / "places.csv"
    file.write_text(places)
    return Options(read_places(file), file, feed, correct, station=None)


def csv_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "history.csv"
    file.write_bytes(text.encode(encoding))
    return file


def readings(history: History) -> list[wire.UploadedReading]:
    return [reading for batch in history.batches() for reading in batch.readings]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_korean_hour_is_read_with_its_place_and_its_flags(tmp_path: Path, encoding: str) -> None:
    text = "station,time_kst,pm10,pm25,o3,khai,pm25_flag\n한강대로,2025-04-21 24:00,19,-,0.064,78,통신장애\n"
    (reading,) = readings(prepare(csv_file(tmp_path, text, encoding), options(tmp_path)))
    assert reading.station.station_id == "한강대로"
    assert reading.station.network == station_pb2.Station.ROADSIDE
    assert (reading.station.location.latitude, reading.station.location.longitude) == (37.549, 126.971)
    assert reading.measured_at.ToDatetime() == datetime(2025, 4, 21, 15)  # noqa: DTZ001 - as protobuf gives it
    assert (reading.pm10_ug_m3, reading.o3_ppm, reading.air_quality_index) == (19.0, 0.064, 78)
    assert not reading.HasField("pm25_ug_m3")
    assert [(flag.pollutant, flag.text) for flag in reading.flags] == [(pollutant_pb2.PM25, "통신장애")]


def test_gases_of_china_come_in_ppm(tmp_path: Path) -> None:
    text = "station,time_cst,pm25,co,o3\n중구,2013-03-01 00:00:00,4.0,300.0,77.0\n"
    (reading,) = readings(prepare(csv_file(tmp_path, text), options(tmp_path)))
    assert reading.measured_at.ToDatetime() == datetime(2013, 2, 28, 16)  # noqa: DTZ001 - as protobuf gives it
    assert reading.pm25_ug_m3 == 4.0
    # 1 ppm is 1145 µg/m³ of CO and 1962 µg/m³ of O3 at 25 °C, as the tables of the WHO and the EPA have it.
    assert reading.co_ppm == pytest.approx(300 / 1145, rel=1e-3)
    assert reading.o3_ppm == pytest.approx(77 / 1962, rel=1e-3)


def test_audited_hours_of_airkorea_end_at_24(tmp_path: Path) -> None:
    (reading,) = readings(prepare(csv_file(tmp_path, AUDITED, "cp949"), options(tmp_path)))
    assert reading.measured_at.ToDatetime() == datetime(2021, 1, 1, 15)  # noqa: DTZ001 - as protobuf gives it
    assert (reading.so2_ppm, reading.pm10_ug_m3, reading.HasField("pm25_ug_m3")) == (0.003, 31.0, False)


def test_a_file_may_place_its_stations_itself(tmp_path: Path) -> None:
    text = "station,measured_at,latitude,longitude,pm25\nsensor-1,2026-01-01T08:00+09:00,37.5,127.0,12\n"
    (reading,) = readings(prepare(csv_file(tmp_path, text), options(tmp_path, "station,lat,lon\n")))
    assert (reading.station.station_id, reading.station.location.latitude) == ("sensor-1", 37.5)


def test_a_word_on_the_whole_row_is_about_what_is_lacking_in_it(tmp_path: Path) -> None:
    text = "station,time_kst,pm10,pm25,flag\n중구,2017-01-01 00:00,73,,had_minus1\n중구,2017-01-01 01:00,71,59,ok\n"
    first, second = readings(prepare(csv_file(tmp_path, text), options(tmp_path)))
    assert [(flag.pollutant, flag.text) for flag in first.flags] == [(pollutant_pb2.PM25, "had_minus1")]
    assert first.pm10_ug_m3 == 73.0
    assert not second.flags


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("중구,soon,19", "time_kst 'soon' is no time"),
        ("중구,2025-13-01 00:00,19", "time_kst '2025-13-01 00:00' is no time"),
        ("중구,2025-01-01 00:30,19", "time_kst '2025-01-01 00:30' is not on the hour"),
        ("중구,2025-01-01 00:00,much", "pm10 'much' is no number"),
        ("중구,2025-01-01 00:00,inf", "pm10 'inf' is no number"),
        ("없는곳,2025-01-01 00:00,19", "station 없는곳 is not in the list of stations"),
        ("중구,2025-01-01 00:00", "not as many fields as columns"),
    ],
)
def test_a_bad_row_is_left_out_with_its_reason_and_the_others_are_not(tmp_path: Path, row: str, reason: str) -> None:
    text = f"station,time_kst,pm10\n중구,2025-01-01 01:00,20\n{row}\n중구,2025-01-01 02:00,21\n"
    history = prepare(csv_file(tmp_path, text), options(tmp_path))
    assert [reading.pm10_ug_m3 for reading in readings(history)] == [20.0, 21.0]
    assert history.left_out.unreadable == 1
    assert history.left_out.reasons == {reason: (2, 1)}


def test_rows_without_a_value_are_no_readings(tmp_path: Path) -> None:
    text = "station,time_kst,pm10\n중구,2025-01-01 01:00,-\n중구,2025-01-01 02:00,\n중구,2025-01-01 03:00,NaN\n"
    history = prepare(csv_file(tmp_path, text), options(tmp_path))
    assert (readings(history), history.left_out.empty, history.left_out.unreadable) == ([], 3, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("empty",)),
        ("station,when,pm10\n", ("no known layout", "time_kst", "time_cst")),
        ("station,time_kst,benzene\n", ("no column of a pollutant",)),
        ("time_kst,pm10\n2025-01-01 01:00,19\n", ("no column station", "--station")),
        ("station,time_kst,pm10\n", ("no row",)),
        ("station,time_kst,pm10\n없는곳,2025-01-01 01:00,19\n", ("None of the stations", "없는곳", "places.csv")),
    ],
)
def test_a_file_that_cannot_be_loaded_is_refused_with_what_it_lacks(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(CommandFailed) as raised:
        prepare(csv_file(tmp_path, text), options(tmp_path))
    assert all(word in str(raised.value) for word in ("history.csv", *words))


@pytest.mark.parametrize("name", ["history.parquet", "history.xlsx", "nowhere.csv"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    if not name.startswith("nowhere"):
        (tmp_path / name).write_bytes(b"PAR1 but no more")
    with pytest.raises(CommandFailed, match=name):
        prepare(tmp_path / name, options(tmp_path))


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ("station,lat\n중구,37.5\n", "lon or longitude"),
        ("station,lat,lon\n중구,north,127\n", "row 1: 'north' is no latitude"),
        ("station,lat,lon\n중구,37.5,127,1\n", "row 1: not as many fields"),
        ("station,lat,lon\n" + "긴" * 21 + ",37.5,127\n", "1 to 20 characters"),
    ],
)
def test_a_wrong_list_of_stations_is_told_by_its_row(tmp_path: Path, places: str, words: str) -> None:
    with pytest.raises(CommandFailed, match=words):
        options(tmp_path, places)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_of_parquet_are_read_in_every_unit(tmp_path: Path, unit: str, zone: str | None) -> None:
    hour = datetime(2025, 4, 21, 15, tzinfo=UTC if zone else None)
    table = pa.table(
        {
            "station": pa.array(["중구", "중구"]).dictionary_encode(),
            "time_kst": pa.array([hour, None], pa.timestamp(unit, zone)),
            "pm10": pa.array([19, None], pa.int16()),
        }
    )
    parquet.write_table(table, tmp_path / "history.parquet")
    history = prepare(tmp_path / "history.parquet", options(tmp_path))
    (reading,) = readings(history)
    assert reading.measured_at.ToDatetime().hour == (15 if zone else 6)
    assert (reading.pm10_ug_m3, history.left_out.empty) == (19.0, 1)


def test_the_name_of_an_upload_stands_for_content_and_options(tmp_path: Path) -> None:
    text = "station,time_kst,pm10\n중구,2025-01-01 01:00,19\n"
    file = csv_file(tmp_path, text)
    name = prepare(file, options(tmp_path)).upload_id
    file.rename(tmp_path / "moved.csv")
    assert prepare(tmp_path / "moved.csv", options(tmp_path)).upload_id == name
    assert len(name) <= 64
    others = {
        prepare(csv_file(tmp_path, text.replace("19", "20")), options(tmp_path)).upload_id,
        prepare(csv_file(tmp_path, text), options(tmp_path, PLACES.replace("37.564", "37.565"))).upload_id,
        prepare(csv_file(tmp_path, text), options(tmp_path, correct=True)).upload_id,
        prepare(csv_file(tmp_path, text), options(tmp_path, feed="other")).upload_id,
        name,
    }
    assert len(others) == 5


def test_batches_are_cut_the_same_way_each_time(tmp_path: Path) -> None:
    rows = "".join(f"중구,2025-01-01 {n % 24:02}:00,{n if n % 7 else '-'}\n" for n in range(12_000))
    file = csv_file(tmp_path, "station,time_kst,pm10\n" + rows)
    cuts = [
        [(batch.sequence, len(batch.readings), batch.rows) for batch in prepare(file, options(tmp_path)).batches()]
        for _ in range(2)
    ]
    assert cuts[0] == cuts[1]
    assert [sequence for sequence, _, _ in cuts[0]] == [1, 2, 3]
    assert [length for _, length, _ in cuts[0]] == [5000, 5000, 285]
    assert cuts[0][-1][2] == 12_000


_CELLS = st.lists(
    st.none() | st.text(max_size=20) | st.floats() | st.integers() | st.datetimes(), min_size=7, max_size=7
)


@given(st.sampled_from(LAYOUTS), _CELLS)
def test_no_row_whatever_its_cells_breaks_the_reader(layout: Layout, cells: list[Cell]) -> None:
    columns = [layout.time, *layout.values.values()]
    reader = RowReader(columns, layout, {"here": Station("here", "here", Point(37.5, 127.0))}, "here")
    with suppress(UnreadableRow):
        reading = reader.read(cells)
        assert reading is None or reading.measured_at.seconds % 3600 == 0
