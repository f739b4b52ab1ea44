"""The simulated feed answers in AirKorea's format, and its air behaves as a city's does, in any hour of any year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, cast

import httpx
import numpy as np
import pytest

from air.index import index_of_hour
from air.places import Network
from air.pollutants import Pollutant
from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.sources.airkorea import AirKorea
from ingestion.sources.airkorea_row import read_measurements
from ingestion.sources.data_go_kr_answer import Row, read_answer
from simulation.air import KST, SimulatedAir, hour_number, hour_time
from simulation.airkorea_server import WireRow
from simulation.feed import NO_CONTACT, Feed, FeedServer, sites_of, wire_hour
from simulation.noise import Floats

_SEED: Final = 7
_HOUR: Final = timedelta(hours=1)
_NINE: Final = datetime(2026, 3, 16, 9, tzinfo=KST)
_PATH: Final = "ArpltnInforInqireSvc/getCtprvnRltmMesureDnsty"


class _Clock:
    def __init__(self) -> None:
        self.now = _NINE + timedelta(minutes=16)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def feed(clock: _Clock) -> Iterator[FeedServer]:
    with FeedServer(_SEED, clock=clock) as server:
        yield server


@pytest.fixture(scope="module")
def air() -> SimulatedAir:
    return SimulatedAir(_SEED, sites_of(_SEED))


def _rows(now: datetime) -> list[WireRow]:
    return Feed(_SEED, lambda: now).measurement_rows(now)


def _get(feed: FeedServer, path: str = _PATH, **query: str) -> bytes:
    return httpx.get(f"{feed.url}/{path}", params=query).raise_for_status().content


async def test_the_client_of_production_reads_it_whole_and_as_simulated(
    feed: FeedServer, clock: _Clock, tmp_path: Path
) -> None:
    settings = IngestionSettings.model_validate({"airkorea_url": feed.url, "data_dir": tmp_path})
    async with AirKorea(settings, Unlimited(), clock) as source:
        measurements, stations = await source.measurements(), await source.stations()
    assert (measurements.rejected, stations.rejected) == ((), ())
    sites = [listed.station for listed in stations.readable]
    assert len({station.station_id for station in sites}) == 25
    assert all(station.simulated and station.station_id.startswith("모의") for station in sites)
    assert {station.network for station in sites} == {Network.URBAN, Network.ROADSIDE}
    assert [row.station_id for row in measurements.readable] == [station.station_id for station in sites]
    assert {row.measured_at for row in measurements.readable} == {_NINE.astimezone(UTC)}


def test_it_has_the_fields_of_a_recorded_row_and_texts_or_nulls_in_them(feed: FeedServer) -> None:
    rows = read_answer(200, _get(feed, numOfRows="100")).rows
    pollutants = ("so2", "co", "o3", "no2", "pm10", "pm25")
    expected = {f"{pollutant}{part}" for pollutant in pollutants for part in ("Value", "Grade", "Flag")}
    expected |= {"sidoName", "stationName", "dataTime", "khaiValue", "khaiGrade"}
    assert {frozenset(row) for row in rows} == {frozenset(expected)}
    assert all(value is None or isinstance(value, str) for row in rows for value in row.values())


@pytest.mark.real_data
def test_its_fields_are_those_of_a_recording(feed: FeedServer, real_data: Path) -> None:
    recorded = read_answer(200, (real_data / "api_samples" / "airkorea_ctprvn_seoul_2400.json").read_bytes()).rows
    assert set(read_answer(200, _get(feed)).rows[0]) == set(recorded[0])


def test_it_pages_as_the_real_one_does(feed: FeedServer) -> None:
    assert len(read_answer(200, _get(feed)).rows) == 10
    pages = [read_answer(200, _get(feed, numOfRows="10", pageNo=str(number))) for number in (1, 2, 3, 4)]
    assert [len(page.rows) for page in pages] == [10, 10, 5, 0]
    assert {page.total_count for page in pages} == {25}
    assert len({row["stationName"] for page in pages for row in page.rows}) == 25


@pytest.mark.parametrize(("path", "query"), [("a/b", {}), (_PATH, {"pageNo": "0"}), (_PATH, {"numOfRows": "x"})])
def test_what_the_real_one_refuses_is_refused_as_xml(feed: FeedServer, path: str, query: dict[str, str]) -> None:
    assert _get(feed, path, **query).startswith(b"<OpenAPI_ServiceResponse>")


def test_the_clock_shows_which_hour_is_published(feed: FeedServer, clock: _Clock) -> None:
    shown = []
    for now in (_NINE, _NINE + 0.99 * _HOUR, _NINE + _HOUR, datetime(2026, 3, 17, 0, 1, tzinfo=KST)):
        clock.now = now
        shown.append(read_answer(200, _get(feed)).rows[0]["dataTime"])
    assert shown == ["2026-03-16 09:00", "2026-03-16 09:00", "2026-03-16 10:00", "2026-03-16 24:00"]


def test_midnight_is_hour_24_of_the_day_before() -> None:
    assert wire_hour(datetime(2026, 1, 1, tzinfo=KST)) == "2025-12-31 24:00"


def test_the_same_seed_and_hour_give_the_same_answer_whatever_was_asked_before() -> None:
    now = datetime(2031, 7, 5, 3, 30, tzinfo=UTC)
    asked_much = Feed(_SEED, lambda: now)
    for back in range(50):
        asked_much.measurement_rows(now - back * _HOUR)
    assert asked_much.measurement_rows(now) == _rows(now)
    assert Feed(_SEED + 1, lambda: now).measurement_rows(now) != _rows(now)


def test_values_are_missing_now_and_then_with_their_flag() -> None:
    flags: Counter[str] = Counter()
    for hour in range(0, 24 * 200, 35):
        for row in _rows(_NINE + hour * _HOUR + 0.5 * _HOUR):
            for pollutant in ("pm25", "o3", "no2"):
                missing = row[f"{pollutant}Value"] == "-"
                assert row[f"{pollutant}Flag"] == (NO_CONTACT if missing else None)
                flags["missing" if missing else "there"] += 1
            assert (row["khaiValue"] == "-") == ("-" in {row["o3Value"], row["no2Value"]})
    assert 0.01 < flags["missing"] / flags.total() < 0.05


def test_what_is_late_is_filled_in_by_minute_20() -> None:
    filled = 0
    for hour in range(100):
        early, late = (_rows(_NINE + hour * _HOUR + timedelta(minutes=minute)) for minute in (16, 26))
        for before, after in zip(early, late, strict=True):
            filled += before["pm25Value"] == "-" != after["pm25Value"]
            assert before == after or before["pm25Value"] == after["pm25Value"] or before["pm25Value"] == "-"
    assert filled > 5


def test_the_index_is_that_of_its_parts() -> None:
    checked = 0
    for row in read_measurements(cast(list[Row], _rows(_NINE + 0.5 * _HOUR))).readable:
        numbers = {pollutant: raw.number for pollutant, raw in row.raw.items() if raw.number is not None}
        gases: Mapping[Pollutant, float] = {p: numbers[p] for p in numbers if p not in {Pollutant.PM10, Pollutant.PM25}}
        if row.air_quality_index is not None:
            assert row.air_quality_index >= round(index_of_hour(gases))
            checked += 1
    assert checked > 20


def _hours(air: SimulatedAir, pollutant: Pollutant, start: datetime, days: int) -> Floats:
    """Shape (hours, sites)."""
    return air.concentrations(hour_number(start), 24 * days)[pollutant]


def _year(air: SimulatedAir, pollutant: Pollutant) -> Floats:
    """The city's mean in each hour of a year, from midnight of 1 January on."""
    mean: Floats = _hours(air, pollutant, datetime(2026, 1, 1, tzinfo=KST), 365).mean(axis=1)
    return mean


