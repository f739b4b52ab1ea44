"""The simulated weather is that of a Korean year, much the same next door, and foreseen the worse the further off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast

import numpy as np
import pytest

from ingestion.quota import Unlimited
from ingestion.settings import IngestionSettings
from ingestion.sources.data_go_kr_answer import Row
from ingestion.sources.kma import Kma
from ingestion.sources.kma_rows import read_forecasts, read_observations
from ingestion.weather import Cell, Product, WeatherForecast, WeatherObservation
from simulation.air import KST, hour_number
from simulation.airkorea_server import Request
from simulation.feed import FeedServer
from simulation.kma_server import OBSERVATIONS, SHORT, ULTRA_SHORT, KmaDesk
from simulation.noise import Floats, Integers
from simulation.weather import SimulatedWeather

_SEED: Final = 7
_CELL: Final = (67, 100)
_NOW: Final = datetime(2026, 10, 1, 23, 16, tzinfo=KST)
_FIVE_YEARS: Final = np.arange(hour_number(_NOW), hour_number(_NOW) + 5 * 8766, dtype=np.int64)


@pytest.fixture(scope="module")
def weather() -> SimulatedWeather:
    return SimulatedWeather(_SEED)


def _month(hours: Integers) -> Integers:
    days = np.datetime64("2000-01-01") + (hours + 9) // 24
    months: Integers = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return months


def _asked(operation: str, base: str, now: datetime = _NOW, **more: str) -> Mapping[str, object]:
    query = {"base_date": "20261001", "base_time": base, "nx": "60", "ny": "127", "numOfRows": "1500", **more}
    answer = json.loads(KmaDesk(_SEED, lambda: now)(Request(operation, query)).body)
    return cast(Mapping[str, object], answer["response"])


def _rows(operation: str, base: str, now: datetime = _NOW) -> list[Row]:
    body = cast(dict[str, dict[str, list[Row]]], _asked(operation, base, now)["body"])
    return body["items"]["item"]


def _code(response: Mapping[str, object]) -> str:
    return cast(Mapping[str, str], response["header"])["resultCode"]


def test_the_year_is_that_of_the_middle_of_korea(weather: SimulatedWeather) -> None:
    year, months = weather.observed(_FIVE_YEARS, *_CELL), _month(_FIVE_YEARS)
    january, july = (months == 1), (months == 7)
    assert -5 < year.temperature[january].mean() < 1
    assert 22 < year.temperature[july].mean() < 28
    assert year.temperature.min() > -25
    assert year.temperature.max() < 40
    assert 900 < year.water.sum() / 5 < 2200
    assert 0.04 < (year.water > 0).mean() < 0.15
    assert year.snow[july].sum() == 0
    assert year.snow[(months <= 2) | (months == 12)].sum() > 0
    assert year.wind_east[january].mean() > 0.5
    assert year.wind_north[january].mean() < -0.3
    assert 1 < np.hypot(year.wind_east, year.wind_north).mean() < 4
    assert ((year.humidity >= 10) & (year.humidity <= 100)).all()


def test_afternoons_are_warmer_and_drier_than_mornings(weather: SimulatedWeather) -> None:
    year, hour = weather.observed(_FIVE_YEARS, *_CELL), (_FIVE_YEARS + 9) % 24
    assert year.temperature[hour == 15].mean() - year.temperature[hour == 5].mean() > 4
    assert year.humidity[hour == 15].mean() < year.humidity[hour == 5].mean() - 5


def test_an_hour_is_the_same_whatever_is_asked_with_it(weather: SimulatedWeather) -> None:
    few = weather.observed(_FIVE_YEARS[100:110], *_CELL)
    many = SimulatedWeather(_SEED).observed(_FIVE_YEARS[:200], *_CELL)
    assert np.array_equal(few.temperature, many.temperature[100:110])
    assert np.array_equal(few.water, many.water[100:110])
    assert not np.allclose(SimulatedWeather(8).observed(_FIVE_YEARS[:10], *_CELL).temperature, many.temperature[:10])


def test_near_places_have_more_in_common_than_far_ones(weather: SimulatedWeather) -> None:
    def likeness(nx: int, ny: int) -> float:
        here, there = weather.observed(_FIVE_YEARS, *_CELL), weather.observed(_FIVE_YEARS, nx, ny)
        return float(np.corrcoef(here.wind_east, there.wind_east)[0, 1])

    assert likeness(68, 101) > 0.98
    assert likeness(60, 127) < 0.95


def test_a_forecast_errs_the_more_the_further_it_looks(weather: SimulatedWeather) -> None:
    def error(lead: int) -> float:
        issues = [int(hour) for hour in _FIVE_YEARS[: 24 * 60 : 24]]
        hours = [np.array([issue + lead], dtype=np.int64) for issue in issues]
        errors = [
            weather.forecast(issue, hour, *_CELL).temperature - weather.observed(hour, *_CELL).temperature
            for issue, hour in zip(issues, hours, strict=True)
        ]
        return float(np.sqrt(np.mean(np.square(errors))))

    assert error(0) == pytest.approx(0.0)
    assert 0.05 < error(1) < error(24) < error(72) < 4


def test_a_chance_of_rain_is_as_often_right_as_it_says(weather: SimulatedWeather) -> None:
    hours = _FIVE_YEARS[: 24 * 365]
    chances, rains = [], []
    for issue in range(int(hours[0]), int(hours[-1]) - 48, 97):
        ahead = np.arange(issue + 1, issue + 49, dtype=np.int64)
        chances.append(weather.forecast(issue, ahead, *_CELL).chance)
        rains.append(weather.observed(ahead, *_CELL).water > 0)
    chance: Floats = np.concatenate(chances)
    rain = np.concatenate(rains)
    assert rain[chance < 0.2].mean() < 0.1
    assert rain[chance > 0.8].mean() > 0.8


@pytest.mark.real_data
def test_answers_have_the_fields_order_and_size_of_recorded_ones(real_data: Path) -> None:
    samples = real_data / "api_samples"
    short = json.loads((samples / "kma_getVilageFcst_60_127_20261001T2300_excerpt.json").read_text())["response"]
    recorded = short["body"]["items"]["item"]
    ours = _rows(SHORT, "2300")
    assert len(ours) == short["body"]["totalCount"] == 980
    places = [(row["fcstDate"], row["fcstTime"], row["category"]) for row in ours]
    of_recorded = [(row["fcstDate"], row["fcstTime"], row["category"]) for row in recorded]
    shared = set(of_recorded)
    assert [place for place in places if place in shared] == of_recorded
    assert {name: type(value) for name, value in recorded[0].items()}.items() <= {
        name: type(value) for name, value in ours[0].items()
    }.items()
    words = {
        (row["fcstDate"], row["fcstTime"]): str(row["fcstValue"]).isascii()
        for row in recorded
        if row["category"] == "PCP"
    }
    plain = {(row["fcstDate"], row["fcstTime"]): read_as_number(row) for row in ours if row["category"] == "PCP"}
    assert {hour: plain[hour] for hour in words} == words
    observed = json.loads((samples / "kma_getUltraSrtNcst_60_127_20261002T0000.json").read_text())["response"]
    assert [row["category"] for row in _rows(OBSERVATIONS, "2300")] == [
        row["category"] for row in observed["body"]["items"]["item"]
    ]


def read_as_number(row: Row) -> bool:
    return str(row["fcstValue"]).replace(".", "").isdigit()


def test_every_row_can_be_read() -> None:
    for operation, base, product, count in (
        (ULTRA_SHORT, "2230", Product.ULTRA_SHORT, 6),
        (SHORT, "2300", Product.SHORT, 81),
        (SHORT, "0200", Product.SHORT, 102),
    ):
        rows = read_forecasts(_rows(operation, base), product)
        assert (len(rows.readable), rows.rejected) == (count, ())
        assert all(row.simulated and row.sky is not None for row in rows.readable)
    extremes = [
        row for row in read_forecasts(_rows(SHORT, "2300"), Product.SHORT).readable if row.day_minimum is not None
    ]
    assert {row.valid_at.astimezone(KST).hour for row in extremes} == {6}
    (observation,) = read_observations(_rows(OBSERVATIONS, "2300")).readable
    assert observation.simulated


@pytest.mark.parametrize(
    ("operation", "base", "minute", "code"),
    [
        (OBSERVATIONS, "2300", 9, "03"),
        (OBSERVATIONS, "2300", 10, "00"),
        (ULTRA_SHORT, "2330", 44, "03"),
        (ULTRA_SHORT, "2330", 45, "00"),
        (SHORT, "2300", 9, "03"),
        (SHORT, "2300", 10, "00"),
        (SHORT, "2200", 59, "03"),
        (ULTRA_SHORT, "2300", 59, "03"),
    ],
)
def test_an_issue_is_there_from_when_it_is_published(operation: str, base: str, minute: int, code: str) -> None:
    assert _code(_asked(operation, base, _NOW.replace(minute=minute))) == code


def test_what_lacks_a_parameter_or_is_a_day_old_is_refused_as_the_real_one_does() -> None:
    assert _code(_asked(OBSERVATIONS, "2300", nx="")) == "03"
    old = _asked(OBSERVATIONS, "0600", _NOW + timedelta(days=1))
    assert cast(Mapping[str, str], old["header"]) == {
        "resultCode": "10",
        "resultMsg": "최근 1일 간의 자료만 제공합니다.",
    }


def test_pages_divide_the_rows() -> None:
    pages = [_asked(SHORT, "2300", numOfRows="500", pageNo=str(number))["body"] for number in (1, 2)]
    rows = [row for page in pages for row in cast(dict[str, dict[str, list[Row]]], page)["items"]["item"]]
    assert rows == _rows(SHORT, "2300")


async def test_the_feed_of_the_city_has_its_weather(tmp_path: Path) -> None:
    with FeedServer(_SEED, clock=lambda: _NOW) as feed:
        settings = IngestionSettings.model_validate({"kma_url": feed.url, "data_dir": tmp_path})
        async with Kma(settings, Unlimited(), lambda: _NOW) as source:
            observed = await source.observations(Cell(*_CELL), None)
            forecast = await source.forecasts(Cell(*_CELL), Product.SHORT, None)
    assert observed is not None
    assert forecast is not None
    assert isinstance(observed.readable[0], WeatherObservation)
    assert isinstance(forecast.readable[0], WeatherForecast)
    assert (len(observed.readable), len(forecast.readable)) == (2, 81)
