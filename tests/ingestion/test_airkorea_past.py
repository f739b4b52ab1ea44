"""A station's past is asked for in the smallest period that reaches back, and read as the present is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from air.pollutants import Pollutant
from ingestion.quota import Unlimited
from ingestion.reading import RawValue
from ingestion.settings import IngestionSettings
from ingestion.source import SourceRefused
from ingestion.sources.airkorea import AirKorea, data_term
from ingestion.sources.airkorea_row import read_history, read_measurement, read_measurements
from ingestion.sources.data_go_kr_answer import Row, read_answer
from simulation.airkorea_server import Reply, gateway_error
from simulation.replay import Fault, Recording, ReplayServer
from tests.ingestion.assembly import SettableClock, quick_settings
from tests.ingestion.wire_rows import (
    MEASURED_AT,
    NOW,
    measurement_row,
    measurement_row_1_3,
    measurement_row_1_5,
    station_row,
)

_HOUR = timedelta(hours=1)
_EMPTY = Reply(b'{"response":{"header":{"resultCode":"00"},"body":{"totalCount":0,"items":[]}}}')


def _past(rows: Sequence[Mapping[str, object]], station: str = "중구") -> Recording:
    return Recording([station_row(station)], [[measurement_row(station)]], histories={station: rows})


@pytest.fixture
async def source(settings: IngestionSettings) -> AsyncIterator[AirKorea]:
    async with AirKorea(settings, Unlimited(), SettableClock(NOW)) as source:
        yield source


async def test_the_question_names_the_station_and_the_period(replay: ReplayServer, source: AirKorea) -> None:
    replay.replace(_past([measurement_row()]))
    await source.history("중구", NOW - 3 * _HOUR)
    assert replay.requests[0].operation == "getMsrstnAcctoRltmMesureDnsty"
    assert replay.requests[0].query == {
        "returnType": "json",
        "numOfRows": "1000",
        "pageNo": "1",
        "stationName": "중구",
        "dataTerm": "DAILY",
        "ver": "1.0",
    }


@pytest.mark.parametrize(
    ("age", "term"),
    [
        (timedelta(0), "DAILY"),
        (23 * _HOUR, "DAILY"),
        (24 * _HOUR, "MONTH"),
        (timedelta(days=28), "MONTH"),
        (timedelta(days=29), "3MONTH"),
        (timedelta(days=400), "3MONTH"),
    ],
)
def test_the_period_is_the_smallest_that_is_sure_to_reach_back(age: timedelta, term: str) -> None:
    assert data_term(age) == term


async def test_only_what_was_asked_for_comes_back(replay: ReplayServer, source: AirKorea) -> None:
    hours = ["2026-03-16 09:00", "2026-03-16 08:00", "2026-03-15 24:00", "2026-03-15 23:00"]
    replay.replace(_past([measurement_row("중구", hour) for hour in hours]))
    rows = await source.history("중구", datetime(2026, 3, 15, 15, tzinfo=UTC))
    assert [(MEASURED_AT - row.measured_at) / _HOUR for row in rows.readable] == [0, 1, 9]


async def test_rows_without_a_name_are_of_the_station_asked_for_and_others_are_not(
    replay: ReplayServer, source: AirKorea
) -> None:
    nameless = {name: value for name, value in measurement_row().items() if name not in {"stationName", "sidoName"}}
    replay.replace(_past([nameless, measurement_row("종로구")]))
    rows = await source.history("중구", NOW - 3 * _HOUR)
    assert [(row.station_id, row.measured_at) for row in rows.readable] == [("중구", MEASURED_AT)]
    assert [(row.subject, row.reason) for row in rows.rejected] == [("종로구", "not of 중구, which was asked for")]


async def test_three_months_come_in_pages(replay: ReplayServer, source: AirKorea) -> None:
    hours = [MEASURED_AT - number * _HOUR for number in range(2160)]
    rows = [measurement_row(hour=f"{hour + 9 * _HOUR:%Y-%m-%d %H}:00") for hour in hours]
    replay.replace(_past(rows))
    found = await source.history("중구", NOW - timedelta(days=90))
    assert [row.measured_at for row in found.readable] == hours
    assert [request.query["pageNo"] for request in replay.requests] == ["1", "2", "3"]


async def test_an_empty_answer_is_asked_for_again_and_then_believed(replay: ReplayServer, source: AirKorea) -> None:
    replay.replace(_past([measurement_row()]))
    replay.fail_next(Fault(_EMPTY))
    assert len((await source.history("중구", NOW - 3 * _HOUR)).readable) == 1
    replay.fail(Fault(_EMPTY))
    assert (await source.history("중구", NOW - 3 * _HOUR)).readable == ()


async def test_an_error_of_the_gateway_is_an_error_here_too(replay: ReplayServer, source: AirKorea) -> None:
    replay.fail(Fault(gateway_error("20", "SERVICE_ACCESS_DENIED_ERROR")))
    with pytest.raises(SourceRefused):
        await source.history("중구", NOW - 3 * _HOUR)


@pytest.mark.parametrize("version", ["1.0", "1.3", "1.5"])
async def test_each_version_is_asked_for_and_read(tmp_path: Path, replay: ReplayServer, version: str) -> None:
    row = {"1.0": measurement_row, "1.3": measurement_row_1_3, "1.5": measurement_row_1_5}[version]()
    replay.replace(Recording([station_row()], [[row]], histories={"중구": [row]}))
    settings = quick_settings(tmp_path, replay.url, airkorea_version=version)
    async with AirKorea(settings, Unlimited(), SettableClock(NOW)) as source:
        present, past = await source.measurements(), await source.history("중구", NOW - 3 * _HOUR)
    assert present == past
    assert {request.query["ver"] for request in replay.requests} == {version}
    (measurement,) = present.readable
    assert measurement.raw[Pollutant.O3] == RawValue(0.0212 if version == "1.5" else 0.047)
    assert measurement.raw[Pollutant.CO] == RawValue(0.43 if version == "1.5" else 0.3)
    # The 24 h values beside them are not what was measured in the hour.
    assert measurement.raw[Pollutant.PM10] == RawValue(10.0)


def test_a_grade_of_24_hours_makes_no_value_of_an_hour_that_has_none() -> None:
    row = cast(Row, measurement_row(pm10Value="-", pm10Flag="통신장애", pm10Grade="2"))
    assert read_measurement(row).raw[Pollutant.PM10] == RawValue(None, "통신장애")


@pytest.mark.real_data
def test_a_recorded_past_of_version_1_3_is_read(real_data: Path) -> None:
    body = (real_data / "api_samples" / "airkorea_station_jongno_ver1.3_DAILY.json").read_bytes()
    rows = read_history(read_answer(200, body).rows, "종로구")
    (row,) = rows.readable
    assert (row.station_id, row.measured_at) == ("종로구", datetime(2026, 4, 30, 5, tzinfo=UTC))
    assert (row.raw[Pollutant.PM10], row.air_quality_index) == (RawValue(35.0), 74)


@pytest.mark.real_data
def test_recorded_outages_are_flagged_and_have_no_index_without_ozone_or_nitrogen_dioxide(real_data: Path) -> None:
    body = (real_data / "api_samples" / "airkorea_ctprvn_seoul_most_flags.json").read_bytes()
    found = read_answer(200, body).rows
    measurements = [read_measurement(row) for row in found]
    absent = [raw for measurement in measurements for raw in measurement.raw.values() if raw.number is None]
    assert {raw.flag for raw in absent} == {"통신장애"}
    assert len(absent) == 48
    for measurement in measurements:
        if None in {measurement.raw[Pollutant.O3].number, measurement.raw[Pollutant.NO2].number}:
            assert (measurement.air_quality_index, measurement.grade) == (None, None)
    # The grade of particles is of 24 hours, and there all the same.
    assert sum(row["pm10Grade"] is not None and row["pm10Value"] == "-" for row in found) == 6


@pytest.mark.real_data
def test_a_recorded_answer_mixes_hours_and_has_rows_of_nulls(real_data: Path) -> None:
    name = "airkorea_getCtprvnRltmMesureDnsty_ver1.0_nationwide_20260316T0800_items.json"
    rows = read_measurements(json.loads((real_data / "api_samples" / name).read_bytes()))
    hours = sorted({row.measured_at for row in rows.readable})
    assert [hour.astimezone(UTC).isoformat() for hour in hours] == [
        "2026-03-15T10:00:00+00:00",
        "2026-03-15T22:00:00+00:00",
        "2026-03-15T23:00:00+00:00",
    ]
    assert {(row.subject, row.reason) for row in rows.rejected} == {
        (station, "no hour") for station in ("간성읍", "운서", "수신면", "부산신항")
    }