def test_winter_is_dustier_than_summer_and_summer_has_the_ozone(air: SimulatedAir) -> None:
    particles, ozone = _year(air, Pollutant.PM25), _year(air, Pollutant.O3)
    month = len(particles) // 12
    assert particles[:month].mean() > 1.4 * particles[6 * month : 7 * month].mean()
    assert ozone[6 * month : 7 * month].mean() > 1.8 * ozone[:month].mean()
    assert 10 < particles.mean() < 30


def test_rush_hours_have_the_nitrogen_dioxide_and_afternoons_the_ozone(air: SimulatedAir) -> None:
    monday = datetime(2026, 5, 4, tzinfo=KST)
    weeks = (_hours(air, p, monday, 56).mean(axis=1).reshape(8, 7, 24)[:, :5] for p in (Pollutant.NO2, Pollutant.O3))
    no2, ozone = (week.mean(axis=(0, 1)) for week in weeks)
    assert no2[8] > 1.3 * no2[15]
    assert no2[20] > 1.2 * no2[15]
    assert ozone[15] > 1.7 * ozone[6]
    assert np.corrcoef(no2, ozone)[0, 1] < -0.5


def test_the_kerb_has_more_nitrogen_dioxide_and_less_ozone(air: SimulatedAir) -> None:
    roadside = np.array([site.network is Network.ROADSIDE for site in air.sites])
    for pollutant, kerb_has_more in ((Pollutant.NO2, True), (Pollutant.O3, False)):
        mean = _hours(air, pollutant, _NINE, 60).mean(axis=0)
        ratio = mean[roadside].mean() / mean[~roadside].mean()
        assert ratio > 1.2 if kerb_has_more else ratio < 0.97


