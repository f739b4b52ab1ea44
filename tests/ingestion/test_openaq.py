"""OpenAQ over HTTP: asked as its documentation says, patient within its limits, and told apart in its troubles."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from air.pollutants import Pollutant
from ingestion.quota import Unlimited
from ingestion.reading import RawMeasurement, RawValue
from ingestion.settings import IngestionSettings
from ingestion.source import (
    Rows,
    SourceEmpty,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    SourceUnreadable,
)
from ingestion.sources.openaq import NowhereToLook, OpenAQ
from simulation.openaq_server import Answer, OpenAqLocation, OpenAqSensor, OpenAqServer, SensorHour, error_answer
from tests.ingestion.assembly import SettableClock
from tests.ingestion.wire_rows import NOW

KEY = "the key of the tests"
LAST = NOW.replace(minute=0, second=0, microsecond=0)
HOURS = [SensorHour(LAST - timedelta(hours=ago), 10.0 + ago) for ago in range(30, -1, -1)]
LOCATIONS = [
    OpenAqLocation(
        1, "One", 37.5, 127.0, [OpenAqSensor(11, "pm25", "µg/m³", HOURS), OpenAqSensor(12, "no2", "ppb", HOURS)]
    ),
    OpenAqLocation(2, None, 37.6, 127.1, [OpenAqSensor(21, "pm25", "µg/m³", [SensorHour(LAST, 7.0, flagged=True)])]),
    OpenAqLocation(3, "A bicycle", 37.6, 127.1, [OpenAqSensor(31, "pm25", "µg/m³", HOURS)], is_mobile=True),
    OpenAqLocation(4, "Far away", 35.1, 129.0, [OpenAqSensor(41, "pm25", "µg/m³", HOURS)]),
]


@pytest.fixture
def openaq() -> Iterator[OpenAqServer]:
    with OpenAqServer(LOCATIONS, key=KEY) as server:
        yield server


def settings_for(server: OpenAqServer, folder: Path, **more: object) -> IngestionSettings:
    base = {"data_dir": folder, "openaq_url": server.url, "openaq_key": KEY, "openaq_retry_seconds": 0.0}
    return IngestionSettings.model_validate({**base, "openaq_bbox": [126.5, 37.0, 127.5, 38.0], **more})


@pytest.fixture
def settings(openaq: OpenAqServer, tmp_path: Path) -> IngestionSettings:
    return settings_for(openaq, tmp_path)


async def measured(settings: IngestionSettings) -> Rows[RawMeasurement]:
    async with OpenAQ(settings, Unlimited(), SettableClock(NOW)) as source:
        return await source.measurements()


async def test_the_hours_of_all_sensors_within_the_box_come_by_station(settings: IngestionSettings) -> None:
    async with OpenAQ(settings, Unlimited(), SettableClock(NOW)) as source:
        stations, measurements = await source.stations(), await source.measurements()
    assert [listed.station.display_name for listed in stations.readable] == ["One", "openaq:2"]
    assert [row.reason for row in stations.rejected] == ["moves about"]
    newest = {row.station_id: row.raw for row in measurements.readable if row.measured_at == LAST}
    assert newest["openaq:1"][Pollutant.PM25] == RawValue(10.0)
    assert newest["openaq:1"][Pollutant.NO2].number == pytest.approx(0.010)
    assert newest["openaq:2"] == {Pollutant.PM25: RawValue(7.0, "flagged")}
    assert {row.measured_at for row in measurements.readable} == {LAST - timedelta(hours=ago) for ago in range(6)}


async def test_locations_may_be_named_instead_of_a_box(openaq: OpenAqServer, tmp_path: Path) -> None:
    rows = await measured(settings_for(openaq, tmp_path, openaq_bbox=[], openaq_locations=[4, 2]))
    assert {row.station_id for row in rows.readable} == {"openaq:4", "openaq:2"}


async def test_history_goes_back_as_far_as_asked_and_knows_only_what_is_listed(settings: IngestionSettings) -> None:
    since = LAST - timedelta(hours=20)
    async with OpenAQ(settings, Unlimited(), SettableClock(NOW)) as source:
        rows, none = await source.history("openaq:1", since), await source.history("중구", since)
    assert sorted(row.measured_at for row in rows.readable) == [since + timedelta(hours=n) for n in range(21)]
    assert none.readable == ()


@pytest.mark.parametrize("count", [True, False])
async def test_all_pages_are_read_whether_they_are_counted_or_not(tmp_path: Path, *, count: bool) -> None:
    hours = [SensorHour(LAST - timedelta(hours=ago), 1.0) for ago in range(2500)]
    location = OpenAqLocation(1, "One", 37.5, 127.0, [OpenAqSensor(11, "pm25", "µg/m³", hours)])
    with OpenAqServer([location], key=KEY, count=count) as server:
        async with OpenAQ(settings_for(server, tmp_path), Unlimited(), SettableClock(NOW)) as source:
            rows = await source.history("openaq:1", LAST - timedelta(days=365))
    assert len(rows.readable) == 2500
    assert len([path for path in server.requests if "hours" in path]) == 3


async def test_no_request_goes_out_beyond_the_limit_of_the_minute(
    openaq: OpenAqServer, settings: IngestionSettings
) -> None:
    openaq.left = 2
    rows = await measured(settings)
    assert rows.readable
    # One refused, and asked again when the period was over.
    assert len(openaq.requests) == 5


@pytest.mark.parametrize("fault", [error_answer(429, "slow", {"x-ratelimit-reset": "0"}), error_answer(503, "down")])
async def test_a_passing_fault_is_asked_again(openaq: OpenAqServer, settings: IngestionSettings, fault: Answer) -> None:
    openaq.faults += [fault, fault]
    assert (await measured(settings)).readable


@pytest.mark.parametrize("status", [404, 408, 500])
async def test_a_sensor_with_a_trouble_of_its_own_does_not_cost_the_others(
    openaq: OpenAqServer, tmp_path: Path, status: int
) -> None:
    settings = settings_for(openaq, tmp_path, openaq_attempts=1)
    async with OpenAQ(settings, Unlimited(), SettableClock(NOW)) as source:
        await source.stations()
        openaq.faults.append(error_answer(status, "no"))
        rows = await source.measurements()
        assert {row.station_id for row in rows.readable} == {"openaq:1", "openaq:2"}
        assert [str(status) in row.reason for row in rows.rejected] == [True]
        openaq.faults += [error_answer(status, "no")] * 3
        with pytest.raises(SourceError):
            await source.measurements()


@pytest.mark.parametrize(
    ("more", "kind", "code"),
    [
        ({"openaq_key": "wrong"}, SourceRefused, "HTTP_401"),
        ({"openaq_locations": [99]}, SourceRefused, "HTTP_404"),
        ({"openaq_bbox": [0.0, 0.0, 1.0, 1.0]}, SourceEmpty, "EMPTY"),
        ({"openaq_most_sensors": 2}, SourceRefused, "TOO_MANY_SENSORS"),
        ({"openaq_url": "http://127.0.0.1:1"}, SourceUnavailable, "CONNECT"),
    ],
)
async def test_what_cannot_be_collected_is_said_by_its_kind(
    openaq: OpenAqServer, tmp_path: Path, more: dict[str, object], kind: type[SourceError], code: str
) -> None:
    with pytest.raises(kind) as raised:
        await measured(settings_for(openaq, tmp_path, **more))
    assert raised.value.code == code


async def test_what_is_no_answer_is_unreadable(openaq: OpenAqServer, settings: IngestionSettings) -> None:
    openaq.faults.append(Answer(b"<html>"))
    with pytest.raises(SourceUnreadable):
        await measured(settings)


async def test_a_collection_ends_in_time(openaq: OpenAqServer, tmp_path: Path) -> None:
    openaq.faults.append(error_answer(429, "slow", {"x-ratelimit-reset": "60"}))
    with pytest.raises(SourceUnavailable) as raised:
        await measured(settings_for(openaq, tmp_path, openaq_deadline_seconds=0.2))
    assert raised.value.code == "TIMEOUT"


async def test_the_key_is_in_no_log_and_no_error(
    openaq: OpenAqServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    openaq.faults += [error_answer(500, "no")] * 10
    with pytest.raises(SourceError) as raised:
        await measured(settings_for(openaq, tmp_path))
    assert KEY not in caplog.text
    assert KEY not in repr(raised.value)


def test_without_a_place_to_look_it_says_what_to_set(openaq: OpenAqServer, tmp_path: Path) -> None:
    with pytest.raises(NowhereToLook, match="CLEANAIR_OPENAQ_BBOX"):
        OpenAQ(settings_for(openaq, tmp_path, openaq_bbox=[]), Unlimited(), SettableClock(NOW))