def test_air_lasts_from_hour_to_hour_and_is_forgotten_within_a_week(air: SimulatedAir) -> None:
    level = np.log(_year(air, Pollutant.PM25))
    correlation = {lag: np.corrcoef(level[:-lag], level[lag:])[0, 1] for lag in (1, 24, 168)}
    assert correlation[1] > 0.95
    assert 0.3 < correlation[24] < 0.7
    assert correlation[168] < 0.3


def test_neighbours_are_more_alike_than_ends_of_the_city(air: SimulatedAir) -> None:
    levels = np.log(_hours(air, Pollutant.PM25, _NINE, 365))
    likeness = np.corrcoef((levels - levels.mean(axis=1, keepdims=True)).T)
    places = np.array([(site.location.latitude, 0.8 * site.location.longitude) for site in air.sites])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    pairs = np.triu_indices(len(places), 1)
    near = apart[pairs] < np.quantile(apart[pairs], 0.2)
    far = apart[pairs] > np.quantile(apart[pairs], 0.8)
    assert likeness[pairs][near].mean() > likeness[pairs][far].mean() + 0.2


def test_there_are_bad_days_in_a_year_and_more_good_ones(air: SimulatedAir) -> None:
    days = _year(air, Pollutant.PM25).reshape(365, 24).mean(axis=1)
    bad = days > 35
    assert 0.02 < bad.mean() < 0.25
    lasting = [length for length, following in pairwise(_runs(bad)) if length]
    assert max(lasting) >= 2


def _runs(days: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    """The lengths of the runs of True, a zero between them."""
    lengths = [0]
    for is_bad in days:
        lengths[-1:] = [lengths[-1] + 1] if is_bad else [lengths[-1], 0]
    return lengths


def test_values_are_those_that_air_can_have(air: SimulatedAir) -> None:
    highest: Mapping[Pollutant, float] = {
        Pollutant.PM25: 500,
        Pollutant.PM10: 1000,
        Pollutant.O3: 0.2,
        Pollutant.NO2: 0.3,
        Pollutant.CO: 5,
        Pollutant.SO2: 0.05,
    }
    for pollutant, values in air.concentrations(hour_number(_NINE), 24 * 365 * 3).items():
        assert values.min() > 0
        assert values.max() < highest[pollutant]


def test_an_hour_is_the_same_alone_and_in_a_row_of_hours(air: SimulatedAir) -> None:
    first = hour_number(_NINE)
    for pollutant, values in air.concentrations(first, 500).items():
        assert np.array_equal(air.concentrations(first + 321)[pollutant][0], values[321])


def test_an_hour_number_and_its_time_agree() -> None:
    assert hour_time(0) == datetime(2000, 1, 1, tzinfo=UTC)
    assert hour_time(hour_number(_NINE + 0.9 * _HOUR)) == _NINE
